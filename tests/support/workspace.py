"""A copy of the repository with a tiny base and four photos, in which real Snakemake runs.

Knows how to set it up, run it and read what Snakemake would do; asserts nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from waiting import LONG_S, until

from kindred.benchmarking.empty_jobs import copy_workflow

REPOSITORY = Path(__file__).parents[2]
TIMEOUT_S = 600
WHOLE = (".png", ".safetensors")

EXPERIMENT = """
title: tiny
characters:
  J: {name: JRussell, class: man}
  A: {name: ARussell, class: woman}
datasets:
  ours:
    source: photos
    preprocess: {buckets: [[64, 64]], min_side: 16}
base: tiny
recipe: tiny
variants:
  both: {}
  only-J: {characters: [J]}
prompt_sets:
  solo:
    prompts:
      J: headshot of {J}
    seeds: [1, 2]
    size: [64, 64]
    steps: 2
"""
CONFIG = "experiments: [tiny]\ndevice: {kind: cpu, threads: 1}\n"
BASE = "model: base\ndtype: float32\ntext_tokens: 56\n"
RECIPE = "rank: 2\nsteps: 3\nbatch: 2\nlr: 1e-3\ncheckpoint_every: 10\n"
EXPERIMENT_FILE = "config/experiments/tiny.yaml"
RECIPE_FILE = "config/recipes/tiny.yaml"


FORKING: dict[str, str] = {}  # what a fork server's clients need; empty without one


def environment() -> dict[str, str]:
    """Of Snakemake and its jobs: bytecode is kept, for it travels with copies; programs come from
    the fork server where there is one."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | FORKING


@dataclass(frozen=True)
class Workspace:
    """A folder with the workflow in it."""

    root: Path

    def command(self, *arguments: str) -> list[str]:
        """The command line of a Snakemake run."""
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Run Snakemake to its end; what it printed. Raises AssertionError on another outcome."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start Snakemake and go on; it and its programs are processes that can be killed."""
        with open(self.root / "started.log", "wb") as log:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.root,
                env=environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def jobs(self, *arguments: str) -> list[str]:
        """What a run would do: the jobs' messages, sorted."""
        found = re.findall(r"^Job \d+: (.*)$", self.run("-n", *arguments), re.MULTILINE)
        return sorted(message for message in found if not message.startswith("finished:"))

    def replace(self, file: str, old: str, new: str) -> None:
        """Edit a text file; `old` must be in it."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def log(self, name: str) -> str:
        """A job's log, e.g. 'tiny/train/both.run-1'."""
        return (self.root / "logs" / f"{name}.log").read_text(encoding="utf-8")

    def process(self, program: str) -> psutil.Process | None:
        """The Python process of this workspace that runs scripts/<program>.py, if there is one."""
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                here = process.cwd() == str(self.root.resolve())
            except psutil.Error:
                continue
            if here and f"scripts/{program}.py" in words and "python" in words[0]:
                return process
        return None

    def kill(self, program: str, ready: Callable[[], bool]) -> None:
        """kill -9 a program as soon as `ready` says so. Raises AssertionError if it never does."""
        process = until(
            lambda: self.process(program) if ready() else None,
            lambda: f"{program} never got as far\n{(self.root / 'started.log').read_text()}",
        )
        process.kill()
        process.wait(LONG_S)


def copy_repository(root: Path) -> Workspace:
    """The workflow alone, with its own configuration."""
    root.mkdir(parents=True)
    copy_workflow(REPOSITORY, root)
    return Workspace(root)


def set_up(root: Path) -> Workspace:
    """A new workspace with a tiny base and four photos, nothing built in it."""
    import tiny_base

    from kindred.world.albums import write_dataset

    workspace = copy_repository(root)
    tiny_base.build(root / "base")
    write_dataset(root / "photos", "russell", {"J": 2, "A": 1, "AJ": 1}, seed=1, scale=1)
    for file, text in (
        ("config/config.yaml", CONFIG),
        ("config/bases/tiny.yaml", BASE),
        (RECIPE_FILE, RECIPE),
        (EXPERIMENT_FILE, EXPERIMENT),
    ):
        (root / file).write_text(text, encoding="utf-8")
    return workspace


def copy(workspace: Workspace, root: Path) -> Workspace:
    """The same workspace elsewhere, all dates kept. Results in the store are the same files: these
    are only ever replaced or removed as wholes."""
    store = workspace.root / "resources/store"

    def put(source: str, target: str) -> None:
        if Path(source).suffix in WHOLE and Path(source).is_relative_to(store):
            os.link(source, target)
        else:
            shutil.copy2(source, target)

    shutil.copytree(workspace.root, root, symlinks=True, copy_function=put)
    return Workspace(root)
