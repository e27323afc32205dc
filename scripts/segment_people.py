"""Find the outlines of people in a dataset's photos.

in:  the photos, images.json and captions.jsonl; for drawn photos their truth
out: masks.json: photo -> {file, people: [{letter, head}]}; masks lie in the store as PNG
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import read_json
from kindred.common.sentences import counted
from kindred.compute import devices
from kindred.data import person_masks
from kindred.data.person_finders import open_finder
from kindred.data.person_segmentation import captions_by_source, from_finder, from_truth
from kindred.specs.composites import MaskSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="MaskSpec as JSON, or a file of it")
    parser.add_argument("--source", required=True, type=Path, help="folder of photos")
    parser.add_argument("--images", required=True, type=Path, help="images.json (preprocess.py)")
    parser.add_argument("--captions", required=True, type=Path, help="captions.jsonl (caption.py)")
    parser.add_argument(
        "--truth", type=Path, nargs="*", default=[], help="truth.json of drawn photos"
    )
    parser.add_argument("--out", required=True, type=Path, help="masks.json to write")
    parser.add_argument("--store", type=Path, default=person_masks.STORE, help="folder of masks")
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Find the people."""
    options = parse(argv)
    spec = MaskSpec.read(options.spec)
    captions = captions_by_source(options.images, options.captions)
    if options.truth:
        facts = read_json(options.truth[0])["photos"]
        found = from_truth(facts, list(captions), spec.characters, options.store)
    else:
        find = open_finder(spec, options.device, options.threads)
        found = from_finder(find, options.source, captions, spec.characters, options.store)
    person_masks.write(options.out, found)
    people = sum(len(masked.people) for masked in found.values())
    known = sum(bool(one.letter) for masked in found.values() for one in masked.people)
    said = f"{counted(len(found), 'photo')}: {counted(people, 'person')}"
    print(f"{said}, {known} of them known", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
