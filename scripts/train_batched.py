"""Train many LoRAs of small bases at once.

in:  a JSON list of jobs, each with what train.py is given: `spec_file` or `spec`, `run`, `out_dir`,
     images, captions, latents, text, and where its recipe needs them prior_images, prior_captions,
     prior_latents, prior_text, masks, class_text. In place of the first three: `folders`, a
     variant's folder with its spec.json -> its runs, which go to run-<k> in it.
out: finished adapters in the store, under the keys that train.py looks for; a JSON of what was
     trained or there, or is left to train.py and why, or failed; begun.json in every out_dir.
Adapters agree with train.py's to rounding, not to the bit. A stack's are stored when all its steps
are done: what is stopped in the middle is trained anew.
"""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import fields
from pathlib import Path

from kindred.common import progress
from kindred.common.errors import run_main
from kindred.common.files import write_json
from kindred.common.left_out import SCIPY, leave_out
from kindred.compute import devices
from kindred.training import adapter_store
from kindred.training.batched.run import BatchSettings, train_batched


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", required=True, help="a JSON file, or the JSON itself")
    parser.add_argument("--out", required=True, type=Path, help="JSON summary to write")
    parser.add_argument("--store", type=Path, default=adapter_store.STORE, help="finished adapters")
    parser.add_argument("--checkpoints", type=Path, default=adapter_store.CHECKPOINTS)
    parser.add_argument(
        "--at-once", type=int, default=128, help="most trained at once (default 128)"
    )
    parser.add_argument("--compile", action="store_true", help="compile blocks first (a minute)")
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Train all jobs that the store lacks and that can be trained together."""
    options = parse(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress.speak_for(options.out.parent)
    settings = BatchSettings(**{f.name: getattr(options, f.name) for f in fields(BatchSettings)})
    report = train_batched(options.jobs, settings)
    write_json(options.out, vars(report))
    print(report, file=sys.stderr)
    report.raise_if_failed()
    return 0


if __name__ == "__main__":
    leave_out("bitsandbytes", *SCIPY)  # a quantized base is left to train.py
    run_main(main)
