"""Draw pictures of the lab's world for pretraining, with captions and truth, in shards.

Needs nothing. Gives `<out>/<size>-<seed>-<number>.npz` and a `.jsonl` of captions beside each.
Finished shards are kept, so an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kindred.common.errors import run_main
from kindred.world.pretraining_shards import SHARD, draw_missing, plan_shards
from kindred.world.vocabulary import SIZES


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="seed of everything random")
    parser.add_argument("--count", type=int, required=True, help="number of pictures")
    parser.add_argument(
        "--size", choices=(*SIZES, "mixed"), default="mixed", help="one size, or a mixture by shard"
    )
    parser.add_argument(
        "--people", type=int, help="people in every picture; unset: 1 to 4 at random"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes at once")
    parser.add_argument("--shard", type=int, default=SHARD, help="pictures in each shard")
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Draw what is missing; returns the exit status."""
    args = parse(argv)
    shards = plan_shards(args.out, args.size, args.seed, args.count, args.shard, args.people)
    draw_missing(shards, args.workers)
    print(f"{len(shards)} shards in {args.out}")
    return 0


if __name__ == "__main__":
    run_main(main)
