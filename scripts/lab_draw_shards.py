"""Draw pretraining shards of the lab's world: pictures, captions and truth.

Needs nothing. Gives `<out>/<size>-<seed>-<number>.npz` and a `.jsonl` of captions beside each.
Finished shards are kept, so an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import os
from multiprocessing import get_context
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.progress import Progress
from kindred.world.pretraining_shards import captions_path, draw_shard
from kindred.world.vocabulary import SIZES

SHARD = 2000
SHARES = {"portrait": 0.40, "landscape": 0.26, "wide": 0.34}


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, required=True, help="pictures in all")
    parser.add_argument(
        "--size", choices=(*SIZES, "mixed"), default="mixed", help="one size, or a mixture by shard"
    )
    parser.add_argument("--people", type=int, help="in every picture; 1 to 4 at random when unset")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--shard", type=int, default=SHARD, help="pictures a shard")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(argv)


Job = tuple[int, int, tuple[int, int], Path, int | None]


def plan(args: argparse.Namespace) -> list[Job]:
    """Arguments of `draw_shard` for every shard."""
    shares = SHARES if args.size == "mixed" else {args.size: 1.0}
    jobs = []
    for k, (name, share) in enumerate(shares.items()):
        left, number = round(args.count * share), 0
        while left > 0:
            count = min(args.shard, left)
            path = args.out / f"{name}-{args.seed}-{number:04d}.npz"
            seed = args.seed * 100_000 + k * 10_000 + number
            jobs.append((seed, count, SIZES[name], path, args.people))
            left, number = left - count, number + 1
    return jobs


def _draw(job: Job) -> int:
    draw_shard(*job)
    return job[1]


def main(argv: list[str] | None = None) -> int:
    """Draw what is missing; returns the exit status."""
    args = parse(argv)
    jobs = plan(args)
    missing = [job for job in jobs if not (job[3].exists() and captions_path(job[3]).exists())]
    total, waiting = (sum(job[1] for job in group) for group in (jobs, missing))
    with Progress("drawing", total, "pictures", initial=total - waiting) as progress:
        if args.workers <= 1:
            for job in missing:
                progress.update(_draw(job))
        elif missing:
            with get_context("spawn").Pool(min(args.workers, len(missing))) as pool:
                for count in pool.imap_unordered(_draw, missing):
                    progress.update(count)
    return 0


if __name__ == "__main__":
    run_main(main)
