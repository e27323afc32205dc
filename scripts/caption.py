"""Captions that people wrote, and a captioner's for the rest -> captions.jsonl.

in:  the dataset folder (CSV, metadata.jsonl or .txt files), images.json and prepared images
out: captions.jsonl, a row an image: id (its image_id), photo, caption, author ('file' or
     'captioner id@revision'), characters (letters, sorted), nouns, caption_hash,
     warnings [{kind, what}]; of a picture made of photos also made, as in images.json
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from kindred.common.errors import Problems, run_main
from kindred.common.files import read_json, write_jsonl
from kindred.data import caption_cache, caption_files, caption_records
from kindred.data.photo_folder import scan
from kindred.specs.dataset import CaptionSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="CaptionSpec as JSON, or a file of it")
    parser.add_argument("--source", required=True, type=Path, help="the dataset folder")
    parser.add_argument("--images", required=True, type=Path, help="images.json of preprocess")
    parser.add_argument("--images-dir", required=True, type=Path, help="its prepared images")
    parser.add_argument("--out", required=True, type=Path, help="captions.jsonl to write")
    parser.add_argument(
        "--store", type=Path, help="what captioners wrote before; captioner.jsonl beside --out"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Caption a dataset."""
    options = parse(argv)
    spec = CaptionSpec.read(options.spec)
    images = read_json(options.images)
    photos = {row["source"]: row for row in sorted(images, key=lambda row: row["height"])}
    by_photo = caption_photos(photos, spec, options)
    rows = [
        {"id": image["image_id"], "photo": image["photo"], **by_photo[image["source"]]}
        | ({"made": image["made"]} if "made" in image else {})
        for image in images
    ]
    write_jsonl(options.out, rows)
    for source, row in by_photo.items():
        for item in row["warnings"]:
            print(f"warning: {source}: {item['what']}", file=sys.stderr)
    by_hand = sum(row["author"] == "file" for row in by_photo.values())
    print(
        f"{len(by_photo)} captions: {by_hand} by hand, {len(by_photo) - by_hand} by the captioner",
        file=sys.stderr,
    )
    return 0


def caption_photos(
    photos: dict[str, Any], spec: CaptionSpec, options: argparse.Namespace
) -> dict[str, Any]:
    """A caption row for each photo's name. Everything is checked before a captioner starts."""
    problems, doubts = Problems(f"{options.source}: captions"), []
    written = caption_files.read_captions(scan(options.source), photos, problems, doubts)
    hints = {
        name: caption_records.hint_of(name, written.get(name), spec, problems) for name in photos
    }
    rows: dict[str, Any] = {}
    for name in photos:
        if name in written and written[name].text:
            rows[name] = caption_records.by_hand(written[name], hints[name], spec, problems)
        elif spec.captioner is None:
            problems.add(name, "has no caption", "write one, or name a `captioner`")
    for doubt in doubts:
        print(f"warning: {doubt}", file=sys.stderr)
    problems.raise_if_any()
    missing = {
        name: (row["pixel_hash"], options.images_dir / f"{row['image_id']}.png")
        for name, row in photos.items()
        if name not in rows
    }
    if missing and spec.captioner:
        store = options.store or options.out.parent / "captioner.jsonl"
        texts = caption_cache.describe_all(missing, spec.captioner, store)
        author = f"captioner {caption_cache.author_of(spec.captioner)}"
        for name, text in texts.items():
            rows[name] = caption_records.by_captioner(text, author, hints[name], spec)
            if not rows[name]["caption"]:
                problems.add(name, "the captioner found nothing to say", "write a caption")
        problems.raise_if_any()
    return {name: rows[name] for name in sorted(rows)}


if __name__ == "__main__":
    run_main(main)
