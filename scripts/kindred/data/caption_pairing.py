"""Which caption trains with which image, and proof of it before the first step.

Matched: each image with its own caption, looked up by content hash. Controls for studies:
scrambled, every caption moved to another image; dealt, captions dealt anew among images of one
shape and as many people, which leaves both as they were and takes away who is who.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kindred.characters.unnamed_people import unnamed_people
from kindred.common.errors import KindredError, Problems
from kindred.common.sentences import counted
from kindred.data.dataset import DatasetImage
from kindred.specs.training import Pairing

ENCODE = (
    "delete the dataset's folder in resources/encoded and run `snakemake`, which encodes it again"
)


@dataclass(frozen=True)
class CaptionedImage:
    """An image and the caption it trains with, by hash."""

    item: DatasetImage
    caption_hash: str


def make_pairs(
    items: Sequence[DatasetImage], pairing: Pairing, seed: int, names: Collection[str] = ()
) -> list[CaptionedImage]:
    """The pairs to train on. Scrambled: a seeded permutation of the photos' captions in which no
    photo keeps its own; dealt: one within each group of equal shape and number of people, in which
    some may. names: of the characters. Raises KindredError when nothing can be scrambled."""
    if pairing == "matched":
        return [CaptionedImage(item, item.caption_hash) for item in items]
    if pairing == "dealt":
        return _dealt(items, seed, names)
    captions = {item.photo: item.caption_hash for item in items}
    photos = sorted(captions)
    moved = _derangement([captions[photo] for photo in photos], seed)
    other = dict(zip(photos, moved, strict=True))
    return [CaptionedImage(item, other[item.photo]) for item in items]


def heads_said(item: DatasetImage, names: Collection[str] = ()) -> int:
    """How many people an image's caption speaks of: its characters and, in a composite, strangers.
    Photos' captions may say 'a man' of somebody whom they have named. names: the characters', which
    need no capital."""
    composed = item.made == "composed"
    others = unnamed_people(item.caption, others=(*names, *item.named), the=True) if composed else 0
    return len(list(filter(None, item.cell.split("+")))) + others + len(item.named)


def names_right(pairs: Sequence[CaptionedImage], dataset: Sequence[DatasetImage]) -> float:
    """Share of the pairs whose caption names the very people who are in the image."""
    said: dict[str, set[str]] = {}
    for item in dataset:
        said.setdefault(item.caption_hash, set()).add(item.cell)
    right = [pair.item.cell in said[pair.caption_hash] for pair in pairs]
    return sum(right) / len(right) if right else 1.0


def _dealt(
    items: Sequence[DatasetImage], seed: int, names: Collection[str]
) -> list[CaptionedImage]:
    """Each photo's caption from one of its own group. Photos of several sizes go by the largest,
    because all of their sizes get one caption."""
    largest: dict[str, DatasetImage] = {}
    for item in sorted(items, key=lambda one: (one.width * one.height, one.image_id)):
        largest[item.photo] = item
    groups: dict[tuple[int, int, int], list[str]] = {}
    for photo in sorted(largest):
        one = largest[photo]
        group = one.width, one.height, heads_said(one, names)
        groups.setdefault(group, []).append(photo)
    source, given = random.Random(f"dealt {seed}"), {}
    for group in sorted(groups):
        captions = [largest[photo].caption_hash for photo in groups[group]]
        source.shuffle(captions)
        given |= dict(zip(groups[group], captions, strict=True))
    return [CaptionedImage(item, given[item.photo]) for item in items]


def _derangement(values: Sequence[str], seed: int) -> list[str]:
    """A shuffle with no value in its old place (equal values count as one)."""
    most = max((list(values).count(value) for value in set(values)), default=0)
    if len(values) < 2 or 2 * most > len(values):
        raise KindredError(
            "every photo must get the caption of another, which "
            f"{counted(len(values), 'caption does', 'captions do')} not allow",
            "pairing: scrambled",
            "write a different caption for each photo",
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
    problems = Problems("these images and captions don't belong together, so nothing is trained")
    own = {(item.image_id, item.pixel_hash): item for item in dataset}
    for pair in pairs:
        where = pair.item.image_id
        item = own.get((where, pair.item.pixel_hash))
        if item is None:
            problems.add(where, "its pixels differ from those in images.json", ENCODE)
            continue
        if pairing == "matched" and pair.caption_hash != item.caption_hash:
            problems.add(
                where,
                f"is paired with the caption of {_owner(pair, dataset)}; this is an error in "
                "Kindred",
                "",
            )
        if pairing == "scrambled" and pair.caption_hash == item.caption_hash:
            problems.add(
                where, "kept its own caption in a scrambled run; this is an error in Kindred", ""
            )
        entry = latents.get(item.pixel_hash)
        if entry is None:
            problems.add(where, "its pixels are not encoded", ENCODE)
        elif entry["shape"][-2:] != [item.height // latent_px, item.width // latent_px]:
            problems.add(
                where,
                f"its encoding has the shape {entry['shape']}, which does not fit an image of "
                f"{item.width}x{item.height}",
                ENCODE,
            )
        if pair.caption_hash not in texts:
            problems.add(where, "its caption is not encoded", ENCODE)
    problems.raise_if_any()


def _owner(pair: CaptionedImage, dataset: Sequence[DatasetImage]) -> str:
    owners = [item.image_id for item in dataset if item.caption_hash == pair.caption_hash]
    return ", ".join(owners) or "no image of this dataset"
