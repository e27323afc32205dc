"""What a node of a cluster is told that it lacks."""

import os
import sys
from pathlib import Path

import pytest

from kindred.common import file_lock, files
from kindred.common.errors import ProblemsError
from kindred.workflow import cluster_check


@pytest.fixture
def prepared(tmp_path):
    """As the waiting Snakemake leaves it."""
    held = cluster_check.prepare(tmp_path)
    yield tmp_path
    os.close(held)


def test_a_node_that_has_everything(prepared, tmp_path):
    line = cluster_check.check([str(tmp_path)], wants_gpu=False, folder=prepared)
    assert "locks, clock" in line and line.endswith("0 GPUs")
    assert sorted(path.name for path in prepared.iterdir()) == ["expected.json", "lock"]


def test_all_that_is_missing_is_told_at_once(tmp_path, monkeypatch):
    os.close(cluster_check.prepare(tmp_path))  # so nobody holds the lock
    facts = files.read_json(tmp_path / "expected.json")
    files.write_json(tmp_path / "expected.json", facts | {"torch": "1.0"})
    monkeypatch.setattr(cluster_check, "_skew", lambda path: -60.0)
    monkeypatch.setattr(cluster_check, "_gpus", lambda: 0)
    with pytest.raises(ProblemsError) as error:
        cluster_check.check(["owner/nowhere"], wants_gpu=True, folder=tmp_path)
    said = [problem.where for problem in error.value.problems]
    assert said[:3] == ["torch", "clock", "locks"] and said[4:] == ["GPU"]
    assert said[3].endswith("models--owner--nowhere")
    assert "1.0 where Snakemake runs" in str(error.value) and "-60 s" in str(error.value)


def test_a_disk_without_locks_is_no_lock_that_is_seen(prepared, monkeypatch):
    monkeypatch.setattr(file_lock, "_locked", lambda *_: True)  # as it goes on without
    with pytest.raises(ProblemsError, match="does not see a lock"):
        cluster_check.check([], wants_gpu=False, folder=prepared)


def test_where_weights_lie(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/cache")
    assert cluster_check.weights_of(str(tmp_path)) == tmp_path
    assert cluster_check.weights_of("owner/name") == Path("/cache/models--owner--name")


def test_gpus_are_counted_in_another_process(monkeypatch):
    for said, counted in (("2", 2), ("", 0)):
        monkeypatch.setattr(cluster_check, "SEES_GPU", f"print({said})")
        assert cluster_check._gpus() == counted
    assert sys.executable in cluster_check.facts()["python"]
