"""Prepare photos: upright sRGB images in training sizes, and images.json about them.

in:  a folder of photos
out: <images-dir>/<image_id>.png, RGB; images.json, a row an image:
     image_id, photo (the same for all resolutions of one photo), source (path in the folder),
     source_sha256, source_width, source_height (px, upright), pixel_hash, width, height, bucket,
     sharpness, perceptual_hash, warnings [{kind, what}]; of a picture made of photos also
     made ('composed' or 'cropped') and, where its caption has any, named (strangers' made-up names)
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import read_json, write_json
from kindred.common.sentences import counted
from kindred.data.audit.photo_warnings import warning_lines
from kindred.data.preprocessing import prepare_folder
from kindred.specs.dataset import PreprocessSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="PreprocessSpec as JSON, or a file of it")
    parser.add_argument("--source", required=True, type=Path, help="folder of photos")
    parser.add_argument("--images-dir", required=True, type=Path, help="folder of prepared images")
    parser.add_argument("--out", required=True, type=Path, help="images.json to write")
    parser.add_argument("--made", type=Path, help="made.json of composites and crops")
    parser.add_argument(
        "--workers", type=int, default=len(os.sched_getaffinity(0)), help="photos at once"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Prepare a dataset's photos."""
    options = parse(argv)
    spec = PreprocessSpec.read(options.spec)
    made = read_json(options.made) if options.made else {}
    result = prepare_folder(options.source, options.images_dir, spec, made, options.workers)
    write_json(options.out, result.rows)
    for line in warning_lines(result.rows):
        print(f"warning: {line}", file=sys.stderr)
    print(
        f"{counted(len(result.rows), 'image')} of {counted(result.photos, 'photo')}: "
        f"{result.made} prepared, {result.kept} kept, {result.removed} removed",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    run_main(main)
