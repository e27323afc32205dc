"""Check that this node has what jobs need: disk, locks, clock, Python, GPU and weights.

in:  resources/cluster/expected.json, which the Snakemake that waits wrote
out: a line that says what was found; an error that names all that is missing
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_text
from kindred.workflow import cluster_check


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--models", nargs="*", default=[], help="folders or repository ids of models"
    )
    parser.add_argument("--gpu", action="store_true", help="fail without a GPU")
    parser.add_argument("--out", required=True, type=Path, help="file to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Check one node."""
    options = parse(argv)
    found = cluster_check.check(options.models, options.gpu)
    write_text(options.out, found + "\n")
    print(found)
    return 0


if __name__ == "__main__":
    run_main(main)
