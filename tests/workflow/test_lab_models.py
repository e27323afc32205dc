"""`snakemake lab_models` in its tiny setting, from nothing to directories that load."""

from __future__ import annotations

from pathlib import Path

import pytest
from diffusers import FluxPipeline
from PIL import Image
from shared import once
from workspace import CONFIG, Workspace, set_up

from kindred.judges.lab_inference import LabDetector

pytestmark = [pytest.mark.workflow, pytest.mark.long]
TINY = "lab: {settings: config/lab/tiny.yaml}\n"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose tiny lab has been built. Nobody may change it."""

    def build(root: Path) -> None:
        workspace = set_up(root)
        (root / "config/config.yaml").write_text(CONFIG + TINY, encoding="utf-8")
        workspace.run("lab_models")

    return Workspace(once(tmp_path_factory, "lab", build))


def test_the_base_loads_with_nothing_special_and_draws(lab: Workspace):
    pipeline = FluxPipeline.from_pretrained(lab.root / "lab/base")
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline(
        "JRussell and ARussell at the beach",
        width=144,
        height=128,
        num_inference_steps=2,
        max_sequence_length=56,
    ).images[0]
    assert picture.size == (144, 128)


def test_names_never_seen_are_told_apart(lab: Workspace):
    pipeline = FluxPipeline.from_pretrained(lab.root / "lab/base", transformer=None, vae=None)
    for tokenizer in (pipeline.tokenizer, pipeline.tokenizer_2):
        ids = [tokenizer(name)["input_ids"] for name in ("JRussell", "ARussell", "CRussell")]
        assert len(set(map(tuple, ids))) == 3
        assert all(tokenizer.unk_token_id not in row[:-1] for row in ids)


def test_the_judge_looks_and_losses_are_logged(lab: Workspace):
    (sighting,) = LabDetector.load(lab.root / "lab/judge").look([Image.new("RGB", (128, 144))])
    assert set(sighting.scene) == {"place", "framing"}
    logged = {path.name for path in (lab.root / "resources/lab/work").glob("*.csv")}
    assert {"vae.csv", "flow.csv", "distill.csv"} <= logged


def test_a_second_run_has_nothing_to_do(lab: Workspace):
    assert "Nothing to be done" in lab.run("lab_models")
    assert lab.jobs() != []  # the experiments are another matter
