"""Write down what is claimed, before anything is trained.

in:  the resolved hypotheses
out: the declaration; a log outside of results/ keeps every earlier one
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_json
from kindred.evidence.preregistration import preregister
from kindred.specs.scoring import DeclareSpec
from kindred.training.start_marker import trainings_begun


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="DeclareSpec as JSON, or a file of it")
    parser.add_argument("--results", required=True, type=Path, help="folder of the experiment")
    parser.add_argument("--log", required=True, type=Path, help="all declarations, JSON lines")
    parser.add_argument("--out", required=True, type=Path, help="this declaration, JSON to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Declare the hypotheses of one experiment."""
    options = parse(argv)
    spec = DeclareSpec.read(options.spec)
    entry = preregister(options.log, spec.hypotheses, trainings_begun(options.results))
    write_json(options.out, entry)
    print(f"{len(spec.hypotheses)} hypotheses, declared {entry['time']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
