"""Rename what is in the stores to today's keys, so that nothing is made a second time.

Keys held hashes of code once and hold step versions now. Without --apply it only says what it
would do. Run it before `snakemake` runs with the new code; what is in its place already stays.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import KindredError, did_you_mean, run_main
from kindred.common.progress import track
from kindred.workflow.store_migration import LAST_CODE, migration


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--apply",
        action="store_true",
        help="rename the files; without it, only show what would happen",
    )
    parser.add_argument(
        "--root", type=Path, default=Path("."), help="folder that holds the Snakefile"
    )
    parser.add_argument(
        "--code",
        action="append",
        default=[],
        metavar="STEP=HASH",
        help="accept results of this older code too; repeat for more",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Say or do it."""
    options = parse(argv)
    codes: dict[str, set[str]] = {}
    for given in options.code:
        step, _, code = given.partition("=")
        if step not in LAST_CODE or not code:
            raise KindredError("is not STEP=HASH", f"--code {given}", did_you_mean(step, LAST_CODE))
        codes.setdefault(step, set()).add(code)
    found = migration(options.root, codes)
    print("\n".join(found.lines()) or "nothing is stored here")
    if options.apply:
        for move in track(found.moves, "renaming", len(found.moves), "file"):
            move.apply()
        print(f"{len(found.moves)} renamed; now run `snakemake`, which finds them")
    elif found.moves:
        print(f"{len(found.moves)} would be renamed; add --apply to do it")
    return 0


if __name__ == "__main__":
    run_main(main)
