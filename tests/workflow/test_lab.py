"""From nothing to pictures on the models that ship, with few steps."""

from __future__ import annotations

import pytest
from PIL import Image
from workspace import REPOSITORY, copy_repository

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.lab,
    pytest.mark.skipif(
        not (REPOSITORY / "lab/base/model_index.json").exists(), reason="lab/base is not built"
    ),
]

EXPERIMENT = """
title: few steps
characters:
  J: {name: JRussell, class: man, age: adult}
  A: {name: ARussell, class: woman, age: adult}
  C: {name: CRussell, class: child, age: child}
datasets:
  album:
    lab: {family: russell, coverage: {J: 2, A: 1, C+J: 1}, seed: 3}
    preprocess: {buckets: [[128, 144], [144, 128], [192, 96]], min_side: 128}
base: lab
recipe: lab-character
variants:
  all: {steps: 3, rank: 2}
prompt_sets:
  trio:
    prompts: {card: "a Christmas card with {J}, {A} and {C}"}
    seeds: 1
    size: [192, 96]
    steps: 2
"""


def test_the_whole_chain_on_the_lab(tmp_path):
    workspace = copy_repository(tmp_path / "kindred")
    root = workspace.root
    (root / "lab").symlink_to(REPOSITORY / "lab")
    (root / "config/experiments/few.yaml").write_text(EXPERIMENT, encoding="utf-8")
    arguments = ("--config", "experiments=few", "device={kind: cpu, threads: 1}")
    workspace.run(*arguments)
    assert workspace.jobs(*arguments) == []
    for name in ("all", "BASE"):
        with Image.open(root / f"results/few/{name}/sheets/trio.png") as sheet:
            assert sheet.width > 192
    assert "4 photos" in workspace.log("draw/album")
