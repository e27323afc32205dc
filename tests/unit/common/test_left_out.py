"""What is left out counts as not installed, and stacked trainings miss nothing of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from kindred.common.left_out import leave_out

IMPORTED = """
import runpy, sys
sys.argv = ["train_batched.py", "--help"]
try:
    runpy.run_path("train_batched.py", run_name="__main__")
except SystemExit:
    pass
from diffusers import FluxTransformer2DModel
import kindred.models.lora.injection, kindred.training.batched.trainer
kept = {name.split(".")[0] for name, module in sys.modules.items() if module is not None}
print(sorted(kept & {"bitsandbytes", "peft", "scipy"}))
"""


def test_packages_are_left_out_where_it_is_not_too_late(monkeypatch):
    for loaded, found in (
        ({}, {"one": None, "two": None}),
        ({"one": 1}, {"one": 1, "two": None}),
        ({"torch": 1}, {"torch": 1}),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "modules", loaded)
            leave_out("one", "two")
        assert loaded == found


@pytest.mark.long
def test_stacked_trainings_import_neither_scipy_nor_bitsandbytes():
    scripts = Path(__file__).parents[3] / "scripts"
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        capture_output=True,
        text=True,
        cwd=scripts,
        env={"PYTHONPATH": str(scripts)},
    )
    assert done.stdout.strip().endswith("['peft']"), done.stderr
