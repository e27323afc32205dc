"""Draw the faces from which the lab's judge learns, in shards.

Needs nothing. Gives <out>/identities-<seed>-<k>.npz (see kindred.lab.identity_corpus). Finished
shards are kept, so the program can be stopped and started again.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.lab.identity_corpus import draw_corpus


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--out", type=Path, required=True, help="folder for the shards")
    p.add_argument("--identities", type=int, default=48_000, help="number of made-up people")
    p.add_argument("--views", type=int, default=5, help="pictures of each person, at least 2")
    p.add_argument("--shard", type=int, default=300, help="people in each shard, an even number")
    p.add_argument("--seed", type=int, default=7, help="seed of everything random")
    p.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 2))
    return p


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.shard < 2 or args.shard % 2 or args.views < 2 or args.identities < args.shard:
        raise KindredError(
            "make no whole shard",
            "--shard, --views, --identities",
            "give --shard an even number from 2 on, --views at least 2, --identities at least one "
            "shard",
        )
    count = draw_corpus(args.out, args.identities, args.views, args.shard, args.seed, args.workers)
    print(f"{count} shards of {args.shard} identities x {args.views} views in {args.out}")
    return 0


if __name__ == "__main__":
    run_main(main)
