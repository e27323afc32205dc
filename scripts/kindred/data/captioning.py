"""All captions of a dataset: what people wrote, and a captioner's texts for the rest."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from kindred.common.errors import Problems
from kindred.common.written_text import nfc
from kindred.data import caption_cache, caption_files, people_file
from kindred.data.caption_records import by_captioner, by_hand, hint_of
from kindred.data.caption_tables import WrittenCaption
from kindred.data.folder_repeats import repeats_of
from kindred.data.people_file import PhotoEntry, in_characters, read_people
from kindred.data.photo_folder import Source, scan
from kindred.specs.dataset import CaptionSpec


def caption_images(
    images: Sequence[dict[str, Any]], spec: CaptionSpec, folder: Path, images_dir: Path, store: Path
) -> list[dict[str, Any]]:
    """captions.jsonl for the rows of images.json, in their order: several sizes of one photo share
    its caption. Raises as `caption_photos` does."""
    photos = {row["source"]: row for row in sorted(images, key=lambda row: row["height"])}
    by_photo = caption_photos(photos, spec, folder, images_dir, store)
    for source, row in by_photo.items():
        for item in row["warnings"]:
            print(f"warning: {source}: {item['what']}", file=sys.stderr)
    return [
        {"id": image["image_id"], "photo": image["photo"], **by_photo[image["source"]]}
        | ({"made": image["made"]} if "made" in image else {})
        for image in images
    ]


def caption_photos(
    photos: dict[str, Any], spec: CaptionSpec, folder: Path, images_dir: Path, store: Path
) -> dict[str, Any]:
    """A caption row for each photo's name. Everything is checked before a captioner starts.

    photos: name in `folder` -> its row of images.json. store: what captioners wrote before. Raises
    ProblemsError listing every photo without a caption, and every mistake in one.
    """
    problems, doubts = Problems(f"{folder}: captions"), []
    source = scan(folder)
    written = caption_files.read_captions(source, photos, problems, doubts)
    seen = _people_of(source, spec, problems, doubts)
    for name in photos:
        if name in seen and seen[name].caption:
            where = f"{people_file.NAME}: {name}"
            written[name] = WrittenCaption(seen[name].caption, "", where)
    hints = {
        name: hint_of(name, written.get(name), spec, problems, seen.get(name)) for name in photos
    }
    rows: dict[str, Any] = {}
    for name in photos:
        if name in written and written[name].text:
            rows[name] = by_hand(written[name], hints[name], spec, problems)
        elif spec.captioner is None:
            cure = "write one, or name a `captioner`"
            if repeats_of(PurePosixPath(name).parent.name):
                cure += "; the folder's name is taken for none, as kohya's tools do"
            problems.add(name, "has no caption", cure)
    for doubt in doubts:
        print(f"warning: {doubt}", file=sys.stderr)
    problems.raise_if_any()
    missing = {
        name: (row["pixel_hash"], images_dir / f"{row['image_id']}.png")
        for name, row in photos.items()
        if name not in rows
    }
    if missing and spec.captioner:
        texts = caption_cache.describe_all(missing, spec.captioner, store)
        author = f"captioner {caption_cache.author_of(spec.captioner)}"
        for name, text in texts.items():
            rows[name] = by_captioner(text, author, hints[name], spec)
            if not rows[name]["caption"]:
                problems.add(name, "the captioner found nothing to say", "write a caption")
        problems.raise_if_any()
    return {name: rows[name] for name in sorted(rows)}


def _people_of(
    source: Source, spec: CaptionSpec, problems: Problems, doubts: list[str]
) -> dict[str, PhotoEntry]:
    """What people.yaml says of each photo, with the letters of `spec`, by the photo's name as the
    file system has it. Adds to `doubts` entries of photos that are not there."""
    if source.people is None:
        return {}
    found = read_people(source.people)
    photos = in_characters(found, spec.characters, people_file.NAME, problems).photos
    names = {nfc(photo.name): photo.name for photo in [*source.photos, *source.set_aside]}
    doubts += [f"{people_file.NAME}: no photo '{name}'" for name in photos if name not in names]
    return {names[name]: entry for name, entry in photos.items() if name in names}
