"""Where the people are in a dataset's photos: masks.json, the masks it names, and what they weigh.

A mask is an "L" picture of the upright photo, as large or smaller: 0 is background, k the k-th
person from the left. masks.json: source -> {file, people: [{letter, head}]}; letter '' is somebody
unknown, head a box in pixels of the mask or null. Knows files and pixels; knows nothing of how
people are found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kindred.common import png_files
from kindred.common.content_store import ContentStore
from kindred.common.errors import Problems
from kindred.common.files import read_json, write_json
from kindred.common.made_pictures import read_picture
from kindred.data.aspect_buckets import Size, covered_box
from kindred.data.dataset import DatasetImage
from kindred.data.png_writing import write_png

STORE = Path("resources/store/masks")
TOKEN_PX = 16  # 8 pixels a latent, 2 x 2 latents a token
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class PersonMask:
    """One person of a photo: a letter or '', and the head's box where it is known."""

    letter: str
    head: Box | None = None


@dataclass(frozen=True)
class MaskedPhoto:
    """A photo's mask file and the people it numbers, from the left."""

    file: Path
    people: tuple[PersonMask, ...]

    def indices(self) -> np.ndarray:
        """[H, W] uint8: 0 background, k the k-th person. Raises KindredError without the file."""
        return np.asarray(read_picture(self.file, "L"))


def store_mask(indices: np.ndarray, store: Path) -> Path:
    """Put a mask into the store, under a hash of its pixels; its path."""
    image = Image.fromarray(indices.astype(np.uint8))
    name = hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()[:40]
    masks = ContentStore(store, png_files.check, "writing it again", ".png")
    if masks.has(name):
        return masks.path(name)
    return masks.put(name, lambda path: write_png(path, np.asarray(image)))


def write(path: Path, photos: Mapping[str, MaskedPhoto]) -> None:
    """Write masks.json. Raises ProblemsError naming photos with a head at no finite place."""
    problems = Problems("masks can't be used")
    for source, masked in photos.items():
        if not np.isfinite([edge for one in masked.people for edge in one.head or ()]).all():
            what = "the position of a head is not a number"
            problems.add(source, what, "check the photo, or find people with another model")
    problems.raise_if_any()
    rows = {
        source: {
            "file": masked.file.as_posix(),
            "people": [{"letter": p.letter, "head": p.head} for p in masked.people],
        }
        for source, masked in photos.items()
    }
    write_json(path, rows)


def read(path: Path) -> dict[str, MaskedPhoto]:
    """Read masks.json: photo's name -> mask."""
    return {source: _masked(row) for source, row in read_json(path).items()}


def _masked(row: Mapping[str, Any]) -> MaskedPhoto:
    people = (
        PersonMask(p["letter"], tuple(p["head"]) if p["head"] else None) for p in row["people"]
    )
    return MaskedPhoto(Path(row["file"]), tuple(people))


def head_boxes(masked: MaskedPhoto, size: Size, prepared: Size) -> list[Box | None]:
    """The people's head boxes, from the left, in the picture that a photo of `size` was prepared
    to: as shares of its width and height, below 0 or above 1 where its edge cuts a head off. None
    for a head whose box is not known. Raises KindredError without the mask's file."""
    height, width = masked.indices().shape
    left, upper, right, lower = covered_box(size, prepared)

    def across(x: float) -> float:
        return (x * size[0] / width - left) / (right - left)

    def down(y: float) -> float:
        return (y * size[1] / height - upper) / (lower - upper)

    heads = (person.head for person in masked.people)
    return [h and (across(h[0]), down(h[1]), across(h[2]), down(h[3])) for h in heads]


