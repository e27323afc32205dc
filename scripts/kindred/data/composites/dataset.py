"""The dataset folder that composites and crops make up together with the photos.

Knows the files; how pictures are put together is generation.py's and crops.py's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from kindred.common.errors import KindredError
from kindred.common.files import (
    TEMPORARY,
    atomic_write,
    read_json,
    read_jsonl,
    write_csv,
    write_json,
    writing,
)
from kindred.common.hashing import sha256_file
from kindred.data import person_masks
from kindred.data.composites.generation import CompositeImage
from kindred.data.composites.people import SourcePhoto
from kindred.data.person_masks import MaskedPhoto, PersonMask
from kindred.data.png_writing import write_png

COLUMNS = ("Filename", "Label")
Row = dict[str, Any]


def cores_given() -> int:
    """The cores of this job, which Snakemake tells numpy's library; of this process without it. An
    option in the rule's command would have made finished composites stale."""
    return int(os.environ.get("OPENBLAS_NUM_THREADS") or len(os.sched_getaffinity(0)))


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
    workers: int,
) -> None:
    """Draw the pictures, so many at once, and write the folder anew, its masks.json, and made.json,
    which says what each picture is of. store: folder of masks.

    All is made in another folder before anything old goes: a mistake loses nothing. Threads,
    because Pillow and zlib work outside the interpreter's lock.
    """
    folder = out.with_name(f"{TEMPORARY}{out.name}")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for photo in photos:
            # A copy and no link: nothing that happens here may touch a person's own file.
            with atomic_write(folder / photo.source) as temporary:
                shutil.copyfile(photo.path, temporary)
        ordered = sorted(pictures, key=lambda picture: picture.place)
        with ThreadPoolExecutor(max(1, workers)) as pool:
            results = pool.map(lambda picture: _write(picture, folder, store), ordered)
            written = dict(zip((picture.name for picture in ordered), results, strict=True))
        labels = {one.source: one.caption for one in photos} | {p.name: p.caption for p in pictures}
        captions = [{"Filename": name, "Label": text} for name, text in labels.items()]
        write_csv(folder / "captions.csv", COLUMNS, captions)
        shutil.rmtree(out, ignore_errors=True)
        with writing(out):
            os.replace(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows = {photo.source: {"sha256": sha256_file(photo.path)} for photo in photos}
    known = {photo.source: photo.masked for photo in photos}
    for picture in pictures:
        rows[picture.name], known[picture.name] = written[picture.name]
    person_masks.write(masks_out, known)
    write_json(made, rows)


def _write(picture: CompositeImage, folder: Path, store: Path) -> tuple[Row, MaskedPhoto]:
    """Draw a picture into the folder: its row of made.json, and its mask."""
    image, mask, people = picture.draw()
    with atomic_write(folder / picture.name) as temporary:
        write_png(temporary, np.asarray(image))
    facts = {"kind": picture.kind, "cell": picture.cell, "of": list(picture.of)}
    strangers = sum(not letter for letter, _ in people)
    facts |= {"strangers": strangers} if strangers else {}
    facts |= {"named": list(picture.named)} if picture.named else {}
    masked = MaskedPhoto(
        person_masks.store_mask(mask, store), tuple(PersonMask(*one) for one in people)
    )
    return facts | {"sha256": sha256_file(folder / picture.name)}, masked
