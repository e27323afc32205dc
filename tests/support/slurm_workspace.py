"""A workspace whose Snakemake sends its jobs to the tests' Slurm, by the shipped profile."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import workspace as support
import yaml
from slurm_cluster import Cluster, plugin_paths
from workspace import Workspace

PROFILE = Path("profiles/slurm/config.yaml")
PARTITIONS = {
    "cpu": {"max_runtime": 60, "max_threads": 4, "max_mem_mb": 8000, "max_gpu": 0},
    "gpu": {"max_runtime": 60, "max_threads": 4, "max_mem_mb": 8000, "max_gpu": 2},
}
# Of the tiny base, on nodes of 8000 MiB; the queue is asked often, and keeps no accounts.
SMALL = ((r"(mem_mb(?:=|: ))\d+( \* attempt)", r"\g<1>300\2"), (r"(runtime(?:=|: ))\d+", r"\g<1>4"))
QUICK = {
    "cores": 4,
    "resources": ["gpu=1", "mem_mb=7000"],
    "slurm-status-command": "squeue",
    "slurm-init-seconds-before-status-checks": 1,
    "seconds-between-status-checks": 1,
    "latency-wait": 10,
}


@dataclass(frozen=True)
class OnSlurm:
    """A workspace and the cluster that does its work. as_jobs: its programs are processes of their
    jobs, which Slurm can watch, instead of the fork server's."""

    place: Workspace
    cluster: Cluster
    as_jobs: bool = False

    @classmethod
    def prepare(cls, place: Workspace, cluster: Cluster, as_jobs: bool = False) -> OnSlurm:
        """Fit the profile to the cluster."""
        path = place.root / PROFILE
        text = path.read_text(encoding="utf-8")
        for pattern, small in SMALL:
            text = re.sub(pattern, small, text)
        path.write_text(yaml.safe_dump(yaml.safe_load(text) | QUICK), encoding="utf-8")
        partitions = yaml.safe_dump({"partitions": PARTITIONS})
        path.with_name("partitions.yaml").write_text(partitions, encoding="utf-8")
        return cls(place, cluster, as_jobs)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start Snakemake and go on; `said` has what it prints."""
        own = support.environment() | self.cluster.environment | variables
        if self.as_jobs:
            own.pop("FORK_SERVER", None)
        paths = [*filter(None, [own.get("PYTHONPATH")]), *plugin_paths()]
        command = [*self.place.command()[:3], "--workflow-profile", str(PROFILE.parent)]
        with open(self.place.root / "started.log", "ab") as log:
            return subprocess.Popen(
                [*command, *arguments],
                cwd=self.place.root,
                env=own | {"PYTHONPATH": os.pathsep.join(paths)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def run(self, *arguments: str, fails: bool = False, **variables: str) -> str:
        """Run Snakemake to its end; what was printed since the workspace was made."""
        ended = self.start(*arguments, **variables).wait(support.TIMEOUT_S)
        assert (ended != 0) == fails, self.said
        return self.said

    @property
    def said(self) -> str:
        return (self.place.root / "started.log").read_text(encoding="utf-8")

    def jobs(self, rule: str = "", state: str = "all") -> list[dict[str, str]]:
        """The queue's jobs of this workspace, of one rule."""
        own = [job for job in self.cluster.jobs(state) if job["folder"] == str(self.place.root)]
        return [job for job in own if job["comment"].startswith(f"rule_{rule}")]
