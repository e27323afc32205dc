"""Which caption trains with which image, and proof of it before the first step.

Matched: each image with its own caption, looked up by content hash. Scrambled: a control for
studies, every caption moved to another image.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kindred.common.errors import KindredError, Problems
from kindred.data.dataset import DatasetImage

ENCODE = "delete the dataset's folder below resources/encoded and run `snakemake`: it encodes again"


@dataclass(frozen=True)
class CaptionedImage:
    """An image and the caption it trains with, by hash."""

    item: DatasetImage
    caption_hash: str


def make_pairs(
    items: Sequence[DatasetImage], pairing: Literal["matched", "scrambled"], seed: int
) -> list[CaptionedImage]:
    """The pairs to train on. Scrambled: a seeded permutation of the photos' captions in which no
    photo keeps its own. Raises KindredError when there is no such permutation."""
    if pairing == "matched":
        return [CaptionedImage(item, item.caption_hash) for item in items]
    captions = {item.photo: item.caption_hash for item in items}
    photos = sorted(captions)
    moved = _derangement([captions[photo] for photo in photos], seed)
    other = dict(zip(photos, moved, strict=True))
    return [CaptionedImage(item, other[item.photo]) for item in items]


def _derangement(values: Sequence[str], seed: int) -> list[str]:
    """A shuffle with no value in its old place (equal values count as one)."""
    most = max((list(values).count(value) for value in set(values)), default=0)
    if len(values) < 2 or 2 * most > len(values):
        raise KindredError(
            "every photo must get another caption than its own, and these "
            f"{len(values)} captions do not allow that",
            "pairing: scrambled",
            "use photos with different captions",
        )
    source, shuffled = random.Random(f"scrambled {seed}"), list(values)
    source.shuffle(shuffled)
    while True:
        fixed = [i for i, value in enumerate(values) if shuffled[i] == value]
        if not fixed:
            return shuffled
        # Swapping a fixed value with a random other place ends soon, for any list that can end.
        for i in fixed:
            j = source.randrange(len(values))
            shuffled[i], shuffled[j] = shuffled[j], shuffled[i]


def check_pairs(
    pairs: Sequence[CaptionedImage],
    dataset: Sequence[DatasetImage],
    pairing: str,
    latents: Mapping[str, Any],
    texts: Collection[str],
    latent_px: int,
) -> None:
    """Prove every (latent, caption) pair against the dataset; raise ProblemsError listing each
    that does not match.

    `latents`: header entries of the latent file by pixel hash; `texts`: caption hashes encoded.
    `latent_px`: pixels that a latent is wide and high.
    """
    problems = Problems("these images and captions may not be trained on together")
    own = {(item.image_id, item.pixel_hash): item for item in dataset}
    for pair in pairs:
        where = pair.item.image_id
        item = own.get((where, pair.item.pixel_hash))
        if item is None:
            problems.add(where, "its pixels are not those in images.json", ENCODE)
            continue
        if pairing == "matched" and pair.caption_hash != item.caption_hash:
            problems.add(where, f"is paired with the caption of {_owner(pair, dataset)}", "")
        if pairing == "scrambled" and pair.caption_hash == item.caption_hash:
            problems.add(where, "kept its own caption in a scrambled run", "")
        entry = latents.get(item.pixel_hash)
        if entry is None:
            problems.add(where, "has no latent under its pixel hash", ENCODE)
        elif entry["shape"][-2:] != [item.height // latent_px, item.width // latent_px]:
            problems.add(
                where,
                f"its latent is {entry['shape']}, not of an image {item.width}x{item.height}",
                ENCODE,
            )
        if pair.caption_hash not in texts:
            problems.add(where, "its caption is not encoded", ENCODE)
    problems.raise_if_any()


def _owner(pair: CaptionedImage, dataset: Sequence[DatasetImage]) -> str:
    owners = [item.image_id for item in dataset if item.caption_hash == pair.caption_hash]
    return ", ".join(owners) or "no image of this dataset"
