"""Which variant advice begins at: the best one at hand.

Knows the summary and what composites are made by; knows nothing of what is advised.
"""

from __future__ import annotations

from collections.abc import Callable

from kindred.evidence.adapter_choice import AdapterChoice, whole_percent
from kindred.report.next_experiments import composites_of
from kindred.report.picture_selection import success_of
from kindred.report.report_data import ReportData
from kindred.specs.report import ReportSpec


def best_variant(data: ReportData, choice: AdapterChoice | None = None) -> str | None:
    """The best trained variant, controls left out: by the choice of a LoRA, so that the page names
    one variant as the best, and without a choice by success. None without any."""
    able = _trained(data)
    ranked = [one.variant for one in choice.contenders] if choice else []
    chosen = next((name for name in ranked if name in able), None)
    return chosen or max(able, key=lambda name: success_of(data, name), default=None)


def best_by(
    data: ReportData, spec: ReportSpec, best: str, value: Callable[[str], float | None]
) -> str:
    """The trained variant with the highest value, a share. Of those equal in whole per cent one
    with composites, because composites for the others are what it has tried; then `best`."""
    told = {name: value(name) for name in _trained(data)}
    known = {name: whole_percent(one) for name, one in told.items() if one is not None}
    equal = [name for name, one in known.items() if one == max(known.values())]

    def rank(name: str) -> tuple[bool, bool]:
        return composites_of(data, spec, name) is not None, name == best

    return max(equal, key=rank, default=best)


def _trained(data: ReportData) -> list[str]:
    return [
        name
        for name, one in data.variants.items()
        if one["kind"] == "trained" and not one["control"]
    ]