def token_weights(
    items: Sequence[DatasetImage], images: Path | str, masks: Path, people: float, heads: float
) -> dict[str, list[float]]:
    """Weights of an image's tokens in the loss, rows first, mean 1, by pixel hash: `people` inside
    people and `heads` inside their heads for 1 in the background. Raises ProblemsError naming every
    photo without a mask, or with weights that are not finite."""
    known, rows = read(masks), {row["image_id"]: row for row in read_json(images)}
    problems, result = Problems("masks are missing"), {}
    for item in items:
        row = rows[item.image_id]
        if row["source"] not in known:
            problems.add(
                row["source"],
                f"is missing in {masks}",
                "delete that file and run `snakemake`, which makes it again",
            )
            continue
        size = (row["source_width"], row["source_height"])
        prepared = (item.width, item.height)
        of_people, of_heads = _covered(known[row["source"]], size, prepared, heads != people)
        with np.errstate(over="ignore", invalid="ignore"):  # said below
            values = 1 + (people - 1) * of_people
            if of_heads is not None:
                values += (heads - people) * of_heads
            values = values / values.mean()
        if not np.isfinite(values).all():
            what = (
                f"the loss weights of its parts are not numbers ({people:g} in people, {heads:g} "
                "in heads)"
            )
            problems.add(
                row["source"], what, "set `mask_weight` and `head_weight` to values from 1 to 10"
            )
        result[item.pixel_hash] = [round(float(v), 6) for v in values.ravel()]
    problems.raise_if_any()
    return result


# Variants of one dataset ask for the same; an entry is a few hundred bytes.
@lru_cache(maxsize=2**14)
def _covered(
    masked: MaskedPhoto, size: Size, prepared: Size, heads: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Shares of people in each token, and of their heads where they are asked for."""
    indices = masked.indices()
    inside = covered(inside_heads(indices, masked.people), size, prepared) if heads else None
    return covered(indices > 0, size, prepared), inside


def inside_heads(indices: np.ndarray, people: Sequence[PersonMask]) -> np.ndarray:
    """[H, W] bool: which pixels of a mask are of somebody's head. Where its box is not known, it is
    taken from the outline."""
    inside = np.zeros(indices.shape, bool)
    for number, someone in enumerate(people, 1):
        outline = indices == number
        if outline.any():
            x0, y0, x1, y1 = (round(edge) for edge in someone.head or head_of(outline))
            rows, columns = slice(max(0, y0), max(0, y1)), slice(max(0, x0), max(0, x1))
            inside[rows, columns] |= outline[rows, columns]
    return inside


def covered(people: np.ndarray, size: tuple[int, int], prepared: tuple[int, int]) -> np.ndarray:
    """Share of people in each token [H / 16, W / 16] of the prepared image of a photo.

    people: [h, w] bool over the whole photo; size: of the photo, prepared: of the image, in px.
    """
    scale = people.shape[1] / size[0], people.shape[0] / size[1]
    x0, y0, x1, y1 = covered_box(size, prepared)
    box = (x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1])
    tokens = (prepared[0] // TOKEN_PX, prepared[1] // TOKEN_PX)
    # By way of bytes: several times as fast as an array of floats, and the same numbers.
    picture = Image.fromarray(people.astype(np.uint8)).convert("F")
    return np.asarray(picture.resize(tokens, Image.Resampling.BOX, box=box))


def head_of(outline: np.ndarray) -> Box:
    """The head's box in an outline: down to the neck, narrow below the first bulge."""
    rows = np.flatnonzero(outline.any(1))
    top, height = int(rows[0]), len(rows)
    widths = outline[top : top + height].sum(1).astype(float)
    smooth = max(1, height // 30)
    widths = np.convolve(widths, np.ones(smooth) / smooth, "same")
    upper = max(3, height * 2 // 3)
    bottom = top + max(2, height // 3)
    for row in range(height // 12 + 1, upper - 1):
        bulge = widths[:row].max()
        below = widths[row : row + max(2, height // 5)].max()
        if widths[row] < 0.8 * bulge and widths[row] < 0.7 * below:
            bottom = top + row + int(np.argmin(widths[row : row + max(2, height // 20)]))
            break
    columns = np.flatnonzero(outline[top:bottom].any(0))
    return float(columns[0]), float(top), float(columns[-1] + 1), float(bottom)
