"""Advice on the shapes of composites: as photos have them, they tell how many people to draw.

Knows cast accuracy and what composites are made by; how advice is shown is the report's part.
"""

from __future__ import annotations

from collections.abc import Iterator

from kindred.report.figure_counts import out_of
from kindred.report.next_experiments import Change, composites_besides, composites_of
from kindred.report.report_data import ReportData
from kindred.specs.report import ReportSpec

ENOUGH = 0.90  # right casts of the family, from which shapes can't cost much


def by_shape(
    data: ReportData, spec: ReportSpec, variant: str
) -> Iterator[tuple[str, str, str, Change]]:
    """What was seen, what to do, its likely cause and the change, for each cast set, where
    composites have the shapes that photos of as many people have."""
    made = composites_of(data, spec, variant)
    if made is None or made.canvas == "any":
        return
    for prompt_set, one in (data.variants[variant].get("casts") or {}).items():
        family = one["accuracy"].get("family")
        if family is None or family["mean"] >= ENOUGH:
            continue
        compose = {**composites_besides(data, spec, variant, {}), "canvas": "any"}
        yield (
            f"“{variant}” is right in {out_of(family)} of the family alone, and its composites "
            "have the shapes of photos with as many people.",
            "Test a variant with composites on every shape: “canvas: any” in its `compose`. A wide "
            "picture may mean everybody to a LoRA, whoever is named. On ten drawn families and a "
            "base that was told of looks alone, that raised right pictures from 37 to 71 % (copies "
            "left out, two trainings each). On the lab’s own base it made no difference.",
            "",
            Change(
                "shapes",
                "Are names learned better if a picture's shape does not tell who is in it?",
                variant,
                {"every-shape": {"compose": compose}},
                "cast",
                prompt_set,
            ),
        )
