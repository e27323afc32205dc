"""How alike a face must be to get a name: also by strangers that the base itself draws.

in:  the judge's references, lists of pictures that the base drew without an adapter
out: calibrated.json, references.json with thresholds by both populations of strangers, and
     calibrated.safetensors, its vectors with those of the strangers
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.compute import devices
from kindred.specs.scoring import CalibrationSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="CalibrationSpec as JSON, or a file of it")
    parser.add_argument("--references", required=True, type=Path, help="references.json")
    parser.add_argument("--vectors", required=True, type=Path, help="references.safetensors")
    parser.add_argument("--facts", required=True, type=Path, help="JSON to write")
    parser.add_argument("--out", required=True, type=Path, help="safetensors to write")
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Find the thresholds."""
    options = parse(argv)
    spec = CalibrationSpec.read(options.spec)
    name = devices.acquire_device(options.device)
    # After the claim, which must come before torch: it hides the GPUs of other jobs.
    from kindred.judges import open_judge
    from kindred.scoring import references, strangers

    judge = open_judge(spec.judge, devices.prepare(name, options.threads))
    known = references.load(options.references, options.vectors)
    drawn = strangers.faces_drawn(judge, spec.pictures)
    found = strangers.recalibrated(known, drawn, spec, judge.calibration.population)
    references.save(found, options.facts, options.out)
    print(found.facts["calibration"]["said"], file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
