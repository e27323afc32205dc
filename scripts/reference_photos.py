"""Choose the photos by which a judge knows the characters, and measure its scale.

in:  prepared photos and captions of the experiment's datasets
out: references.json (which photos, the scale, the judge, its gates) and .safetensors (vectors)
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.sentences import counted
from kindred.compute import devices
from kindred.data.shown_photos import photos_to_judge_by
from kindred.specs.scoring import ReferenceSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="ReferenceSpec as JSON, or a file of it")
    parser.add_argument(
        "--resources", type=Path, default=Path("resources"), help="folder of prepared datasets"
    )
    parser.add_argument("--facts", required=True, type=Path, help="JSON to write")
    parser.add_argument("--vectors", required=True, type=Path, help="safetensors to write")
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Find the references."""
    options = parse(argv)
    spec = ReferenceSpec.read(options.spec)
    photos = photos_to_judge_by(spec, options.resources)
    name = devices.acquire_device(options.device)
    # After the claim, which must come before torch: it hides the GPUs of other jobs.
    from kindred.judges import open_judge
    from kindred.scoring import references

    judge = open_judge(spec.judge, devices.prepare(name, options.threads))
    found = references.build_references(judge, photos, spec)
    references.save(found, options.facts, options.vectors)
    for letter, entry in found.facts["characters"].items():
        print(f"{letter}: {counted(len(entry['photos']), 'reference photo')}", file=sys.stderr)
        if entry["warning"]:
            print(f"warning: {entry['warning']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
