"""What one training reads, checked: datasets, selected pairs, the files they are encoded in.

Everything is checked here, before a model is loaded and without torch (rule 1 of the design: an
image never meets another image's caption).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common import safetensors_files
from kindred.common.errors import KindredError, Problems
from kindred.common.seeds import seed_of
from kindred.data import encoding_cache
from kindred.data.caption_pairing import Pair, check_pairs, make_pairs
from kindred.data.dataset import read_dataset
from kindred.data.subset_selection import select
from kindred.specs.training import TrainSpec


@dataclass(frozen=True)
class DataSource:
    """Pairs to train on with the files that hold their tensors, and their weight in the loss;
    `token_weights`: by pixel hash, of each image's tokens; all equal when None."""

    name: str
    weight: float
    pairs: list[Pair]
    latents: Path
    text: Path
    token_weights: dict[str, list[float]] | None = None


def load_sources(spec: TrainSpec, options: argparse.Namespace, run: int) -> list[DataSource]:
    """The photos, and class-prior images where the recipe has them. Scrambled captions are permuted
    in another way for every run: one permutation may leave a name on its own photos by chance.

    Raises KindredError (or ProblemsError, listing all) for what is missing or does not match.
    """
    check_encoders(spec, options.latents, options.text)
    dataset = read_dataset(options.images, options.captions)
    items = select(dataset, spec.selection, spec.characters)
    pairs = make_pairs(items, spec.pairing, seed_of(run, "pairing", spec.selection.seed))
    _prove(pairs, dataset, spec.pairing, options.latents, options.text)
    weights = _token_weights(spec, pairs, options)
    photos = DataSource("photos", 1.0, pairs, options.latents, options.text, weights)
    return [photos, *_prior(spec, options)]


def _token_weights(
    spec: TrainSpec, pairs: list[Pair], options: argparse.Namespace
) -> dict[str, list[float]] | None:
    """Weights of tokens by people's masks, where the recipe weighs people or their heads."""
    recipe = spec.recipe
    if not recipe.weighs_people:
        return None
    if getattr(options, "masks", None) is None:
        name = "head_weight" if recipe.mask_weight is None else "mask_weight"
        raise KindredError(f"recipe: {name} needs people's masks: give --masks, or unset it")
    from kindred.data.person_masks import token_weights

    people = recipe.mask_weight or 1.0
    heads = recipe.head_weight or people
    items = [pair.item for pair in pairs]
    return token_weights(items, options.images, options.masks, people, heads)


def _prior(spec: TrainSpec, options: argparse.Namespace) -> list[DataSource]:
    given = [
        getattr(options, f"prior_{name}") for name in ("images", "captions", "latents", "text")
    ]
    if not spec.recipe.class_images_weight:
        if any(given):
            raise KindredError("class-prior files are given, but recipe: class_images_weight is 0")
        return []
    if not all(given):
        raise KindredError(
            "recipe: class_images_weight needs class-prior images: give --prior-images, "
            "--prior-captions, --prior-latents and --prior-text, or set it to 0"
        )
    images, captions, latents, text = given
    check_encoders(spec, latents, text)
    items = read_dataset(images, captions)
    pairs = make_pairs(items, "matched", 0)
    _prove(pairs, items, "matched", latents, text)
    return [DataSource("prior", spec.recipe.class_images_weight, pairs, latents, text)]


def _prove(pairs: list[Pair], dataset: list[Any], pairing: str, latents: Path, text: Path) -> None:
    entries, _ = safetensors_files.header(latents)
    check_pairs(pairs, dataset, pairing, entries, encoding_cache.text_hashes(text))


def check_encoders(spec: TrainSpec, latents: Path, text: Path) -> None:
    """Raise ProblemsError when files were encoded by something else than the variant's base."""
    problems = Problems("encoded files do not belong to this variant's base")
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
                    f"made with {name} {found.get(name)}, the base has {value}",
                    "encode again",
                )
    problems.raise_if_any()
