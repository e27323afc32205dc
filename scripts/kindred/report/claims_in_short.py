"""What became of an experiment's claims, in a few words for the top of its page.

Knows verdicts as they were reached; decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kindred.common.sentences import counted, listing
from kindred.evidence import labels
from kindred.report import formatting
from kindred.report.picture_selection import success_of
from kindred.report.report_data import ReportData
from kindred.specs.measures import MEASURES

MOST = 3  # claims that are quoted
# In the order in which they are said; others as their label.
SAID = {
    labels.SUPPORTED: "Shown",
    labels.CONTRADICTED: "Contradicted, so it is the other way",
    labels.EQUAL: "",
    labels.UNDECIDED: "Undecided",
    labels.ONE: "Undecided, because a variant was trained only once",
    labels.PILOT: "Undecided, because so few trainings show a direction only",
    labels.FAILED: "Nothing concluded, because a control of the experiment read wrong",
    labels.FLOOR: "Not told apart, because both read hardly more than where nobody is known",
    labels.CEILING: "Not told apart, because both are nearly perfect",
}
NOTHING = "This experiment has no hypotheses of its own, so nothing was tested."
NONE_PRIMARY = "No hypothesis of this experiment is primary. “What came out” has the others."
DISTRUSTED = "By a judge that is not to be trusted:"


@dataclass(frozen=True)
class InShort:
    """Label in words -> its claims with their figures; what is said besides, and what before."""

    claims: Mapping[str, list[str]]
    note: str
    first: str = ""


def claims_in_short(data: ReportData, chosen: bool) -> InShort:
    """What came out of the primary claims; where nothing is claimed, that, and what reads best
    unless a LoRA is `chosen`, which says so."""
    if not data.hypotheses:
        return InShort({}, NOTHING if chosen else f"{NOTHING} {_best(data)}".strip())
    primary = {name: one for name, one in data.hypotheses.items() if one["primary"]}
    order = {label: place for place, label in enumerate(SAID)}
    ranked = sorted(primary, key=lambda name: order.get(primary[name]["label"], len(order)))
    groups: dict[str, list[str]] = {}
    for name in ranked[:MOST]:
        said = SAID.get(primary[name]["label"]) or primary[name]["label_words"]
        groups.setdefault(said, []).append(_claim(data, name))
    measures = {primary[name]["measure"] for name in ranked[:MOST]}
    notes = [f"Compared are {_words(data, measures.pop())}."] if len(measures) == 1 else []
    if left := len(ranked[MOST:]):
        notes.append(f"“What came out” has {counted(left, 'more claim')}.")
    distrusted = bool(primary) and data.summary["judge"]["trusted"] is False
    return InShort(groups, " ".join(notes) or NONE_PRIMARY, DISTRUSTED if distrusted else "")


def _words(data: ReportData, measure: str) -> str:
    return MEASURES[measure].says.format(counts=data.summary["judge"]["counts"])


def _claim(data: ReportData, name: str) -> str:
    """A claim in quotes, both arms' figures, their difference and the interval of its label."""
    one: Mapping[str, Any] = data.hypotheses[name]
    quoted = f"“{' '.join(one['claim'].split()).rstrip('.')}”"
    if one["difference"] is None:
        return f"{quoted}."
    ends = formatting.deciding(one)
    if one["label"] == labels.EQUAL:
        ends = one["equivalence"]["low"], one["equivalence"]["high"]
    arms = ", ".join(
        f"“{one[arm]}” {formatting.value_of(one['estimate'][arm], one['measure'])}"
        for arm in ("variant", "against")
    )
    size = formatting.effect(one["difference"], *ends, one["measure"])
    late = name in ((data.verdicts.get("declared") or {}).get("exploratory") or {})
    after = " Declared or changed after results had been seen." if late else ""
    return f"{quoted}: {arms}, a difference of {size}.{after}"


def _best(data: ReportData) -> str:
    """Which variant reads best; '' where that can't be told."""
    able = [n for n, one in data.variants.items() if one["kind"] != "base" and not one["control"]]
    best = max(able, key=lambda name: success_of(data, name), default="")
    if not best or not success_of(data, best):
        return ""
    found = data.variants[best]["measures"]["success"]["all"]
    ends = formatting.range_of(found, "success")
    figure = formatting.value_of(found, "success") + (f" ({ends})" if ends else "")
    most = success_of(data, best)
    words, others = _words(data, "success"), [name for name in able if name != best]
    same = [f"“{name}”" for name in others if success_of(data, name) == most]
    place = f", as much as {listing(same)}" if same else ", the most of all" if others else ""
    return f"{words[:1].upper()}{words[1:]}: “{best}” {figure}{place}."
