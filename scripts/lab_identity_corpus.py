"""Draw the corpus that the lab's judge learns faces from: identities x views, in shards.

Needs nothing. Gives <out>/identities-<seed>-<k>.npz (see kindred.lab.identity_corpus). Finished
shards are kept, so the program can be stopped and started again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.common.progress import Progress
from kindred.lab.identity_corpus import draw_identity_shard


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--out", type=Path, required=True, help="folder for the shards")
    p.add_argument("--identities", type=int, default=48_000, help="how many people are made up")
    p.add_argument("--views", type=int, default=5, help="appearances of each, at least 2")
    p.add_argument("--shard", type=int, default=300, help="identities a shard, an even number")
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 2))
    return p


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.shard < 2 or args.shard % 2 or args.views < 2 or args.identities < args.shard:
        raise KindredError(
            "--shard must be even and at least 2, --views at least 2, "
            "--identities at least one shard"
        )
    args.out.mkdir(parents=True, exist_ok=True)
    jobs = {
        k: args.out / f"identities-{args.seed}-{args.views}x{args.shard}-{k:04d}.npz"
        for k in range(args.identities // args.shard)
    }
    todo = {k: path for k, path in jobs.items() if not path.exists()}
    # Fork: the children draw with Pillow only, and start at once.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with (
        Progress("identities", len(jobs), "shard", initial=len(jobs) - len(todo)) as progress,
        ProcessPoolExecutor(args.workers, context) as pool,
    ):
        futures = [
            pool.submit(draw_identity_shard, args.seed * 100_003 + k, args.shard, args.views, path)
            for k, path in todo.items()
        ]
        for future in as_completed(futures):
            future.result()
            progress.update()
    print(f"{len(jobs)} shards of {args.shard} identities x {args.views} views in {args.out}")
    return 0


if __name__ == "__main__":
    run_main(main)
