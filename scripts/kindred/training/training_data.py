"""What one training reads, checked: datasets, selected pairs, the files they are encoded in.

Everything is checked here, before a model is loaded and without torch (rule 1 of the design: an
image never meets another image's caption).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kindred.characters.trigger_words import remove_trigger_words
from kindred.common import safetensors_files
from kindred.common.errors import KindredError, Problems
from kindred.common.hashing import caption_hash
from kindred.common.seeds import seed_of
from kindred.data import encoding_cache
from kindred.data.caption_pairing import CaptionedImage, check_pairs, make_pairs
from kindred.data.dataset import DatasetImage, read_dataset
from kindred.data.subset_selection import held_out, select
from kindred.models.identity import architecture_of
from kindred.specs.training import TrainSpec


@dataclass(frozen=True)
class DataSource:
    """Pairs to train on with the files that hold their tensors, and their weight in the loss;
    `token_weights`: by pixel hash, of each image's tokens; all equal when None. `preserves`: what
    is to be learned is the base's own answer."""

    name: str
    weight: float
    pairs: list[CaptionedImage]
    latents: Path
    text: Path
    token_weights: dict[str, list[float]] | None = None
    preserves: bool = False


@dataclass(frozen=True)
class TrainingFiles:
    """The files of a dataset, of its class-prior images, of people's masks, and of its captions
    without names; all but the first where the recipe needs them. samples, sample_texts: what is
    drawn on the way, and its prompts; no part of what is trained."""

    images: Path
    captions: Path
    latents: Path
    text: Path
    prior_images: Path | None = None
    prior_captions: Path | None = None
    prior_latents: Path | None = None
    prior_text: Path | None = None
    masks: Path | None = None
    class_text: Path | None = None
    samples: Path | None = None
    sample_texts: Path | None = None

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """An option each."""
        for prefix, needed, whose in (("", True, ""), ("prior-", False, " of class images")):
            for name in ("images", "captions", "latents", "text"):
                parser.add_argument(
                    f"--{prefix}{name}", required=needed, type=Path, help=f"{name} file{whose}"
                )
        parser.add_argument(
            "--masks", type=Path, help="masks.json; for mask_weight and head_weight"
        )
        parser.add_argument(
            "--class-text", type=Path, help="captions without names; for diff_output_preservation"
        )
        parser.add_argument(
            "--samples", type=Path, help="SampleSpec: pictures to draw while training"
        )
        parser.add_argument("--sample-texts", type=Path, help="the embedded prompts of --samples")


def load_sources(spec: TrainSpec, files: TrainingFiles, run: int) -> list[DataSource]:
    """The photos, and class-prior images where the recipe has them. Scrambled captions are permuted
    in another way for every run: one permutation may leave a name on its own photos by chance.

    Raises KindredError (or ProblemsError, listing all) for what is missing or does not match.
    """
    check_encoders(spec, files.latents, files.text)
    dataset = read_dataset(files.images, files.captions)
    items = select(dataset, spec.selection, spec.characters)
    names = [who.name for who in spec.characters.values()]
    seed = seed_of(run, "pairing", spec.selection.seed)
    pairs = make_pairs(items, spec.pairing, seed, names)
    _prove(spec, pairs, dataset, spec.pairing, files.latents, files.text)
    weights = _token_weights(spec, pairs, files)
    photos = DataSource("photos", 1.0, pairs, files.latents, files.text, weights)
    return [photos, *_prior(spec, files), *_preserved(spec, items, files)]


def held_out_source(spec: TrainSpec, files: TrainingFiles) -> DataSource | None:
    """The photos that the selection keeps away from training, with their own captions, whatever
    the training's are; None where it keeps none. `load_sources` comes first, and checks the files.

    Raises KindredError (or ProblemsError, listing all) for what is missing or does not match.
    """
    if spec.selection.held_out is None:
        return None
    dataset = read_dataset(files.images, files.captions)
    items = held_out(dataset, spec.selection, spec.characters)
    pairs = make_pairs(items, "matched", 0)
    _prove(spec, pairs, dataset, "matched", files.latents, files.text)
    return DataSource("held_out", 0.0, pairs, files.latents, files.text)


