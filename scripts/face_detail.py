"""The faces of finished pictures drawn again, larger and by their people's names.

in:  a list of pictures, the scores that say whose face is where, the base and the adapters that
     drew them, embedded texts (encode_prompts)
out: pictures under <store>/; the list of them, a row a picture. Only missing ones are drawn, and
     the base is loaded only when there are any. A picture without anybody's face stays itself.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common import progress
from kindred.common.errors import run_main
from kindred.compute import devices
from kindred.rendering.face_detail import detail_prompt_set
from kindred.rendering.image_store import ImageStore
from kindred.rendering.manifest import check_pictures, read_manifest
from kindred.rendering.run import Machine
from kindred.scoring.found_faces import found_faces
from kindred.specs.face_detail import FaceDetailSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="FaceDetailSpec as JSON, or a file of it")
    parser.add_argument("--manifest", required=True, type=Path, help="the pictures")
    parser.add_argument("--scores", required=True, type=Path, help="their table of scores")
    parser.add_argument("--texts", required=True, type=Path, help="embedded texts of faces")
    parser.add_argument(
        "--adapter", nargs="+", type=Path, help="LoRA files, in the order of the weights"
    )
    parser.add_argument("--store", required=True, type=Path, help="folder of all pictures")
    parser.add_argument("--out", required=True, type=Path, help="list of pictures to write")
    devices.add_arguments(parser)
    devices.add_device_map(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Draw the faces of one prompt set's pictures."""
    options = parse(argv)
    progress.speak_for(options.out.parents[1])
    spec, store = FaceDetailSpec.read(options.spec), ImageStore(options.store)
    pictures = read_manifest(options.manifest)
    check_pictures([pictures])
    faces = found_faces(options.scores, pictures, spec.characters)
    machine = Machine(options.device, options.threads, options.split)
    given = spec, options.texts, options.adapter, pictures, faces, store, options.out, machine
    print(detail_prompt_set(*given), file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
