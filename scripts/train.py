"""Train one LoRA: one variant, one run.

in:  spec.json (TrainSpec), encoded photos and captions, images.json and captions.jsonl
out: <out-dir>/lora.safetensors, which diffusers loads as it is, with provenance in its header;
     lora.json, a summary; training.csv: step, loss, lr, seconds, memory_mib; begun.json, a mark
     from the start on that hypotheses declared later are late.
Checkpoints and finished adapters are kept under a key of all that the result depends on: an
interrupted training goes on where it was, a finished one is copied.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from kindred.common import progress
from kindred.common.errors import run_main
from kindred.common.left_out import SCIPY, leave_out
from kindred.compute import devices
from kindred.specs.training import TrainSpec
from kindred.training import adapter_store
from kindred.training.run import Machine, train_lora
from kindred.training.training_data import TrainingFiles


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec-file", required=True, type=Path, help="TrainSpec as JSON")
    parser.add_argument("--run", required=True, type=int, help="number of the run; its seed")
    parser.add_argument("--out-dir", required=True, type=Path, help="folder for the adapter")
    TrainingFiles.add_arguments(parser)
    parser.add_argument("--store", type=Path, default=adapter_store.STORE, help="finished adapters")
    parser.add_argument("--checkpoints", type=Path, default=adapter_store.CHECKPOINTS)
    devices.add_arguments(parser)
    devices.add_device_map(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Train one run of a variant, or copy it from the store."""
    options = parse(argv)
    progress.speak_for(options.out_dir)
    spec = TrainSpec.read(str(options.spec_file))
    given = vars(options)
    files, machine = (
        kind(**{f.name: given[f.name] for f in fields(kind)}) for kind in (TrainingFiles, Machine)
    )
    arguments = sys.argv[1:] if argv is None else argv
    said = train_lora(spec, options.run, files, options.out_dir, machine, arguments)
    if said:
        print(said, file=sys.stderr)
    return 0


if __name__ == "__main__":
    leave_out(*SCIPY)
    run_main(main)
