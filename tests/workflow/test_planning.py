"""What it costs to see that nothing is to be done: CPU time beside a bare Snakefile, modules."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shared import once
from workspace import REPOSITORY

from kindred.benchmarking.empty_jobs import copy_workflow, make_all
from kindred.common.page_blocks import with_block
from kindred.workflow.flow_figure import flow_figure

pytestmark = pytest.mark.workflow

HEAVY = (
    "scipy",
    "torch",
    "diffusers",
    "transformers",
    "PIL.ImageDraw",
    "kindred.lab.",
)
# Of the lab: pydantic alone, and the names of files.
LAB_FACTS = ("kindred.lab.settings", "kindred.lab.miniatures")
# Of a bare Snakefile's time, so that it holds on any machine. Other work makes it waver: 0.14 to
# 0.19 beside some; 0.3 to 0.4 before rule files were kept parsed, 2.1 when planning hashed the code
# and imported scipy.
MOST = 0.5


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default experiment, all of it made of empty files."""

    def build(root: Path) -> None:
        root.mkdir()
        copy_workflow(REPOSITORY, root)
        shutil.copytree(REPOSITORY / "lab", root / "lab")
        make_all(root)

    return once(tmp_path_factory, "planning", build)


def run(root: Path, *arguments: str, python: tuple[str, ...] = ()) -> str:
    """What Snakemake prints there."""
    done = subprocess.run(
        [sys.executable, *python, "-m", "snakemake", *arguments],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def cpu_s(root: Path) -> float:
    """CPU seconds of `snakemake -n` there."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "Nothing to be done" in run(root, "-n")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imported(output: str) -> Iterator[str]:
    """The modules that `-X importtime` names."""
    return (match[1] for match in re.finditer(r"import time: .*\| +([\w.]+)$", output, re.M))


def test_the_figure_of_the_workflow_is_as_the_rules_are(finished: Path):
    command = ("--rulegraph", "mermaid-js", "--config", "experiments=plain")
    figure = flow_figure(run(finished, *command))
    page = (REPOSITORY / "docs/reference/workflow.md").read_text(encoding="utf-8")
    again = f"snakemake {' '.join(command)} | python scripts/workflow_figure.py"
    assert page == with_block(page, "figure", figure, "page"), f"run: {again}"
    assert again in page, "the page says how it is drawn"


def test_planning_imports_nothing_heavy(finished: Path):
    modules = set(imported(run(finished, "-n", python=("-X", "importtime"))))
    assert "kindred.config.load_plan" in modules
    heavy = {name for name in modules if name.startswith(HEAVY)}
    assert not {name for name in heavy if not name.startswith(LAB_FACTS)}


@pytest.mark.long
def test_planning_takes_little_more_than_a_bare_snakefile(finished: Path, tmp_path: Path):
    (tmp_path / "Snakefile").write_text('rule all:\n    input: "made"\n', encoding="utf-8")
    (tmp_path / "made").touch()
    cpu_s(finished)  # bytecode and hashes are kept from here on
    # What other work does to a measurement only adds to it.
    bare, ours = (min(cpu_s(root) for _ in range(2)) for root in (tmp_path, finished))
    print(f"a bare Snakefile {bare:.2f} s, the default experiment {ours:.2f} s")
    assert ours - bare < MOST * bare, f"{ours:.2f} s; a bare Snakefile takes {bare:.2f} s"
