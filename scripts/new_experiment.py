"""Write an experiment for a folder of photos.

in:  a folder of photos; who is in them is told, or read from people.yaml, sub-folders or captions
out: config/experiments/<name>.yaml, complete, with comments and an estimate of what it takes, and
     <name>-first-look.yaml, a picture of everybody by the base and by a LoRA of 100 steps
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.amounts import gib, with_units
from kindred.common.errors import run_main
from kindred.starting.folder_survey import survey, survey_lines
from kindred.starting.new_files import new_experiment, refuse_existing, with_estimate, write_files


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="folder of photos, e.g. photos/ours")
    parser.add_argument("--name", help="name of the experiment; unset: the folder's name")
    parser.add_argument(
        "--people", nargs="+", default=[], help="people to learn: Jorvek:man:adult ..."
    )
    parser.add_argument(
        "--gpu", type=gib("--gpu", zero=False), help="GiB of the card; unset: of the GPU here"
    )
    parser.add_argument("--base", help="file name in config/bases; unset: one that fits the card")
    parser.add_argument("--time", action="store_true", help="time twenty steps on this GPU")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument("--root", type=Path, default=Path("."), help=argparse.SUPPRESS)
    return parser.parse_args(with_units("--gpu", argv))


def main(argv: list[str] | None = None) -> int:
    """Write the files, and say what to do next."""
    options = parse(argv)
    name = options.name or Path(options.folder).resolve().name
    refuse_existing(name, options.root, options.force)
    found = survey(options.root / options.folder, options.people)
    new = new_experiment(options.root, options.folder, name, found, options.gpu, options.base)
    new = with_estimate(new, options.root, options.time)
    paths = write_files(new, options.root)
    lines = survey_lines(found, options.folder.rstrip("/"))
    lines.append(f"base {new.base.name}, photos of up to {new.base.edge} px")
    for line in (*lines, *new.estimate, *(f"wrote {path}" for path in paths)):
        print(line, file=sys.stderr)
    for letter in found.guessed:
        noun = f"characters.{letter}.class: write man, woman or child"
        print(f"to do in {paths[0]}: {noun}", file=sys.stderr)
    print(f"next: make look EXPERIMENT={name}\nthen: make run EXPERIMENT={name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
