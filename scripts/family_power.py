"""Compute what claims about families can find, before anything is trained.

in:  the design: hypotheses, families, runs, prompts
out: power.json, and its table on the terminal
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_json
from kindred.evidence.family_power import family_power, family_power_table
from kindred.specs.power import FamiliesPowerSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="FamiliesPowerSpec as JSON, or a file of it")
    parser.add_argument("--out", required=True, type=Path, help="power.json to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Forecast the claims of one file of config/families."""
    options = parse(argv)
    found = family_power(FamiliesPowerSpec.read(options.spec))
    write_json(options.out, found)
    print(family_power_table(found), file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
