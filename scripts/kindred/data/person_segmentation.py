"""The people of a dataset's photos, by outline and letter: from the truth of drawings, from a
segmentation model, or from a judge's boxes.

Knows photos, captions and finders; loads models only where one is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kindred.characters import person_labels
from kindred.characters.trigger_words import letters_in
from kindred.common.errors import KindredError
from kindred.common.files import read_json, read_jsonl
from kindred.common.progress import track
from kindred.data.person_masks import MaskedPhoto, PersonMask, store_mask
from kindred.data.photo_decoding import PhotoError, read_photo, to_srgb
from kindred.judges.interface import Box, Judge
from kindred.specs.character import Character

Characters = Mapping[str, Character]
LARGEST = 2048  # px of the longest edge: more than any bucket needs, and many photos fit in memory


@dataclass(frozen=True)
class SegmentedPerson:
    """One person: outline [H, W] bool, the head's box and the face where they are known."""

    outline: np.ndarray
    head: Box | None = None
    face: np.ndarray | None = None


Finder = Callable[[Image.Image], list[SegmentedPerson]]


def captions_by_source(images: Path, captions: Path) -> dict[str, str]:
    """Photo's name -> its caption, of images.json and captions.jsonl."""
    texts = {row["id"]: row["caption"] for row in read_jsonl(captions)}
    return {row["source"]: texts[row["image_id"]] for row in read_json(images)}


def from_truth(
    facts: Mapping[str, Any], sources: Sequence[str], characters: Characters, store: Path
) -> dict[str, MaskedPhoto]:
    """Masks of drawn photos; a photo that the truth does not know is left out."""
    from kindred.world.ground_truth_masks import mask_of

    letters = {one.name: letter for letter, one in characters.items()}
    result = {}
    for source in track(sources, "outlines", len(sources), "photo"):
        if source in facts:
            about = facts[source]
            people = [
                PersonMask(letters.get(p["name"], ""), tuple(p["head"])) for p in about["people"]
            ]
            result[source] = MaskedPhoto(store_mask(mask_of(about), store), tuple(people))
    return result


def from_finder(
    find: Finder,
    folder: Path,
    captions: Mapping[str, str],
    characters: Characters,
    store: Path,
) -> dict[str, MaskedPhoto]:
    """Masks of photos by source, with letters where caption or faces tell who is who. Outlines
    leave memory once they are on disk: large photos would fill it."""
    found: dict[str, tuple[list[SegmentedPerson], Path]] = {}
    letters: dict[str, list[str] | None] = {}
    for source in track(list(captions), "outlines", len(captions), "photo"):
        image = upright(folder / source)
        people = sorted(find(image), key=_middle)
        areas = [float(person.outline.sum()) for person in people]
        letters[source] = person_labels.by_caption(captions[source], areas, characters)
        file = store_mask(_numbered(people, image.size), store)
        found[source] = [replace(p, outline=p.outline[:0]) for p in people], file
    known = _known_faces(found, letters)
    result = {}
    for source, (people, file) in found.items():
        named = letters_in(captions[source], characters)
        told = letters[source]
        if told is None:
            told = person_labels.by_faces(named, [person.face for person in people], known)
        if set(named) - set(told):
            print(
                f"warning: {source}: can't tell who is who; say it in the caption", file=sys.stderr
            )
        someone = (PersonMask(x, p.head) for x, p in zip(told, people, strict=True))
        result[source] = MaskedPhoto(file, tuple(someone))
    return result


def upright(path: Path) -> Image.Image:
    """A photo upright in sRGB, scaled down to `LARGEST`. Raises KindredError."""
    try:
        photo = read_photo(path, path.name, LARGEST)
    except PhotoError as error:
        problem = error.problem
        raise KindredError(problem.what, problem.where, problem.cure) from None
    image = to_srgb(photo.image, photo).convert("RGB")
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    return image


def boxes_of(judge: Judge) -> Finder:
    """Outlines for want of better: an ellipse around each person's box."""

    def find(image: Image.Image) -> list[SegmentedPerson]:
        (seen,) = judge.find([image])
        return [
            SegmentedPerson(_ellipse(one.box, image.size), one.head, one.embedding) for one in seen
        ]

    return find


def with_faces(find: Finder, judge: Judge) -> Finder:
    """The outlines of one finder with the heads and faces that a judge finds inside them."""

    def both(image: Image.Image) -> list[SegmentedPerson]:
        people, (seen,) = find(image), judge.find([image])
        result = []
        for person in people:
            inside = [one for one in seen if _holds(person.outline, one.head)]
            best = max(inside, key=lambda one: one.score, default=None)
            face = (best.head, best.embedding) if best else (None, None)
            result.append(SegmentedPerson(person.outline, *face))
        return result

    return both


def _known_faces(
    found: Mapping[str, tuple[list[SegmentedPerson], Path]], letters: Mapping[str, list[str] | None]
) -> dict[str, np.ndarray]:
    """Faces that captions give a letter to, stacked by letter."""
    faces: dict[str, list[np.ndarray]] = {}
    for source, (people, _) in found.items():
        for letter, person in zip(letters[source] or (), people, strict=False):
            if letter and person.face is not None:
                faces.setdefault(letter, []).append(person.face)
    return {letter: np.stack(rows) for letter, rows in faces.items()}


def _middle(person: SegmentedPerson) -> float:
    columns = np.flatnonzero(person.outline.any(0))
    return float(columns.mean()) if len(columns) else 0.0


def _numbered(people: Sequence[SegmentedPerson], size: tuple[int, int]) -> np.ndarray:
    """One picture of all outlines, the smaller person over the larger."""
    result = np.zeros((size[1], size[0]), np.uint8)
    for index in sorted(range(len(people)), key=lambda k: -people[k].outline.sum()):
        result[people[index].outline] = index + 1
    return result


def _ellipse(box: Box, size: tuple[int, int]) -> np.ndarray:
    """[H, W] bool: the box, its upper corners rounded as heads and shoulders are."""
    x0, y0, x1, y1 = box
    rows, columns = np.mgrid[: size[1], : size[0]] + 0.5
    across = np.abs(columns - (x0 + x1) / 2) / max((x1 - x0) / 2, 1e-6)
    up = np.clip((y0 + 0.5 * (y1 - y0) - rows) / max(0.5 * (y1 - y0), 1e-6), 0, None)
    return (across**2 + up**2 <= 1) & (rows <= y1)


def _holds(outline: np.ndarray, head: Box) -> bool:
    """Whether the middle of a head lies inside an outline."""
    column, row = int((head[0] + head[2]) / 2), int((head[1] + head[3]) / 2)
    inside = 0 <= row < outline.shape[0] and 0 <= column < outline.shape[1]
    return inside and bool(outline[row, column])
