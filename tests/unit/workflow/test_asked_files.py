"""A file of what is not configured, or what its experiment does not have, is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_config

from kindred.common.errors import KindredError
from kindred.config.load_plan import load_plan
from kindred.workflow.asked_files import check_asked

VARIANTS = """  all: {runs: 2, first_run: 3}
  kept: {steps: 300, keep: [100, 200], held_out: 1}
  chosen: {steps: 300, keep: [100], held_out: 1, take: held_out}
  both: {adapters: {all: 1}}
"""
ONE = "config/experiments/one.yaml"


@pytest.fixture
def asked(tmp_path: Path):
    small_config.write(tmp_path, "lab/base", VARIANTS)
    plan = load_plan(tmp_path)
    return lambda *words: check_asked(words, plan, tmp_path)


def test_a_file_of_an_experiment_that_is_not_configured(asked, tmp_path):
    (tmp_path / "config/experiments/ours.yaml").write_text("title: x\n")
    words = ["-n", "results/ours/live.html", "--config", "experiments=one"]
    with pytest.raises(KindredError, match=r"'ours' is not configured. Add `--config experiments="):
        asked(*words)
    with pytest.raises(KindredError, match=r"^results/oen/a.html: no file config/experiments/oen"):
        asked("results/oen/a.html")
    asked("results/who-is-who/page.html", "resources/oen/images.json", "all")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("al/run-1/images/gone.json", "has no variant 'al'. Did you mean 'all'? Otherwise write"),
        ("old/sheets/solo.png", "has no variant 'old'. Choose one of"),
        ("all/run-1/scores/solo.csv", "with run '1'. Choose one of: 3, 4. Otherwise write it"),
        ("all/run-3/images/gone.json", "no prompt set 'gone'. Choose one of: solo. Otherwise"),
        ("sheets/gone.png", "has no prompt set 'gone'"),
        ("both/spec.json", "has no trained variant 'both'. Choose one of: all, chosen, kept."),
        ("kept/run-1/steps/150/lora.safetensors", "step '150'. Choose one of: 100, 200."),
        ("kept/run-1/steps/300/lora.safetensors", "that keeps step '300'"),
        ("kept/run-1/chosen/lora.safetensors", "than the last called 'kept'"),
        ("report.html", f"has no key 'judge'. Write it into {ONE}."),
        ("samples.json", "has no key 'samples'"),
    ],
)  # fmt: skip
def test_a_file_of_what_an_experiment_does_not_have(asked, path, said):
    with pytest.raises(KindredError) as caught:
        asked("-n", f"results/one/{path}")
    told = str(caught.value)
    assert told.startswith(f"results/one/{path}: the experiment 'one'") and said in told
    asked("--cleanup-metadata", f"results/one/{path}")


def test_files_that_rules_make_pass(asked):
    made = (
        *("all/run-4/lora.safetensors", "all/run-4/images/solo.json", "all/spec.json"),
        *("kept/run-1/steps/100/lora.safetensors", "chosen/run-1/chosen/lora.safetensors"),
        *("both/run-3/images/solo.json", "sheets/solo.png", "all/sheets/solo.png", "series.json"),
        *("BASE/run-1/images/solo.json", "rating.html", "audit/ours.html", "curves.png"),
    )
    asked(*(f"results/one/{path}" for path in made))
