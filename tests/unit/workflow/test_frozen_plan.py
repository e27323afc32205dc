"""Copies of the configuration that waiting jobs plan from, and the hash of the code."""

from __future__ import annotations

import datetime
import os
import re
import time

import pytest
import small_config

from kindred.common import planned_code
from kindred.common.errors import KindredError, message, run_main
from kindred.config.load_plan import load_plan
from kindred.workflow.frozen_plan import KEPT_S, FrozenPlan, load_frozen


@pytest.fixture
def root(tmp_path):
    small_config.write(tmp_path, "org/small")
    (tmp_path / "config/experiments/one.ratings.csv").write_text("rater,key,rating\n")
    return tmp_path


def test_the_plan_is_that_of_the_copy(root):
    overrides = {"device": {"kind": "cpu"}}
    folder = FrozenPlan.take(root / "config", overrides).write(root / "plans")
    before = load_plan(root, overrides)
    (root / "config/recipes/plain.yaml").write_text("rank: 8\n")
    (root / "config/config.yaml").write_text("experiments: [two]\n")
    assert load_frozen(root, folder) == before
    assert sorted(path.name for path in (folder / "config").rglob("*.*")) == [
        "config.yaml",
        "one.yaml",
        "plain.yaml",
        "small.yaml",
    ]


def test_equal_configuration_is_one_copy_and_old_ones_go(root):
    plans = root / "plans"
    first = FrozenPlan.take(root / "config", {}).write(plans)
    assert FrozenPlan.take(root / "config", {}).write(plans) == first
    second = FrozenPlan.take(root / "config", {"experiments": ["one"]}).write(plans)
    assert second != first and first.exists()
    for folder in (first, second):
        os.utime(folder, (time.time() - KEPT_S - 9,) * 2)
    assert FrozenPlan.take(root / "config", {}).write(plans) == first
    assert list(plans.iterdir()) == [first]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("inf"), "inf"),
        ({"memory_gib": float("nan")}, "{'memory_gib': nan}"),
        (datetime.date(2026, 11, 28), "datetime.date(2026, 11, 28)"),
        ({1: "a"}, "{1: 'a'}"),
    ],
)
def test_what_can_t_be_written_down_is_said_and_nothing_planned(root, value, said):
    found = rf"^--config: device: {re.escape(said)} can't be saved .*. Use texts, finite numbers"
    with pytest.raises(KindredError, match=found):
        FrozenPlan.take(root / "config", {"experiments": ["one"], "device": value})
    kept = {"experiments": ["one"], "device": {"memory_gib": 12.5, "threads": None, "on": True}}
    assert FrozenPlan.take(root / "config", kept).overrides == kept


def test_a_copy_that_is_gone_is_said(root):
    with pytest.raises(
        KindredError, match=r"lost: .* no longer exists, so the job did nothing. Run `snakemake`"
    ):
        load_frozen(root, root / "lost")


def code(root):
    (root / "rules").mkdir()
    (root / "scripts/kindred/__pycache__").mkdir(parents=True)
    for file in ("Snakefile", "rules/a.smk", "scripts/b.py", "scripts/kindred/c.py"):
        (root / file).write_text(file)
    return root


@pytest.mark.parametrize("file", ["Snakefile", "rules/a.smk", "scripts/b.py", "scripts/new.py"])
def test_an_edit_of_the_code_is_seen(tmp_path, monkeypatch, file):
    root = code(tmp_path)
    monkeypatch.delenv(planned_code.VARIABLE, raising=False)
    assert not planned_code.was_changed(root)
    monkeypatch.setenv(planned_code.VARIABLE, planned_code.code_hash(root))
    (root / "scripts/kindred/__pycache__/c.pyc").write_text("bytecode")
    (root / "README.md").write_text("words")
    assert not planned_code.was_changed(root)
    (root / file).write_text("edited")
    assert planned_code.was_changed(root)


def test_what_editors_leave_beside_the_code_is_no_code(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "scripts/.ipynb_checkpoints").mkdir(parents=True)
    for name in ("Snakefile", "rules/one.smk", "scripts/one.py"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    before = planned_code.code_hash(tmp_path)
    (tmp_path / "scripts/.#one.py").symlink_to("nobody@nowhere.1:1")
    (tmp_path / "scripts/._one.py").write_bytes(b"\0")
    (tmp_path / "scripts/.ipynb_checkpoints/one-checkpoint.py").write_bytes(b"")
    assert planned_code.code_hash(tmp_path) == before


def test_a_folder_of_configuration_behind_a_link_is_copied(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/one.yaml").write_text("a: 1", encoding="utf-8")
    (tmp_path / "config/experiments").symlink_to(tmp_path / "elsewhere")
    found = FrozenPlan.take(tmp_path / "config", {})
    assert dict(found.files) == {"experiments/one.yaml": b"a: 1"}


def test_a_program_of_other_code_makes_nothing(monkeypatch, capsys):
    monkeypatch.setenv(planned_code.VARIABLE, "0" * 64)
    with pytest.raises(SystemExit) as ended:
        run_main(lambda: pytest.fail("it ran"))
    assert ended.value.code == 1
    assert (
        capsys.readouterr().err
        == f"error: {message('', planned_code.CHANGED, planned_code.CURE)}\n"
    )
