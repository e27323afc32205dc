"""Compute the vectors of a dataset's pictures, by which a judge finds copies.

in:  prepared pictures and captions of a dataset; masks.json of composites
out: a JSON file (a row a picture) and vectors beside it, in a .npy file
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.sentences import counted
from kindred.compute import devices
from kindred.specs.scoring import VectorSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="VectorSpec as JSON, or a file of it")
    parser.add_argument(
        "--resources", type=Path, default=Path("resources"), help="folder of prepared datasets"
    )
    parser.add_argument("--out", required=True, type=Path, help="JSON to write")
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Look at the pictures."""
    options = parse(argv)
    spec = VectorSpec.read(options.spec)
    name = devices.acquire_device(options.device)
    # After the claim, which must come before torch: it hides the GPUs of other jobs.
    from kindred.judges import open_judge
    from kindred.scoring import image_vectors

    judge = open_judge(spec.judge, devices.prepare(name, options.threads))
    folder = options.resources / spec.dataset
    found = image_vectors.describe_dataset(judge, spec.dataset, folder)
    image_vectors.save(found, options.out)
    print(f"{counted(len(found.pictures), 'picture')} of {spec.dataset}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
