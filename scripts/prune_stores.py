"""List what is in the stores, and delete what nothing uses any more.

`list` shows numbers and sizes; `prune` says what it would delete, and with --delete does it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.amounts import days
from kindred.common.errors import run_main
from kindred.common.sentences import counted
from kindred.workflow.store_cleanup import delete, prunable, referenced_by, stored, summary


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["list", "prune"], help="show sizes, or find the unused")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of results")
    parser.add_argument(
        "--datasets", type=Path, default=Path("resources"), help="folder of prepared datasets"
    )
    parser.add_argument("--photos", type=Path, default=Path("photos"), help="folder of photos")
    parser.add_argument("--images", type=Path, default=Path("resources/store/images"))
    parser.add_argument("--adapters", type=Path, default=Path("resources/store/adapters"))
    parser.add_argument("--checkpoints", type=Path, default=Path("resources/training"))
    parser.add_argument("--faces", type=Path, default=Path("resources/faces"))
    parser.add_argument(
        "--days", type=days("--days"), default=1.0, help="delete only what is older (default: 1)"
    )
    parser.add_argument(
        "--delete", action="store_true", help="delete the files; without it, only list them"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """List or prune."""
    options = parse(argv)
    used = referenced_by(options.results, options.datasets, options.photos)
    items = stored(options.images, options.adapters, used, None, options.checkpoints, options.faces)
    if options.what == "list":
        print(f"{counted(used.manifests, 'manifest')} under {options.results}\n{summary(items)}")
        return 0
    chosen = prunable(items, options.days, used)
    if options.delete:
        print(f"{len(chosen)} deleted, {delete(chosen) / 1e6:.1f} MB free")
        return 0
    for item in chosen:
        print(f"{item.kind} {item.path} {item.size / 1e6:.1f} MB")
    size = sum(item.size for item in chosen) / 1e6
    print(f"{len(chosen)} could be deleted ({size:.1f} MB); add --delete to do it")
    return 0


if __name__ == "__main__":
    run_main(main)
