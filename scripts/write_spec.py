"""Write the full specification of a variant.

in:  a TrainSpec as canonical JSON
out: spec.json: sorted keys, what nobody set left out
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_json
from kindred.specs.samples import SampleSpec
from kindred.specs.training import TrainSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="TrainSpec as JSON, or a file of it")
    parser.add_argument("--samples", action="store_true", help="the spec is a SampleSpec")
    parser.add_argument("--out", required=True, type=Path, help="file to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Check and write the specification."""
    options = parse(argv)
    kind = SampleSpec if options.samples else TrainSpec
    write_json(options.out, json.loads(kind.read(options.spec).canonical()))
    return 0


if __name__ == "__main__":
    run_main(main)
