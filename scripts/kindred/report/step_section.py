"""“Which step is best?”: which of a training's kept steps to take, in sentences, figure and tables.

Knows series.json and its words; how it looks is the templates' part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kindred.report import formatting
from kindred.report.step_plot import StepLine, steps_svg
from kindred.specs.measures import MEASURES

Json = Mapping[str, Any]
PLOTTED = ("identity", "copied")  # below the measure that decides
HEADINGS = {"held_out_loss": "Held-out loss"}


def step_section(series: Json, names: Mapping[str, str], hide_photos: bool) -> dict[str, Any]:
    """Sentences, and a table of each variant's steps. names: of characters, by their letters."""
    measure, variants = series["measure"], series["variants"]
    return {
        "lead": [_answer(name, one, measure) for name, one in variants.items()],
        "pictures": series["pictures"],
        "decides": MEASURES[measure].heading,
        "one_training": all(len(one["runs"]) == 1 for one in variants.values()),
        "tables": [_table(name, one, measure, names) for name, one in variants.items()],
        "pairs": [] if hide_photos else _pairs(variants),
    }


def step_figure(series: Json) -> str | None:
    """The measures over steps, all variants in each panel; None where nothing has a value."""
    panels, variants = {}, series["variants"]
    extra = [key for key in HEADINGS if any(key in one["measures"] for one in variants.values())]
    for key in (series["measure"], *PLOTTED, *extra):
        decides = key == series["measure"]
        lines = [
            StepLine(
                name,
                one["steps"],
                found["runs"],
                [_mean(stat) for stat in found["mean"]],
                one["step"] if decides else None,
            )
            for name, one in variants.items()
            if (found := one["measures"].get(key))
        ]
        if lines:
            percent = key in MEASURES and MEASURES[key].kind.percent
            panels[_heading(key, {})] = (percent, lines)
    return steps_svg(panels, "What the steps of each training read") if panels else None


def _answer(name: str, one: Json, measure: str) -> str:
    """'“composed”: take step 1500 of 4000. …'"""
    step, last = one["step"], one["steps"][-1]
    if step is None:
        return f"“{name}”: no step has a score, so none can be named."
    reads = formatting.value_of({"mean": one["value"]}, measure)
    says = MEASURES[measure].says
    said = f"“{name}”: take step {step} of {last}: {reads} of its selection’s {says}."
    if step == last:
        return f"{said} It is the last one: a longer training may be better still."
    if one["lost"] is None:
        return said
    lost = round(100 * one["lost"])
    points = formatting.plural(abs(lost), "point")
    if lost == 0:
        return f"{said} Going on to step {last} changes nothing."
    if lost > 0:
        return f"{said} Going on to step {last} loses {points}."
    return f"{said} Going on to step {last} gains {points}."


def _table(name: str, one: Json, measure: str, names: Mapping[str, str]) -> dict[str, Any]:
    keys = sorted(one["measures"], key=lambda key: key != measure)
    taken = one.get("step_of_runs") or []
    rows = [
        {
            "step": step,
            "taken": step == one["step"],
            "runs": sum(own == step for own in taken),
            "cells": [_cell(one["measures"][key]["mean"][place], key) for key in keys],
        }
        for place, step in enumerate(one["steps"])
    ]
    return {
        "variant": name,
        "headings": [_heading(key, names) for key in keys],
        "rows": rows,
        "several": len(one["runs"]) > 1,
        "chosen": one["take"] != "last",
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


def _pairs(variants: Json) -> Sequence[dict[str, Any]]:
    """The pictures nearest to something trained on, of each variant's last step."""
    return [
        {"variant": name, **pair} for name, one in variants.items() for pair in one.get("pairs", ())
    ]


def _mean(statistic: Json | None) -> float | None:
    return None if statistic is None else statistic["mean"]
