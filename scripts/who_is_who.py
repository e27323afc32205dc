"""Who is who in a folder of photos: every face named, from a few named photos or from none.

in:  a folder of photos; names of sub-folders, files or captions, and what people.yaml says already
out: people.yaml beside the photos, which you may edit and Snakemake reads
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.judges.photo_judge import open_engine
from kindred.specs.judge import JudgeSpec
from kindred.starting.who_is_who import who_is_who


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="folder of photos, e.g. photos/ours")
    parser.add_argument(
        "--people", nargs="+", default=[], help="who may be in them: JRussell:man:adult ..."
    )
    parser.add_argument("--root", type=Path, default=Path("."), help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Name the faces, and write what is known."""
    options = parse(argv)
    engine = open_engine(JudgeSpec(kind="photo"))
    folder = options.root / options.folder
    found = who_is_who(folder, engine, options.people, options.root / "resources/faces")
    found.save()
    counts = ", ".join(f"{count} {what}" for what, count in found.counts().items())
    print(f"{len(found.photos)} photos; faces: {counts}", file=sys.stderr)
    print(f"wrote {found.path}", file=sys.stderr)
    for question in found.questions:
        first = ", ".join(sorted({found.photos[found.rows[n][0]].name for n in question.faces})[:5])
        print(f"who is this? {len(question.faces)} faces, e.g. in {first}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