def _token_weights(
    spec: TrainSpec, pairs: list[CaptionedImage], files: TrainingFiles
) -> dict[str, list[float]] | None:
    """Weights of tokens by people's masks, where the recipe weighs people or their heads."""
    recipe = spec.recipe
    if not recipe.weighs_people:
        return None
    if files.masks is None:
        name = "head_weight" if recipe.mask_weight is None else "mask_weight"
        what = f"{name} needs people's masks"
        raise KindredError(what, "recipe", f"give --masks, or remove {name}")
    from kindred.data.person_masks import token_weights

    people = recipe.mask_weight or 1.0
    heads = recipe.head_weight or people
    items = [pair.item for pair in pairs]
    return token_weights(items, files.images, files.masks, people, heads)


def _prior(spec: TrainSpec, files: TrainingFiles) -> list[DataSource]:
    given = [files.prior_images, files.prior_captions, files.prior_latents, files.prior_text]
    if not spec.recipe.class_images_weight:
        if any(given):
            what = "files of class images are given, but the recipe has class_images_weight: 0"
            raise KindredError(what, cure="set it above 0, or remove the files")
        return []
    if not all(given):
        raise KindredError(
            "class_images_weight needs class images",
            "recipe",
            "give --prior-images, --prior-captions, --prior-latents and --prior-text, or set it "
            "to 0",
        )
    images, captions, latents, text = given
    check_encoders(spec, latents, text)
    items = read_dataset(images, captions)
    pairs = make_pairs(items, "matched", 0)
    _prove(spec, pairs, items, "matched", latents, text)
    return [DataSource("prior", spec.recipe.class_images_weight, pairs, latents, text)]


def _preserved(
    spec: TrainSpec, items: list[DatasetImage], files: TrainingFiles
) -> list[DataSource]:
    """The photos whose captions name somebody, with class nouns in place of the names."""
    weight = spec.recipe.diff_output_preservation
    if not weight:
        return []
    if files.class_text is None:
        raise KindredError(
            "diff_output_preservation needs captions without names",
            "recipe",
            "give --class-text, or set it to 0",
        )
    check_encoders(spec, files.latents, files.class_text)
    nameless = []
    for item in items:
        text = remove_trigger_words(item.caption.strip(), spec.characters)
        if text != item.caption.strip():
            nameless.append(replace(item, caption=text, caption_hash=caption_hash(text)))
    if not nameless:
        raise KindredError(
            "diff_output_preservation has no effect, because no caption names anybody",
            spec.dataset,
            "write the trigger words into the captions, or set it to 0",
        )
    pairs = make_pairs(nameless, "matched", 0)
    _prove(spec, pairs, nameless, "matched", files.latents, files.class_text)
    return [DataSource("preserved", weight, pairs, files.latents, files.class_text, preserves=True)]


def _prove(
    spec: TrainSpec,
    pairs: list[CaptionedImage],
    dataset: list[Any],
    pairing: str,
    latents: Path,
    text: Path,
) -> None:
    entries, _ = safetensors_files.header(latents)
    latent_px = architecture_of(spec.base).latent_px
    check_pairs(pairs, dataset, pairing, entries, encoding_cache.text_hashes(text), latent_px)


def check_encoders(spec: TrainSpec, latents: Path, text: Path) -> None:
    """Raise ProblemsError when files were encoded by something else than the variant's base."""
    problems = Problems("encoded files don't belong to this variant's base")
    wanted = {
        latents: encoding_cache.latents_fingerprint(spec.base.image_encoder()),
        text: encoding_cache.texts_fingerprint(spec.base.text_encoder(spec.text_tokens())),
    }
    for path, about in wanted.items():
        _, metadata = safetensors_files.header(path)
        found = json.loads(metadata.get(encoding_cache.ABOUT, "{}"))
        for name, value in about.items():
            if found.get(name) != value:
                problems.add(
                    str(path),
                    f"was made with {name} {found.get(name)}, but the base has {value}",
                    "delete it and run `snakemake`, which encodes again",
                )
    problems.raise_if_any()
