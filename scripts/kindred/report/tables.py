"""The report's tables: variants with their measures, what differs between them, who is taken for
whom.

Knows the summary of an experiment; knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kindred.common.sentences import counted
from kindred.evidence.score_grids import MISSING
from kindred.report import formatting
from kindred.report.report_data import ReportData
from kindred.report.step_words import TAKEN
from kindred.specs.measures import MEASURES
from kindred.specs.report import CompositeDataset
from kindred.specs.training import Recipe, Selection


@dataclass(frozen=True)
class Column:
    """A column: heading, explanation, where its statistic stands in a variant's summary, and in
    which table it is: of people or of the picture."""

    heading: str
    hint: str
    measure: str
    scope: str

    @property
    def about(self) -> str:
        """What the measure is about: 'people' or 'picture'."""
        return MEASURES[self.measure].about


@dataclass(frozen=True)
class Cell:
    """A number as text, its interval, what to sort by, and a bar's length (0..1) or None."""

    text: str
    range: str = ""
    sort: float | None = None
    bar: float | None = None


def columns(data: ReportData) -> list[Column]:
    """The columns that some variant has a number for, of measures with a place in the tables."""
    success, fulfilled = MEASURES["success"], MEASURES["fulfilled"]
    sizes = list(data.by_size)
    wanted = [
        Column(
            f"{success.heading} {formatting.group(size)}",
            success.hint,
            success.name,
            f"asked:{size}",
        )
        for size in sizes
    ]
    wanted += [
        Column(
            fulfilled.heading,
            f"{formatting.group(size)}: {fulfilled.hint}",
            fulfilled.name,
            f"asked:{size}",
        )
        for size in sizes[-1:]
    ]
    wanted += [
        Column(one.heading, one.hint, name, "all")
        for name, one in MEASURES.items()
        if one.tabled and one not in (success, fulfilled)
    ]
    return [c for c in wanted if any(_statistic(v, c) for v in data.variants.values())]


def legend(shown: list[Column]) -> list[tuple[str, str]]:
    """(headings, what they say); columns of the same meaning together."""
    found: dict[str, list[str]] = {}
    for column in shown:
        found.setdefault(column.hint, []).append(column.heading)
    return [(" · ".join(headings), hint) for hint, headings in found.items()]


def variant_rows(data: ReportData, made: Mapping[str, CompositeDataset]) -> list[dict[str, Any]]:
    """A row a variant: name, kind, what differs from the baseline, cells, time and memory. `made`:
    the datasets that hold pictures made of photos."""
    shown = columns(data)
    rows = []
    for name, one in data.variants.items():
        training = one.get("training") or {}
        rows.append(
            {
                "name": name,
                "baseline": name == data.summary["baseline"],
                "differs": differences(data, name, made),
                "runs": len(one["runs"]),
                "images": one["images"],
                "cells": [cell_of(_statistic(one, column), column.measure) for column in shown],
                "seconds": _plain(training.get("seconds"), formatting.duration),
                "memory": _plain(training.get("peak_memory_mib"), formatting.memory),
            }
        )
    return rows


def _statistic(variant: Mapping[str, Any], column: Column) -> Mapping[str, Any] | None:
    found = variant["measures"].get(column.measure, {}).get(column.scope)
    return found if found and found.get("mean") is not None else None


def cell_of(statistic: Mapping[str, Any] | None, measure: str) -> Cell:
    """A statistic as a cell of its measure."""
    if statistic is None or statistic.get("mean") is None:
        return Cell("–")
    mean = statistic["mean"]
    bar = min(1.0, max(0.0, mean)) if formatting.kind_of(measure).bar else None
    return Cell(
        formatting.value_of(statistic, measure),
        formatting.range_of(statistic, measure),
        round(mean, 4),
        bar,
    )


def _plain(value: float | None, wording: Any) -> Cell:
    return Cell(wording(value), sort=value)


def differences(data: ReportData, variant: str, made: Mapping[str, CompositeDataset]) -> list[str]:
    """What a variant does otherwise than the baseline, a line each, and where it is drawn."""
    one = data.variants[variant]
    return [*_differences(data, variant, made), *_taken_step(one), *_drawn_on(one)]


def _taken_step(variant: Mapping[str, Any]) -> list[str]:
    """By what each training's step was chosen, where it is not the last one."""
    take = variant.get("take")
    return [f"chosen of each training: {TAKEN[take]}"] if take else []


def _drawn_on(variant: Mapping[str, Any]) -> list[str]:
    """The bases that draw a variant where they are not the one that it was trained on."""
    sets: dict[str, list[str]] = {}
    for name, base in variant.get("drawn_on", {}).items():
        sets.setdefault(base, []).append(name)
    return [f"drawn on {base} ({', '.join(names)})" for base, names in sorted(sets.items())]


