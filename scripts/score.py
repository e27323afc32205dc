"""Who is in each picture of a prompt set, and how well it shows what was asked.

in:  a manifest of pictures, the judge's references; for drift also the base's manifest
out: a CSV with a row an image and a row a person (columns: scripts/kindred/scores.py)
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred import devices
from kindred.errors import KindredError, run_main
from kindred.manifest import read_manifest
from kindred.scores import write_scores
from kindred.spec.score import ScoreSpec


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
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Score one prompt set of one run."""
    options = parse(argv)
    spec = ScoreSpec.read(options.spec)
    manifest = read_manifest(options.manifest)
    base = read_manifest(options.base[0]) if options.base else None
    name = devices.claim(options.device)
    # After the claim, which must come before torch: it hides the GPUs of other jobs.
    from kindred import references, scoring
    from kindred.judges import open_judge

    known = references.load(options.references, options.vectors)
    judge = open_judge(spec.judge, devices.prepare(name, options.threads))
    if judge.identity != known.facts["judge"]:
        raise KindredError(
            f"{options.references}: made with the judge {known.facts['judge']}, this is "
            f"{judge.identity}; {references.ADVICE}"
        )
    whose = scoring.Whose(options.variant, options.run)
    rows = scoring.score(judge, known, manifest, base, spec, whose)
    write_scores(options.out, rows)
    pictures = len(manifest.rows)
    print(f"{pictures} pictures, {len(rows) - pictures} people in them", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
