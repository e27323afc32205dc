"""Draw a photo album of one of the lab's families, as a user would bring it.

Needs nothing. Gives `<out>/*.jpg` and `<out>/captions.csv`; the truth lies in `<out>.truth.json`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.sentences import counted
from kindred.world.albums import write_dataset, write_strangers
from kindred.world.families import FAMILIES, SHARED_TRAITS, family, parse_coverage

DIALS = ("scale", "hats", "class_nouns", "sides", "say_hats", "any_shape")


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=tuple(FAMILIES), default="russell")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--coverage", help="photos by cell: 'J: 4, A: 3, AC: 2'")
    what.add_argument("--strangers", type=int, help="number of strangers, each alone")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything random")
    parser.add_argument("--scale", type=int, default=4, help="size of the photos, 1 to 8")
    parser.add_argument("--hats", type=float, default=0.0, help="proportion of people with a hat")
    parser.add_argument(
        "--say-hats",
        action=argparse.BooleanOptionalAction,
        help="captions name every hat (or no hat); unset: about two of three",
    )
    parser.add_argument("--shared", type=int, default=SHARED_TRAITS, help="number of shared traits")
    parser.add_argument("--sides", action="store_true", help="captions say who is left and right")
    parser.add_argument("--any-shape", action="store_true", help="every shape for each cell")
    parser.add_argument(
        "--no-class-nouns",
        dest="class_nouns",
        action="store_false",
        help="captions give names only",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the album")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Draw the album; returns the exit status."""
    args = parse(argv)
    if args.strangers:
        names = write_strangers(args.out, args.strangers, args.seed, args.scale)
    else:
        people, dials = family(args.family, args.shared), {one: getattr(args, one) for one in DIALS}
        cells = parse_coverage(args.coverage, people.letters)
        names = write_dataset(args.out, people, cells, args.seed, **dials)
    print(f"{args.out}: {counted(len(names), 'photo')} and captions.csv")
    return 0


if __name__ == "__main__":
    run_main(main)