def _differences(data: ReportData, variant: str, made: Mapping[str, CompositeDataset]) -> list[str]:
    one, baseline = data.variants[variant], data.summary["baseline"]
    if variant == baseline:
        return ["the baseline"]
    if one["kind"] == "base":
        return ["the base alone, no LoRA"]
    if one["kind"] == "pictures":
        return ["pictures made elsewhere"]
    if one["kind"] == "references":
        return [formatting.shown_photos(one["references"], data.names)]
    if one.get("detail_of"):
        return [f"the pictures of “{one['detail_of']}”, each face drawn again"]
    if one["kind"] == "loaded":
        return [_loaded(data.settings.get(variant, {}))]
    if baseline not in data.specs:
        return [one["control"]] if one["control"] else []
    own, other = (_flat(data.specs[name], made) for name in (variant, baseline))
    found = [
        f"{key} {_say(own.get(key))}{_instead(other.get(key))}"
        for key in dict.fromkeys([*other, *own])
        if own.get(key) != other.get(key)
    ]
    other_use = ("drawn_on", "take")
    if not found and any(one.get(key) != data.variants[baseline].get(key) for key in other_use):
        return ["the same training"]
    return found or ["nothing: trained again with other seeds"]


def _loaded(settings: Mapping[str, Any]) -> str:
    """Adapters that a variant draws with but was not trained for."""
    adapters = settings.get("adapters", [])
    ours = all(one["provenance"].get("software") == "Kindred" for one in adapters)
    number = counted(len(adapters), "LoRA")
    weights = sorted({one["weight"] for one in adapters} - {1.0})
    return (
        f"{number} {'of other variants' if ours else 'trained elsewhere'}"
        + (" loaded together" if len(adapters) > 1 else "")
        + (f", at weight {', '.join(f'{weight:g}' for weight in weights)}" if weights else "")
        + (", each only where its own people are drawn" if settings.get("apart") else "")
    )


def _flat(spec: Mapping[str, Any], made: Mapping[str, CompositeDataset]) -> dict[str, Any]:
    """Options by name, defaults filled in, so that an option written out is no difference."""
    dataset = spec.get("dataset")
    photos = {"dataset": dataset, "made of photos:": "nothing"}
    if dataset in made:
        photos = {"dataset": made[dataset].of, "made of photos:": formatting.made(made[dataset])}
    recipe = Recipe.model_validate(spec.get("recipe") or {}).model_dump(mode="json")
    selection = Selection.model_validate(spec.get("selection") or {}).model_dump(mode="json")
    selection["draw of photos"] = selection.pop("seed")
    base = {f"base {key}": value for key, value in (spec.get("base") or {}).items()}
    rest = photos | {"captions": spec.get("pairing", "matched")}
    for written in ("checkpoint_every", "keep"):  # no part of what is trained
        recipe.pop(written, None)
    return {**rest, **selection, **recipe, **base}


def _instead(value: Any) -> str:
    return "" if value is None else f" instead of {_say(value)}"


def _say(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {number}" for key, number in value.items())
    return str(value)


def bleed(data: ReportData, variant: str) -> dict[str, Any] | None:
    """A variant's matrix of who is found where somebody is asked for; None where nobody is."""
    one = data.variants[variant].get("bleed")
    if not one or not one["asked"] or not any(one["appearances"]):
        return None
    # The variants' table calls missing whoever is not recognised, somebody there or not.
    names = {**data.names, MISSING: "nobody there"}
    return {
        "variant": variant,
        "found": [names.get(column, column) for column in one["found"]],
        "rows": [
            {
                "name": names.get(letter, letter),
                "appearances": count,
                "shares": [
                    {"value": value or 0.0, "own": column == letter}
                    for column, value in zip(one["found"], shares, strict=True)
                ],
            }
            for letter, shares, count in zip(
                one["asked"], one["shares"], one["appearances"], strict=True
            )
            if count
        ],
    }


def likenesses_by_size(data: ReportData) -> list[dict[str, Any]]:
    """For every variant its likeness of each character, by how many were asked for."""
    rows = [
        _by_character(data, name, "identity", data.characters)
        for name, one in data.variants.items()
        if one.get("identity")
    ]
    return rows if any(cell.sort is not None for row in rows for cell in row["cells"]) else []


def shares_of_own(data: ReportData) -> dict[str, Any] | None:
    """Likeness of each character that has a LoRA of its own, as a share of that one's likeness in
    pictures of the character alone, by how many were asked for: who the characters are, and a row a
    variant that is of several. Characters are left out whose own LoRA is no likeness. None where
    there is none."""
    told = {x for one in data.variants.values() for x in one.get("of_own") or {}}
    own = {x: name for x, name in (data.summary.get("own") or {}).items() if x in told}
    rows = [
        _by_character(data, name, formatting.OF_OWN, own)
        for name, one in data.variants.items()
        if one.get("of_own") and one["kind"] != "base" and not one.get("only")
    ]
    if not rows:
        return None
    return {
        "names": [data.names[letter] for letter in own],
        "marks": formatting.listing(f"“{name}”" for name in own.values()),
        "rows": rows,
    }


def _by_character(
    data: ReportData, name: str, measure: str, letters: Iterable[str]
) -> dict[str, Any]:
    """A variant's row of `measure`: a cell for each character and number of people asked for."""
    found = data.variants[name][measure]
    return {
        "variant": name,
        "cells": [
            cell_of(found.get(letter, {}).get(str(size)), measure)
            for letter in letters
            for size in data.by_size
        ],
    }


def parts(data: ReportData) -> list[dict[str, Any]]:
    """For every variant and prompt set of two or more: success beside the product of the single
    parts (each alone right, count right)."""
    rows = []
    for name, one in data.variants.items():
        for prompt_set, part in (one.get("parts") or {}).items():
            if part.get("success") is None or part.get("product") is None:
                continue
            rows.append({"variant": name, "prompt_set": prompt_set, **part})
    return rows
