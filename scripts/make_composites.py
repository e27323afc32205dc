"""Make a dataset of composites and crops, together with the photos they are made of.

in:  photos of a dataset with images.json, captions.jsonl and masks.json; of strangers too
out: the dataset folder (copies of the photos, composed/*.png, cropped/*.png, captions.csv) and its
     masks.json; made.json: photo -> {sha256} and, for what is made, kind, cell and the photos that
     it is of, how many strangers are in it, and the made-up names of those who have one
Outlines and captions are as good as those of the photos: look at what was made before you train.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.sentences import counted
from kindred.data import person_masks
from kindred.data.composites.crops import crops
from kindred.data.composites.dataset import cores_given, read_source_photos, write_dataset
from kindred.data.composites.generation import composites
from kindred.specs.composites import CompositeSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="CompositeSpec as JSON, or a file of it")
    parser.add_argument("--source", required=True, type=Path, help="folder of photos")
    parser.add_argument("--images", required=True, type=Path, help="images.json (preprocess.py)")
    parser.add_argument("--captions", required=True, type=Path, help="captions.jsonl (caption.py)")
    parser.add_argument("--masks", required=True, type=Path, help="masks.json (segment_people.py)")
    four = ("FOLDER", "IMAGES", "CAPTIONS", "MASKS")
    parser.add_argument("--strangers", nargs=4, type=Path, metavar=four, help="strangers' files")
    parser.add_argument("--photos", required=True, type=Path, help="dataset folder to write")
    parser.add_argument("--made", required=True, type=Path, help="made.json to write")
    parser.add_argument("--masks-out", required=True, type=Path, help="masks.json to write")
    parser.add_argument("--store", type=Path, default=person_masks.STORE, help="folder of masks")
    parser.add_argument("--workers", type=int, default=cores_given(), help="pictures at once")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Make the pictures."""
    options, note = parse(argv), partial(print, file=sys.stderr)
    spec = CompositeSpec.read(options.spec)
    photos = read_source_photos(options.source, options.images, options.captions, options.masks)
    others = read_source_photos(*options.strangers) if options.strangers else []
    pictures = [*composites(photos, others, spec, note), *crops(photos, spec, note)]
    out = (options.photos, options.masks_out, options.made, options.store)
    write_dataset(photos, pictures, *out, options.workers)
    made = f"{counted(len(pictures), 'picture')} made of them"
    note(f"{counted(len(photos), 'photo')}, {made} in {options.photos}")
    return 0


if __name__ == "__main__":
    run_main(main)
