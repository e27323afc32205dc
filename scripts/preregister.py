"""Write down what is claimed, before anything is trained, and later changes to it.

in:  the configuration of an experiment or of families, as Snakemake planned with it or as it is
out: one more entry of config/declared/<name>.jsonl, unless the last one says the same;
     optionally the declaration that stands, as JSON

Snakemake runs it before any training; by hand it takes the reason for a change:
    python scripts/preregister.py coverage --why "six headshots were too few to decide a control"
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_json
from kindred.common.sentences import counted
from kindred.evidence.amendments import current_declaration, statement
from kindred.workflow.declaring import declare


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "name", help="file name in config/experiments or config/families, without .yaml"
    )
    parser.add_argument("--why", default="", help="reason for a change")
    parser.add_argument("--out", type=Path, help="JSON of the current declaration to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Declare one experiment, or one file of config/families."""
    options = parse(argv)
    entries, claims = declare(options.name, options.why)
    if options.out:
        write_json(options.out, current_declaration(entries))
    said = statement(entries) or "nothing declared here"
    print(f"{counted(claims, 'hypothesis')}, {said}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
