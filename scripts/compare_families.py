"""Claims about families in general, from the figures of several experiments.

in:  a file of config/families as JSON; results/<experiment>/summary.json of each of its experiments
out: results/families/<name>/verdicts.json, and families.md, the same in words
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_json, write_text
from kindred.evidence.families import families_verdicts
from kindred.report.report_data import read_versioned
from kindred.report.templates import fill
from kindred.specs.families import FamiliesSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="FamiliesSpec as JSON, or a file of it")
    parser.add_argument("--results", required=True, type=Path, help="folder of all experiments")
    parser.add_argument("--verdicts", required=True, type=Path, help="JSON to write")
    parser.add_argument("--markdown", required=True, type=Path, help="words to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Compare one file's experiments."""
    options = parse(argv)
    spec = FamiliesSpec.read(options.spec)
    summaries = {
        name: read_versioned(options.results / name / "summary.json") for name in spec.families
    }
    found = families_verdicts(spec, summaries)
    write_json(options.verdicts, found)
    write_text(options.markdown, fill("families.md", {"spec": spec, **found}))
    for name, one in found["hypotheses"].items():
        print(f"{name}: {one['sentence']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
