"""“Which step is best?”: which of a training's kept steps to take, in sentences, figure and tables.

Knows series.json and its words; how it looks is the templates' part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kindred.evidence.held_out_steps import TRAINING_LOSS
from kindred.report import formatting
from kindred.report.step_plot import StepLine, steps_svg
from kindred.report.step_words import distinct, sentences, taking
from kindred.specs.measures import MEASURES
from kindred.training.held_out_curve import COLUMN

Json = Mapping[str, Any]
PLOTTED = ("identity", "copied")  # below the measure that decides
HEADINGS = {COLUMN: "Held-out loss", TRAINING_LOSS: "Training loss"}
LOSSES = "Loss on held-out photos; dashed: on those trained on, mean since the step before"


def step_section(series: Json, names: Mapping[str, str]) -> dict[str, Any]:
    """Sentences, and a table of each variant's steps; variants that take other steps of the same
    trainings share one. names: of characters, by their letters."""
    measure, variants = series["measure"], distinct(series)
    return {
        "lead": [said for name, one in variants.items() for said in sentences(name, one, measure)],
        "pictures": series["pictures"],
        "decides": MEASURES[measure].heading if measure else "",
        "held_out": any("held_out" in one for one in variants.values()),
        "one_training": all(len(one["runs"]) == 1 for one in variants.values()),
        "tables": [
            _table(name, one, measure, names) | {"takers": taking(name, series)}
            for name, one in variants.items()
        ],
    }


def step_figure(series: Json) -> str | None:
    """The measures over steps, all variants in each panel; None where nothing has a value."""
    panels: dict[str, tuple[bool, Sequence[StepLine]]] = {}
    variants, decides = distinct(series), series["measure"]
    for key in (decides, *PLOTTED) if decides else ():
        lines = [
            _line(name, one, key, one["step"] if key == decides else None)
            for name, one in variants.items()
            if key in one["measures"]
        ]
        if lines:
            panels[_heading(key, {})] = (MEASURES[key].kind.percent, lines)
    told = {name: one for name, one in variants.items() if "held_out" in one}
    losses = [
        line
        for name, one in told.items()
        for line in (
            _line(name, one, COLUMN, one["held_out"]["step"]),
            _line(name, one, TRAINING_LOSS, None, dashed=True),
        )
    ]
    if losses:
        panels[LOSSES] = (False, losses)
    return steps_svg(panels, "What the steps of each training read") if panels else None


def _line(name: str, one: Json, key: str, taken: int | None, dashed: bool = False) -> StepLine:
    found = one["measures"][key]
    means = [_mean(statistic) for statistic in found["mean"]]
    return StepLine(name, one["steps"], found["runs"], means, taken, dashed)


def _table(name: str, one: Json, measure: str | None, names: Mapping[str, str]) -> dict[str, Any]:
    keys = sorted(one["measures"], key=lambda key: key != measure)
    picks = {"to take": one, "least held-out loss": one.get("held_out", {})}
    known = {what: found for what, found in picks.items() if found.get("step") is not None}
    rows = [
        {
            "step": step,
            "marks": [what for what, found in known.items() if found["step"] == step],
            "runs": [sum(own == step for own in found["step_of_runs"]) for found in known.values()],
            "cells": [_cell(one["measures"][key]["mean"][place], key) for key in keys],
        }
        for place, step in enumerate(one["steps"])
    ]
    counted = {"to take": "trainings that would take it"}
    several = len(one["runs"]) > 1
    return {
        "variant": name,
        "headings": [_heading(key, names) for key in keys],
        "counts": [counted.get(what, f"trainings with the {what}") for what in known if several],
        "rows": rows,
    }


def _cell(statistic: Json | None, key: str) -> dict[str, str]:
    known = key.partition(":")[0]
    if known in HEADINGS:
        return {"text": formatting.number(_mean(statistic), 4), "range": ""}
    found = dict(statistic) if statistic else None
    return {
        "text": formatting.value_of(found, known),
        "range": formatting.range_of(found, known),
    }


def _heading(key: str, names: Mapping[str, str]) -> str:
    measure, _, letter = key.partition(":")
    heading = HEADINGS.get(measure) or MEASURES[measure].heading
    return f"{heading} of {names.get(letter, letter)}" if letter else heading


def _mean(statistic: Json | None) -> float | None:
    return None if statistic is None else statistic["mean"]
