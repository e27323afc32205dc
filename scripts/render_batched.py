"""Do many jobs of render.py in one process.

in:  a list of jobs (RenderJobs), each with what render.py is told
out: pictures under <store>/, the same bytes as render.py draws; a summary. Manifests are left to
     render.py, which finds everything and imports no torch. A job that fails does not stop the
     others; the program then ends with status 1.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from kindred.common import progress
from kindred.common.errors import run_main
from kindred.common.left_out import SCIPY, leave_out
from kindred.compute import devices
from kindred.rendering.image_store import ImageStore
from kindred.rendering.run import Machine, render_batched
from kindred.specs.batched_jobs import RenderJobs


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", required=True, help="RenderJobs as JSON, or a file of it")
    parser.add_argument("--store", required=True, type=Path, help="folder of all pictures")
    parser.add_argument("--out", required=True, type=Path, help="summary to write")
    parser.add_argument(
        "--at-once",
        type=int,
        default=int(os.environ.get(devices.PICTURES_AT_ONCE, "0")),
        help="largest batch; 0: as in render.py. Larger batches keep a GPU busy, but change a few "
        "pixel values by one",
    )
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Draw what is missing of all jobs."""
    options = parse(argv)
    progress.speak_for(options.out.parent)
    wanted, store = RenderJobs.read(options.jobs), ImageStore(options.store)
    machine = Machine(options.device, options.threads)
    render_batched(wanted, store, options.out, machine, options.at_once)
    return 0


if __name__ == "__main__":
    leave_out(*SCIPY)
    run_main(main)
