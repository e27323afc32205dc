"""Collect the captions that people wrote, and let a captioning model write the others.

in:  the dataset folder (CSV, metadata.jsonl or .txt files), images.json and prepared images
out: captions.jsonl, a row an image: id (its image_id), photo, caption, author ('file' or
     'captioner id@revision'), characters (letters, sorted), nouns, caption_hash,
     warnings [{kind, what}]; of a picture made of photos also made, as in images.json
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import read_json, write_jsonl
from kindred.common.sentences import counted
from kindred.data.captioning import caption_images
from kindred.specs.dataset import CaptionSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="CaptionSpec as JSON, or a file of it")
    parser.add_argument("--source", required=True, type=Path, help="the dataset folder")
    parser.add_argument("--images", required=True, type=Path, help="images.json (preprocess.py)")
    parser.add_argument("--images-dir", required=True, type=Path, help="folder of prepared photos")
    parser.add_argument("--out", required=True, type=Path, help="captions.jsonl to write")
    parser.add_argument(
        "--store",
        type=Path,
        help="captions that models wrote before; unset: captioner.jsonl beside --out",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Caption a dataset."""
    options = parse(argv)
    spec = CaptionSpec.read(options.spec)
    store = options.store or options.out.parent / "captioner.jsonl"
    images = read_json(options.images)
    rows = caption_images(images, spec, options.source, options.images_dir, store)
    write_jsonl(options.out, rows)
    authors = {row["photo"]: row["author"] for row in rows}
    by_hand = sum(author == "file" for author in authors.values())
    print(
        f"{counted(len(authors), 'caption')}: {by_hand} by people, {len(authors) - by_hand} by the "
        "captioning model",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    run_main(main)
