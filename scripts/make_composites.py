"""Composites of cut-out people and crops of one person, as a dataset together with the photos.

in:  photos of a dataset with images.json, captions.jsonl and masks.json
out: the dataset folder (copies of the photos, composed/*.png, cropped/*.png, captions.csv) and its
     masks.json; made.json: photo -> {sha256} and, for what is made, kind, cell and the photos that
     it is of
Outlines and captions are as good as those of the photos: look at what was made before you train.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError, run_main
from kindred.common.files import atomic_write, read_json, read_jsonl, write_csv, write_json
from kindred.common.hashing import sha256_file
from kindred.data import person_masks
from kindred.data.composites import generation
from kindred.data.person_masks import MaskedPhoto, PersonMask
from kindred.specs.composites import CompositeSpec

COLUMNS = ("Filename", "Label")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="CompositeSpec as JSON, or a file of it")
    parser.add_argument("--source", required=True, type=Path, help="folder of photos")
    parser.add_argument("--images", required=True, type=Path, help="images.json of preprocess")
    parser.add_argument("--captions", required=True, type=Path, help="captions.jsonl of caption")
    parser.add_argument("--masks", required=True, type=Path, help="masks.json of masks")
    parser.add_argument("--photos", required=True, type=Path, help="dataset folder to write")
    parser.add_argument("--made", required=True, type=Path, help="made.json to write")
    parser.add_argument("--masks-out", required=True, type=Path, help="masks.json to write")
    parser.add_argument("--store", type=Path, default=person_masks.STORE, help="folder of masks")
    return parser.parse_args(argv)


def gather(options: argparse.Namespace) -> list[generation.SourcePhoto]:
    """The photos, each once, with caption and mask. Raises KindredError for one without a mask."""
    captions = {row["id"]: row for row in read_jsonl(options.captions)}
    known, found = person_masks.read(options.masks), {}
    for row in read_json(options.images):
        source, said = row["source"], captions[row["image_id"]]
        if source not in known:
            raise KindredError(f"{options.masks}: no mask of {source} -> delete it and run again")
        found[source] = generation.SourcePhoto(
            source,
            options.source / source,
            said["caption"],
            tuple(said["characters"]),
            known[source],
        )
    return [found[source] for source in sorted(found)]


def main(argv: list[str] | None = None) -> int:
    """Make the pictures."""
    options = parse(argv)
    spec = CompositeSpec.read(options.spec)
    photos = gather(options)

    def note(text: str) -> None:
        print(text, file=sys.stderr)

    # All is made before anything old goes: a mistake loses nothing.
    pictures = [*generation.composites(photos, spec, note), *generation.crops(photos, spec, note)]
    shutil.rmtree(options.photos, ignore_errors=True)
    rows: dict[str, dict[str, Any]] = {}
    known = {photo.source: photo.masked for photo in photos}
    for photo in photos:
        # A copy and no link: nothing that happens here may touch a person's own file.
        with atomic_write(options.photos / photo.source) as temporary:
            shutil.copyfile(photo.path, temporary)
        rows[photo.source] = {"sha256": sha256_file(photo.path)}
    for picture in pictures:
        with atomic_write(options.photos / picture.name) as temporary:
            picture.image.save(temporary)
        facts = {"kind": picture.kind, "cell": picture.cell, "of": list(picture.of)}
        rows[picture.name] = facts | {"sha256": sha256_file(options.photos / picture.name)}
        people = tuple(PersonMask(*one) for one in picture.people)
        known[picture.name] = MaskedPhoto(
            person_masks.store_mask(picture.mask, options.store), people
        )
    labels = {one.source: one.caption for one in photos} | {p.name: p.caption for p in pictures}
    captions = [{"Filename": name, "Label": text} for name, text in labels.items()]
    write_csv(options.photos / "captions.csv", COLUMNS, captions)
    person_masks.write(options.masks_out, known)
    write_json(options.made, rows)
    note(f"{len(photos)} photos, {len(pictures)} pictures made of them in {options.photos}")
    return 0


if __name__ == "__main__":
    run_main(main)
