"""Write pages of docs/findings about finished experiments.

in:  results/<experiment>/: report.md, summary.json, verdicts.json, scores.csv, and of the first run
     of each variant images/<prompt_set>.json; the store of pictures; config/, which says whether
     photos are drawn or real. Real ones are refused unless the experiment says `hide_photos: true`.
out: docs/findings/<experiment>/: README.md, runs.csv, prompts.csv, verdicts.csv, casts.csv,
     pictures/*.webp; docs/findings/hypotheses.md, the list of all published hypotheses. What was
     labelled by other rules than today's is labelled anew from its tables; without a name just that

Run by hand: no rule of the workflow makes these files. Equal results give equal bytes.
What was declared and changed comes from config/declared/<experiment>.jsonl, which notes that it is
published. What is refused, all at once, stands in report/publication_checks.py.
`--pack FILE` writes no pages but a tar archive of all that they need, to be unpacked and published
on another computer.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.report.repository_publishing import Folders, pack, publish, write_index, write_log


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="names of experiments")
    parser.add_argument("--root", type=Path, default=Path("."), help="folder that holds config/")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of results")
    parser.add_argument("--store", type=Path, default=Path("resources/store/images"))
    parser.add_argument("--docs", type=Path, default=Path("docs/findings"))
    parser.add_argument("--why", default="", help="reason for a change, for the log")
    parser.add_argument(
        "--log", action="store_true", help="only write the experiments' logs into their pages"
    )
    parser.add_argument(
        "--pack", type=Path, help="write no pages, but a .tar.xz of all files that they need"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Publish, then list everything that is published; or pack."""
    options = parse(argv)
    folders = Folders(options.root, options.results, options.store, options.docs)
    if options.pack:
        print(pack(options.experiments, options.pack, folders), file=sys.stderr)
        return 0
    for name in options.experiments:
        page = write_log(name, folders) if options.log else publish(name, folders, options.why)
        print(page, file=sys.stderr)
    print(write_index(options.docs, options.root), file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
