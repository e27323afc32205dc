"""The smallest configuration that plans: one experiment, one dataset, one prompt."""

from __future__ import annotations

from pathlib import Path

EXPERIMENT = """
title: test
characters:
  J: {name: JRussell, class: man}
datasets:
  ours: {source: photos}
base: small
recipe: plain
prompt_sets:
  solo: {prompts: {j: "headshot of {J}"}, seeds: 2, size: [64, 64]}
variants:
"""


def write(root: Path, model: str, variants: str = "  all: {}\n") -> Path:
    """Below `root`, with `model` as its base; returns `root`."""
    for folder in ("bases", "recipes", "experiments"):
        (root / "config" / folder).mkdir(parents=True)
    (root / "photos").mkdir()
    (root / "config/config.yaml").write_text("experiments: [one]\n")
    (root / "config/bases/small.yaml").write_text(f"model: {model}\n")
    (root / "config/recipes/plain.yaml").write_text("rank: 16\n")
    write_experiment(root, variants)
    return root


def write_experiment(root: Path, variants: str) -> None:
    """The experiment with these variants."""
    (root / "config/experiments/one.yaml").write_text(EXPERIMENT + variants)
