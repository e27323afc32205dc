"""Compute what an experiment's design can find, before anything is trained.

in:  the design: hypotheses, runs, prompts; where there are some, scores of finished runs or tables
     of a publication, which say how much runs and prompts differ
out: power.json. With --show the tables of power.json files on the terminal, and nothing else
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.commands import snakemake
from kindred.common.errors import run_main
from kindred.common.files import read_json, write_json
from kindred.evidence.pilot_variances import PilotFiles
from kindred.evidence.power_figures import figures, warnings
from kindred.evidence.power_words import NOTHING, table
from kindred.specs.power import PowerSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--spec", help="PowerSpec as JSON, or a file of it")
    what.add_argument("--show", nargs="*", type=Path, help="power.json files to print")
    parser.add_argument("--results", type=Path, help="folder of the experiment, for finished runs")
    parser.add_argument(
        "--docs", type=Path, default=Path("docs/findings"), help="folder of published pages"
    )
    parser.add_argument("--out", type=Path, help="power.json to write")
    options = parser.parse_args(argv)
    if options.spec and not (options.results and options.out):
        parser.error("--spec needs --results and --out")
    return options


def main(argv: list[str] | None = None) -> int:
    """Forecast one experiment, or print what was forecast."""
    options = parse(argv)
    if options.show is not None:
        print("\n\n".join(table(read_json(path)) for path in options.show) or NOTHING)
        return 0
    spec = PowerSpec.read(options.spec)
    found = figures(spec, PilotFiles(spec.experiment, options.results, options.docs))
    write_json(options.out, found)
    for warning in warnings(found):
        print(f"warning: {warning}", file=sys.stderr)
    claims = f"hypotheses: {len(found['hypotheses'])}"
    command = snakemake(spec.experiment, "power")
    print(f"{claims}; `{command}` shows what each can find", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
