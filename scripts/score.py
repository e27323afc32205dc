"""Score pictures: who is in each, and how well it shows what was asked for.

in:  a manifest of pictures, the judge's references, vectors of what was trained on; for drift also
     the base's manifest
out: a CSV with a row an image and a row a person (columns: scripts/kindred/scoring/score_table.py);
     beside it a JSON of the code that made pictures and scores
Finished tables are kept under a key of all that they depend on, and copied from there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.compute import devices
from kindred.scoring import score_store
from kindred.scoring.run import score_table
from kindred.scoring.score_store import ScoreRequest
from kindred.specs.scoring import ScoreSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="ScoreSpec as JSON, or a file of it")
    parser.add_argument("--manifest", required=True, type=Path, help="list of the pictures")
    parser.add_argument(
        "--base", nargs="*", default=[], type=Path, help="the base's pictures, to measure drift"
    )
    parser.add_argument("--references", required=True, type=Path, help="references.json")
    parser.add_argument("--vectors", required=True, type=Path, help="references.safetensors")
    parser.add_argument(
        "--training", nargs="*", default=[], type=Path, help="vectors of the training datasets"
    )
    parser.add_argument("--variant", required=True, help="name of the variant")
    parser.add_argument("--run", required=True, type=int, help="number of the run")
    parser.add_argument("--out", required=True, type=Path, help="CSV to write")
    parser.add_argument("--store", type=Path, default=score_store.STORE, help="finished tables")
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Score one prompt set of one run, or copy its table from the store."""
    options = parse(argv)
    spec, base = ScoreSpec.read(options.spec), options.base[0] if options.base else None
    known = options.references, options.vectors, options.training
    asked = ScoreRequest.read(spec, options.manifest, base, *known, options.variant, options.run)
    where = options.store, options.out, options.device, options.threads
    print(score_table(asked, *where), file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
