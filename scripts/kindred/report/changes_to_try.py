"""Changes of a variant that are worth a try, as an experiment file says them, and the advice that
they belong to.

Knows recipes, composites and datasets; which change answers what was seen is in recommendations.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kindred.rendering.manifest import Row
from kindred.report import formatting
from kindred.report.next_experiments import Change, composites_besides
from kindred.report.report_data import ReportData
from kindred.specs.report import ReportSpec
from kindred.specs.training import Recipe

MORE = 24  # composites of a cell that is weak, besides what there is


@dataclass(frozen=True)
class Recommendation:
    """Something seen, its likely cause, something to do about it, and as what change of the
    experiment; '' and None where nobody can tell from here."""

    seen: str
    do: str
    cause: str = ""
    change: Change | None = None


def composed(
    data: ReportData, spec: ReportSpec, variant: str, name: str, cells: Sequence[str]
) -> Change:
    """The variant with more composites of these cells."""
    compose = composites_besides(data, spec, variant, dict.fromkeys(cells, MORE))
    told = {"compose": compose, "balance": "repeat"}
    question = f"Do more composites of {formatting.listing(cells)} make them right more often?"
    return Change(name.replace("+", ""), question, variant, {name.replace("+", ""): told})


def with_strangers(data: ReportData, spec: ReportSpec, variant: str, prompt_set: str) -> Change:
    """The variant with strangers in half of its composites: those that it has, or the base's own
    pictures of each class."""
    letters = sorted(data.characters)
    compose = composites_besides(data, spec, variant, {})
    compose["cells"] = compose["cells"] or dict.fromkeys(letters, MORE)
    beside: dict[str, Any] = {}
    if "strangers" in compose:
        compose["strangers"]["share"] = 1.0
    else:
        name, size = "strangers-drawn", _smallest(data)
        compose["strangers"] = {"of": name, "share": 0.5}
        nouns = sorted({who.noun for who in data.characters.values()})
        beside["datasets"] = {
            name: {"class_images": name, "preprocess": {"buckets": [size], "min_side": min(size)}}
        }
        beside["prompt_sets"] = {
            name: {
                "prompts": [f"a photo of a {noun}" for noun in nouns],
                "pictures": 16,
                "size": size,
            }
        }
    question = "Do strangers in composites keep other people from getting the family's looks?"
    told = {"with-strangers": {"compose": compose, "balance": "repeat"}}
    return Change("strangers", question, variant, told, "cast", prompt_set, beside=beside)


def _smallest(data: ReportData) -> list[int]:
    """[width, height] of the smallest pictures, px: room for one person."""

    def area(row: Row) -> int:
        return row.width * row.height

    small = min(data.pictures.values(), key=area, default=None)
    return [small.width, small.height] if small else [512, 512]


def longer(data: ReportData, variant: str, letters: Sequence[str], times: float) -> Change:
    """The variant with so many times the steps, and with twice the rank."""
    alone = [key for key, _, _, asked in data.prompts if asked in letters]
    who = formatting.listing(data.names[x] for x in letters)
    recipe = data.specs[variant]["recipe"] if variant in data.specs else {}
    rank = int(recipe.get("rank") or Recipe.model_fields["rank"].default)
    return Change(
        "longer",
        f"Do more steps or a higher rank make {who} more alike?",
        variant,
        {"longer": {"steps": steps_of(data, variant, times)}, "rank": {"rank": 2 * rank}},
        "identity",
        alone[0] if alone else "",
    )


def steps_of(data: ReportData, variant: str, times: float) -> int:
    """So many times the steps that a variant is trained for, in round numbers."""
    recipe = data.specs[variant]["recipe"] if variant in data.specs else {}
    steps = int(recipe.get("steps") or Recipe.model_fields["steps"].default)
    return max(10, round(steps * times / 10) * 10)
