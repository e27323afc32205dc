"""Do many jobs of score.py in one process.

in:  a list of jobs (ScoreJobs), each with what score.py is told
out: tables under <store>/, the same as score.py's; a summary. score.py then copies each and
     imports no torch. A job that fails does not stop the others; the program then ends with
     status 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common import progress
from kindred.common.errors import run_main
from kindred.compute import devices
from kindred.scoring import score_store
from kindred.scoring.run import score_batched
from kindred.specs.batched_jobs import ScoreJobs


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", required=True, help="ScoreJobs as JSON, or a file of it")
    parser.add_argument("--store", type=Path, default=score_store.STORE, help="finished tables")
    parser.add_argument("--out", required=True, type=Path, help="summary to write")
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Score what is missing of all jobs."""
    options = parse(argv)
    progress.speak_for(options.out.parent)
    wanted = ScoreJobs.read(options.jobs)
    score_batched(wanted, options.store, options.out, options.device, options.threads)
    return 0


if __name__ == "__main__":
    run_main(main)
