"""A dataset as training sees it: images with their captions, matched by id, known by hash.

Knows images.json and captions.jsonl; knows nothing of tensors. Reports everything that is wrong
with them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.characters.cells import cell_name
from kindred.common.errors import Problems
from kindred.common.files import read_json, read_jsonl
from kindred.common.hashing import caption_hash

AGAIN = "delete that file and run `snakemake`, which makes it again"


@dataclass(frozen=True)
class DatasetImage:
    """One prepared image with its own caption. Several resolutions of a photo share `photo`."""

    image_id: str
    photo: str
    cell: str
    width: int
    height: int
    pixel_hash: str
    caption: str
    caption_hash: str
    made: str = ""  # 'composed' or 'cropped' for a picture made of photos
    named: tuple[str, ...] = ()  # what its caption calls strangers in a composite, if by names


def read_dataset(images: Path | str, captions: Path | str) -> list[DatasetImage]:
    """All images with their captions, sorted by id.

    Raises ProblemsError listing images without a caption, captions without an image, ids that
    stand twice, and captions that are not the text their hash says.
    """
    problems = Problems("images and captions don't fit together")
    image_rows = _by_id(read_json(images), "image_id", str(images), problems)
    caption_rows = _by_id(read_jsonl(captions), "id", str(captions), problems)
    for image_id in sorted(image_rows.keys() - caption_rows.keys()):
        problems.add(f"{captions}: {image_id}", "has no caption", AGAIN)
    for image_id in sorted(caption_rows.keys() - image_rows.keys()):
        problems.add(f"{images}: {image_id}", "has no image", AGAIN)
    items = []
    for image_id in sorted(image_rows.keys() & caption_rows.keys()):
        item = _item(image_rows[image_id], caption_rows[image_id])
        if item.caption_hash != caption_hash(item.caption):
            problems.add(
                f"{captions}: {image_id}",
                "its caption_hash does not match its caption",
                f"don't edit this file: change the captions in your own files, then {AGAIN}",
            )
        items.append(item)
    problems.raise_if_any()
    return items


def _item(image: dict[str, Any], caption: dict[str, Any]) -> DatasetImage:
    return DatasetImage(
        image_id=image["image_id"],
        photo=image.get("photo", image["image_id"]),
        cell=cell_name(caption["characters"]),
        width=image["width"],
        height=image["height"],
        pixel_hash=image["pixel_hash"],
        caption=caption["caption"],
        caption_hash=caption["caption_hash"],
        made=image.get("made", ""),
        named=tuple(image.get("named", ())),
    )


def _by_id(
    rows: list[dict[str, Any]], key: str, where: str, problems: Problems
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row[key] in found:
            problems.add(f"{where}: {row[key]}", "is listed twice", AGAIN)
        found[row[key]] = row
    return found
