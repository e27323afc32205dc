"""The dataset folder that composites and crops make up together with the photos.

Knows the files; how pictures are put together is generation.py's and crops.py's.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError
from kindred.common.files import atomic_write, read_json, read_jsonl, write_csv, write_json
from kindred.common.hashing import sha256_file
from kindred.data import person_masks
from kindred.data.composites.generation import CompositeImage
from kindred.data.composites.people import SourcePhoto
from kindred.data.person_masks import MaskedPhoto, PersonMask

COLUMNS = ("Filename", "Label")


def read_source_photos(
    folder: Path, images: Path, captions: Path, masks: Path
) -> list[SourcePhoto]:
    """The photos, each once, with caption and mask. Raises KindredError for one without a mask."""
    rows = {row["id"]: row for row in read_jsonl(captions)}
    known, found = person_masks.read(masks), {}
    for row in read_json(images):
        source, said = row["source"], rows[row["image_id"]]
        if source not in known:
            raise KindredError(
                f"has no mask for {source}",
                str(masks),
                "delete it and run `snakemake`, which makes it again",
            )
        found[source] = SourcePhoto(
            source,
            folder / source,
            said["caption"],
            tuple(said["characters"]),
            known[source],
            row.get("photo", row["image_id"]),
        )
    return [found[source] for source in sorted(found)]


def write_dataset(
    photos: Sequence[SourcePhoto],
    pictures: Sequence[CompositeImage],
    out: Path,
    masks_out: Path,
    made: Path,
    store: Path,
) -> None:
    """Write the folder anew, its masks.json, and made.json, which says what each picture is of.
    store: folder of masks."""
    shutil.rmtree(out, ignore_errors=True)
    rows: dict[str, dict[str, Any]] = {}
    known = {photo.source: photo.masked for photo in photos}
    for photo in photos:
        # A copy and no link: nothing that happens here may touch a person's own file.
        with atomic_write(out / photo.source) as temporary:
            shutil.copyfile(photo.path, temporary)
        rows[photo.source] = {"sha256": sha256_file(photo.path)}
    for picture in pictures:
        with atomic_write(out / picture.name) as temporary:
            picture.image.save(temporary, compress_level=1)  # six times as fast, a third larger
        facts = {"kind": picture.kind, "cell": picture.cell, "of": list(picture.of)}
        strangers = sum(not letter for letter, _ in picture.people)
        facts |= {"strangers": strangers} if strangers else {}
        rows[picture.name] = facts | {"sha256": sha256_file(out / picture.name)}
        people = tuple(PersonMask(*one) for one in picture.people)
        known[picture.name] = MaskedPhoto(person_masks.store_mask(picture.mask, store), people)
    labels = {one.source: one.caption for one in photos} | {p.name: p.caption for p in pictures}
    captions = [{"Filename": name, "Label": text} for name, text in labels.items()]
    write_csv(out / "captions.csv", COLUMNS, captions)
    person_masks.write(masks_out, known)
    write_json(made, rows)
