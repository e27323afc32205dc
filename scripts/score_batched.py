"""Many jobs of score.py in one process: their tables are put into the store.

in:  a list of jobs (Scorings), each with what score.py is told
out: tables under <store>/, the same as score.py's; a summary. score.py then copies each and
     imports no torch. A job that fails does not stop the others; the program then ends with
     status 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common import progress
from kindred.common.errors import KindredError, run_main
from kindred.common.job_summary import JobSummary
from kindred.compute import devices
from kindred.scoring import score_store
from kindred.scoring.score_store import ScoreRequest
from kindred.specs.batched_jobs import ScoreJobs


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", required=True, help="Scorings as JSON, or a file of it")
    parser.add_argument("--store", type=Path, default=score_store.STORE, help="finished tables")
    parser.add_argument("--out", required=True, type=Path, help="summary to write")
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def missing(
    wanted: ScoreJobs, store: Path, summary: JobSummary
) -> list[tuple[str, str, ScoreRequest]]:
    """(file to be written, key, table) of all that the store lacks; jobs with files that can't be
    read are noted as failed."""
    found = []
    for job in wanted.jobs:
        try:
            asked = ScoreRequest.read(
                wanted.specs[job.spec],
                job.manifest,
                job.base[0] if job.base else None,
                job.references,
                job.vectors,
                job.variant,
                job.run,
            )
            key = asked.key()
        except (KindredError, OSError) as error:
            summary.fail(job.out, error)
            continue
        if score_store.has(store, key, asked):
            summary.found += 1
        else:
            found.append((job.out, key, asked))
    return found


def main(argv: list[str] | None = None) -> int:
    """Score what is missing of all jobs."""
    options = parse(argv)
    progress.speak_for(options.out.parent)
    wanted = ScoreJobs.read(options.jobs)
    summary = JobSummary(len(wanted.jobs))
    todo = missing(wanted, options.store, summary)
    if todo:
        name = devices.acquire_device(
            options.device
        )  # before torch: it hides the GPUs of other jobs
        from kindred.judges import open_judge

        device = devices.prepare(name, options.threads)
        scorer = score_store.Scorer(lambda spec: open_judge(spec, device))
        for out, key, asked in todo:
            try:
                pictures, people = scorer.score(asked, options.store, key)
            except Exception as error:
                summary.fail(out, error)
                continue
            summary.made += 1
            print(f"{out}: {pictures} pictures, {people} people in them", file=sys.stderr)
    summary.end(options.out, "scored")
    return 0


if __name__ == "__main__":
    run_main(main)
