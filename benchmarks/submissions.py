"""How many jobs Snakemake would send to Slurm for an experiment of which nothing is made yet.

    python benchmarks/submissions.py             # the default experiment
    python benchmarks/submissions.py alike

Counted in the graph that Snakemake plans by profiles/slurm, in a copy without results. Nothing is
sent. Needs Slurm's plugin (`make .venv/slurm/.ready`), but no Slurm.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from kindred.benchmarking.empty_jobs import copy_workflow  # noqa: E402

# A dry run holds every job for local; what Slurm would be sent follows from the rules alone.
COUNT = """
import collections, sys
from snakemake.cli import main
from snakemake.dag import DAG
from snakemake.workflow import Workflow

def count(dag):
    groups, single = collections.Counter(), collections.Counter()
    for job in dag.needrun_jobs():
        group = dag.get_job_group(job)
        if group is not None:
            groups[id(group)] += 1
        elif not job.is_local:
            single[job.rule.name] += 1
    jobs = sum(1 for _ in dag.needrun_jobs())
    print(f"SENT {sum(single.values()) + len(groups)} of {jobs} jobs:", *(
        f"{number} {name}," for name, number in single.most_common()), f"{len(groups)} groups")
    sys.stdout.flush()
    sys.exit(0)

Workflow.is_local = lambda self, rule: rule.group is None and (
    rule.name in self._localrules or rule.norun)
DAG.stats = count
main(sys.argv[1:])
"""
PLANNED = ("-n", "--workflow-profile", "profiles/slurm")


def submissions(root: Path, experiment: str) -> str:
    """What would be sent, in words: '22 of 83 jobs: 3 train, ... 10 groups'. `root` is a copy of
    the workflow without results. Raises CalledProcessError where Snakemake can't plan."""
    told = [f"experiments=[{experiment}]", "device={kind: cuda}"]
    plugin = os.pathsep.join([str(ROOT / ".venv/slurm"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", COUNT, *PLANNED, "--config", *told],
        cwd=root,
        env=os.environ | {"PYTHONPATH": plugin},
        text=True,
        capture_output=True,
    )
    found = re.search(r"^SENT (.*)$", done.stdout, re.M)
    if not found:
        raise subprocess.CalledProcessError(done.returncode, "snakemake", done.stdout, done.stderr)
    return found[1]


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiments", nargs="*", default=["family"], help="default: family")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_workflow(ROOT, root)
        (root / "lab").symlink_to(ROOT / "lab")
        for experiment in args.experiments:
            print(f"{experiment}: {submissions(root, experiment)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
