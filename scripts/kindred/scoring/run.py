"""One table of scores, or many, from manifests to the store and to the files asked for.

Finished tables are copied without torch; a GPU is claimed and a judge opened only for what is
missing. Claiming comes before torch, because it hides the GPUs of other jobs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.job_summary import JobSummary
from kindred.common.sentences import counted, plural
from kindred.compute import devices
from kindred.scoring import score_store
from kindred.scoring.score_store import Scorer, ScoreRequest
from kindred.scoring.table_provenance import write_beside
from kindred.specs.batched_jobs import ScoreJobs


def open_scorer(device: str, threads: int) -> Scorer:
    """A scorer on a device that is claimed from now on."""
    name = devices.acquire_device(device)
    from kindred.judges import open_judge

    prepared = devices.prepare(name, threads)
    return Scorer(lambda spec: open_judge(spec, prepared))


def score_table(asked: ScoreRequest, store: Path, out: Path, device: str, threads: int) -> str:
    """Score one prompt set of one run, or copy its table from the store, with what says who made
    it beside it; what was done, in a line."""
    key = asked.key()
    kept = score_store.tables(store, asked).path(key)
    if score_store.fetch(store, key, asked, out):
        write_beside(out, kept, asked.manifest)
        return f"already scored ({key[:12]}); copied from the store"
    pictures, people = open_scorer(device, threads).score(asked, store, key)
    if not score_store.fetch(store, key, asked, out):
        raise KindredError(
            "the table of scores disappeared from the store",
            str(kept),
            "run the same command again",
        )
    write_beside(out, kept, asked.manifest)
    return _said(pictures, people)


def score_batched(wanted: ScoreJobs, store: Path, out: Path, device: str, threads: int) -> None:
    """Put all tables that the store lacks into it, and write a summary; one that fails does not
    stop the others. Raises KindredError at the end when any did."""
    summary = JobSummary(len(wanted.jobs))
    todo = _missing(wanted, store, summary)
    if todo:
        scorer = open_scorer(device, threads)
        for table, key, asked in todo:
            try:
                pictures, people = scorer.score(asked, store, key)
            except Exception as error:
                summary.fail(table, error)
                continue
            summary.made += 1
            print(f"{table}: {_said(pictures, people)}", file=sys.stderr)
    summary.end(out, "scored")


def _said(pictures: int, people: int) -> str:
    shown = plural(pictures, "it", "them")
    return f"{counted(pictures, 'picture')}, {counted(people, 'person')} in {shown}"


def _missing(
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
                job.training,
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
