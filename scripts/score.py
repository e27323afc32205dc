"""Who is in each picture of a prompt set, and how well it shows what was asked.

in:  a manifest of pictures, the judge's references; for drift also the base's manifest
out: a CSV with a row an image and a row a person (columns: scripts/kindred/scoring/score_table.py);
     beside it a JSON of the code that made pictures and scores
Finished tables are kept under a key of all that they depend on, and copied from there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.compute import devices
from kindred.scoring import score_store
from kindred.scoring.score_store import ScoreRequest
from kindred.scoring.table_provenance import write_beside
from kindred.specs.scoring import ScoreSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="ScoreSpec as JSON, or a file of it")
    parser.add_argument("--manifest", required=True, type=Path, help="the pictures")
    parser.add_argument(
        "--base", nargs="*", default=[], type=Path, help="the same prompts by the base, for drift"
    )
    parser.add_argument("--references", required=True, type=Path, help="references.json")
    parser.add_argument("--vectors", required=True, type=Path, help="references.safetensors")
    parser.add_argument("--variant", required=True, help="name of the variant")
    parser.add_argument("--run", required=True, type=int, help="number of the run")
    parser.add_argument("--out", required=True, type=Path, help="CSV to write")
    parser.add_argument("--store", type=Path, default=score_store.STORE, help="finished tables")
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Score one prompt set of one run, or copy its table from the store."""
    options = parse(argv)
    asked = ScoreRequest.read(
        ScoreSpec.read(options.spec),
        options.manifest,
        options.base[0] if options.base else None,
        options.references,
        options.vectors,
        options.variant,
        options.run,
    )
    key = asked.key()
    kept = score_store.tables(options.store, asked).path(key)
    if score_store.fetch(options.store, key, asked, options.out):
        write_beside(options.out, kept, asked.manifest)
        print(f"already scored ({key[:12]}); copied from the store", file=sys.stderr)
        return 0
    name = devices.acquire_device(options.device)
    # After the claim, which must come before torch: it hides the GPUs of other jobs.
    from kindred.judges import open_judge

    device = devices.prepare(name, options.threads)
    scorer = score_store.Scorer(lambda spec: open_judge(spec, device))
    pictures, people = scorer.score(asked, options.store, key)
    print(f"{pictures} pictures, {people} people in them", file=sys.stderr)
    if not score_store.fetch(options.store, key, asked, options.out):
        raise KindredError(f"{kept}: vanished; run again")
    write_beside(options.out, kept, asked.manifest)
    return 0


if __name__ == "__main__":
    run_main(main)
