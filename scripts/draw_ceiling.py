"""Draw the casts of a prompt set as the lab draws them, through a base's autoencoder.

in:  the casts asked for, the drawn people, the autoencoder
out: pictures under <store>/; a manifest of them, as render.py writes one. Only missing pictures are
     drawn.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.compute import devices
from kindred.lab.ceiling import draw_ceiling
from kindred.rendering.image_store import ImageStore
from kindred.specs.ceiling import CeilingSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="CeilingSpec as JSON, or a file of it")
    parser.add_argument("--store", required=True, type=Path, help="folder of all pictures")
    parser.add_argument(
        "--out", required=True, type=Path, help="JSON list of the pictures to write"
    )
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Draw one prompt set's ceiling."""
    options = parse(argv)
    spec, store = CeilingSpec.read(options.spec), ImageStore(options.store)
    print(draw_ceiling(spec, store, options.out, options.device, options.threads), file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
