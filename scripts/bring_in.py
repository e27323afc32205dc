"""Use pictures made elsewhere as the pictures of a variant.

in:  the pictures that PicturesElsewhere names, each with the prompt and seed that it stands for
out: the pictures in the store; results/<experiment>/<variant>/run-1/images/<prompt_set>.json
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.sentences import counted
from kindred.rendering.image_store import ImageStore
from kindred.rendering.pictures_elsewhere import bring_in
from kindred.specs.pictures_elsewhere import PicturesElsewhere


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="PicturesElsewhere as JSON, or a file of it")
    parser.add_argument("--store", required=True, type=Path, help="folder of all pictures")
    parser.add_argument(
        "--out", required=True, type=Path, help="JSON list of the pictures to write"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Bring the pictures in."""
    options = parse(argv)
    spec = PicturesElsewhere.read(options.spec)
    count = bring_in(spec, ImageStore(options.store), options.out)
    said = counted(count, "picture that was", "pictures that were")
    print(f"{options.out}: {said} made elsewhere", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
