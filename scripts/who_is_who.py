"""Name every face in a folder of photos.

in:  a folder of photos; names of sub-folders, files or captions, and what people.yaml says already
out: people.yaml beside the photos, which you may edit and Snakemake reads; and a page to review it,
     results/who-is-who/<folder>.html, which works without a server
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_text
from kindred.judges.photo_judge import open_engine
from kindred.specs.judge import JudgeSpec
from kindred.starting import review_page
from kindred.starting.review_server import ReviewServer
from kindred.starting.who_is_who import described, report_lines, who_is_who


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="folder of photos, e.g. photos/ours")
    parser.add_argument(
        "--people", nargs="+", default=[], help="people who may be in them: Jorvek:man:adult ..."
    )
    parser.add_argument("--review", action="store_true", help="decide in the browser")
    parser.add_argument("--root", type=Path, default=Path("."), help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Name the faces, let a person decide, and write what is known."""
    options = parse(argv)
    root, folder = options.root, options.root / options.folder
    engine = open_engine(JudgeSpec(kind="photo"))
    found = who_is_who(folder, engine, options.people, root / "resources/faces", described(root))
    found.save()
    if options.review:
        server = ReviewServer(
            lambda address: review_page.page(found, address),
            lambda change: review_page.answer(found, change),
        )
        print(
            f"review at {server.address}\nFinish on the page, or press Ctrl-C here", file=sys.stderr
        )
        server.open_browser()
        server.serve()
    out = root / "results/who-is-who" / f"{folder.resolve().name}.html"
    write_text(out, review_page.page(found))
    for line in report_lines(found, out, options.folder):
        print(line, file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
