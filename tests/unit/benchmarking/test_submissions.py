"""The default experiment on Slurm is a handful of submissions, counted by the benchmark."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.long
def test_the_default_experiment_sends_at_most_25_jobs(monkeypatch, capsys):
    monkeypatch.syspath_prepend(ROOT / ".venv/slurm")
    if find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("needs Slurm's plugin: make .venv/slurm/.ready")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.delitem(sys.modules, "submissions", raising=False)
    import submissions

    assert submissions.main(["family"]) == 0
    sent, _, jobs = capsys.readouterr().out.removeprefix("family: ").split()[:3]
    # All trainings and at least one group among them, so that nothing was taken for local.
    assert 5 < int(sent) <= 25 < int(jobs)
