"""The tables of a cast set: who is drawn exactly when asked for, and the figures beside that.

Knows the casts part of the summary; knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from kindred.common.sentences import counted
from kindred.report import formatting
from kindred.report.report_data import ReportData
from kindred.report.tables import Cell, cell_of
from kindred.specs.cast_figures import CAST_FIGURES, DRAWERS
from kindred.specs.scoring import FIXED_KINDS

SHARE, LIKENESS, PLAIN = "cast", "identity", ""  # how a figure is written
CEILING = "CEILING: the world’s own drawings"
KIND_HEADINGS = {"all": "all combinations", "family": "family alone", "others": "with strangers"}
Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """A row: who draws, with a word about it; `line`: not a variant but a line to compare with."""

    name: str
    cells: list[Cell]
    note: str = ""
    line: bool = False


@dataclass(frozen=True)
class SmallTable:
    """A question, what its figures mean, and the figures; `notes` stand below."""

    question: str
    says: str
    headings: list[str]
    rows: list[Line]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CastSet:
    """A prompt set's part of the summary with the variants that have figures in it, a word about
    each of these, and the ceiling."""

    name: str
    told: Figures
    variants: Mapping[str, Figures]
    notes: Mapping[str, str]
    ceiling: Figures | None

    @property
    def casts(self) -> dict[str, Figures]:
        """Cast -> how many heads and strangers it has, in the order of the prompts."""
        return {cast["name"]: cast for cast in self.told["casts"]}

    @property
    def kinds(self) -> list[str]:
        """The kinds of casts that are asked for."""
        return [kind for kind in KIND_HEADINGS if kind in self.told["drawers"]["canvas"]]


def cast_sets(data: ReportData) -> list[CastSet]:
    """The cast sets of an experiment; [] without any."""
    found = []
    for name, told in (data.summary.get("casts") or {}).items():
        own = {
            variant: one["casts"][name]
            for variant, one in data.variants.items()
            if name in (one.get("casts") or {})
        }
        if own:
            notes = {variant: _note(data.variants[variant]) for variant in own}
            found.append(CastSet(name, told, own, notes, data.summary.get("ceiling")))
    return found


def _note(variant: Mapping[str, Any]) -> str:
    """What a variant is when it is no set-up of its own."""
    if variant.get("detail_of"):
        return "faces drawn again"
    own = variant["kind"]
    kind = own if own in FIXED_KINDS else variant["control"].split(" ")[0]
    return {
        "scrambled": "captions on the wrong photos",
        "null": "trained again",
        "base": "no LoRA",
        "references": "reference pictures, no LoRA",
        "pictures": "pictures made elsewhere",
    }.get(kind, "")


def stat_cell(statistic: Figures | None, written: str) -> Cell:
    """A statistic as a cell: a share, a likeness or a plain number with its interval."""
    if written or statistic is None:
        return cell_of(statistic, written or SHARE)
    mean, low, high = (statistic[key] for key in ("mean", "low", "high"))
    reach = "" if low is None else f"{formatting.number(low)} to {formatting.number(high)}"
    return Cell(formatting.number(mean), reach, mean)


def share_cell(value: float | None) -> Cell:
    """A share without an interval or a bar."""
    told = cell_of(None if value is None else {"mean": value}, SHARE)
    return Cell(told.text, sort=told.sort)


def table_of(
    one: CastSet,
    name: str,
    headings: Sequence[str],
    cells: Callable[[Figures], list[Cell] | None],
    lines: Sequence[Line] = (),
    notes: Sequence[str] = (),
) -> SmallTable | None:
    """The table of one figure; variants without it are left out, None where all are."""
    figure = CAST_FIGURES[name]
    made = {variant: cells(own) for variant, own in one.variants.items()}
    rows = [Line(v, found, one.notes[v]) for v, found in made.items() if found is not None]
    if not rows:
        return None
    return SmallTable(figure.question, figure.says, list(headings), [*rows, *lines], list(notes))


def accuracy_table(one: CastSet) -> SmallTable | None:
    """Cast accuracy by kind of cast and, where some variant has it, the worst cast, with all lines
    beside it."""
    kinds = one.kinds
    worst = any(own["worst"] for own in one.variants.values())
    lines = []
    if one.ceiling:
        top = [share_cell(ceiling_of(one, kind)) for kind in kinds]
        last = [_worst_of_ceiling(one)] if worst else []
        lines.append(Line(CEILING, [*top, *last], "nothing can be above", True))
    for drawer, words in DRAWERS.items():
        bound = one.told["drawers"][drawer]
        reach = [share_cell(bound[kind]) for kind in kinds]
        lines.append(Line(words, [*reach, *([Cell("–")] if worst else [])], "at most", True))

    def cells(own: Figures) -> list[Cell]:
        shares = [stat_cell(own["accuracy"].get(kind), SHARE) for kind in kinds]
        return [*shares, *([_worst(own)] if worst else [])]

    headings = [KIND_HEADINGS[kind] for kind in kinds] + ["hardest combination"] * worst
    return table_of(one, "accuracy", headings, cells, lines, [_which_column(one)])


def deciding(one: CastSet) -> str:
    """The kind of casts that can show names: of the family alone, or of all without any."""
    return "family" if "family" in one.kinds else "all"


def _which_column(one: CastSet) -> str:
    kind = deciding(one)
    others = " (strangers need none)" if kind == "family" and len(one.kinds) > 1 else ""
    return (
        f"Only “{KIND_HEADINGS[kind]}” can show that names were learned{others}: by an interval "
        "above each row’s own, or above its figure if it has none."
    )


def ceiling_of(one: CastSet, kind: str, canvas: str | None = None) -> float | None:
    """The ceiling over one kind of the set's casts, on one canvas or else on all: the mean over
    casts of means over canvases."""
    shares = [
        [share for where, share in cells.items() if canvas in (None, where)]
        for name, cells in (one.ceiling or {}).get("casts", {}).items()
        if name in one.casts and _is(one.casts[name], kind)
    ]
    means = [fmean(found) for found in shares if found]
    return fmean(means) if means else None


def _is(cast: Figures, kind: str) -> bool:
    return kind == "all" or (cast["strangers"] == 0) == (kind == "family")


def _worst(own: Figures) -> Cell:
    if own["worst"] is None:
        return Cell("–")
    told = share_cell(own["worst"]["mean"])
    casts = own["worst"]["casts"]
    return Cell(told.text, ", ".join(casts[:2]) + (" …" if len(casts) > 2 else ""), told.sort)


def _worst_of_ceiling(one: CastSet) -> Cell:
    known = (one.ceiling or {}).get("casts", {})
    shares = {name: fmean(known[name].values()) for name in one.casts if name in known}
    if not shares:
        return Cell("–")
    worst = min(shares, key=lambda name: shares[name])
    return Cell(share_cell(shares[worst]).text, worst if shares[worst] < 1 else "")


def casts_table(one: CastSet) -> SmallTable | None:
    """Share of right pictures of each cast."""
    casts = list(one.casts)
    ceiling = (one.ceiling or {}).get("casts", {})
    top = [share_cell(fmean(ceiling[cast].values()) if cast in ceiling else None) for cast in casts]
    return table_of(
        one,
        "casts",
        casts,
        lambda own: [share_cell(own["casts"].get(cast, {}).get("mean")) for cast in casts],
        [Line(CEILING, top, "", True)] if ceiling else [],
        [strangers_said(one)] if strangers_said(one) else [],
    )


def strangers_said(one: CastSet) -> str:
    """What the names of casts with strangers mean: 'pair+1: 3 people, 1 of them a stranger'."""
    parts = []
    for name, cast in one.casts.items():
        members = cast["heads"] - cast["strangers"]
        if cast["strangers"]:
            who = f"{members} of the family and " if members else ""
            parts.append(f"{name}: {who}{counted(cast['strangers'], 'stranger')}")
    return "; ".join(parts) + "." if parts else ""


def canvases_table(one: CastSet) -> SmallTable | None:
    """Cast accuracy by kind on each canvas."""
    places = [(canvas, kind) for canvas in one.told["canvases"] for kind in one.kinds]
    words = {kind: f", {word}" if kind != "all" else "" for kind, word in KIND_HEADINGS.items()}
    top = [share_cell(ceiling_of(one, kind, canvas)) for canvas, kind in places]
    return table_of(
        one,
        "canvases",
        [f"{shape(canvas)}{words[kind]}" for canvas, kind in places],
        lambda own: [stat_cell(own["canvases"].get(c, {}).get(kind), SHARE) for c, kind in places],
        [Line(CEILING, top, "", True)] if one.ceiling else [],
    )


def shape(canvas: str) -> str:
    """'192x96' as '192 × 96'."""
    return canvas.replace("x", " × ")


def wordings_table(one: CastSet) -> SmallTable | None:
    """Cast accuracy in each wording; None of a single one."""
    wordings = one.told["wordings"]
    if len(wordings) < 2:
        return None
    words = {"bare": "names alone", "place": "at a place", "order": "from left to right"}
    return table_of(
        one,
        "wordings",
        [words.get(wording, f"with {wording}") for wording in wordings],
        lambda own: [stat_cell(own["wordings"].get(wording), SHARE) for wording in wordings],
    )


def threshold_table(one: CastSet) -> SmallTable | None:
    """Cast accuracy by the likeness from which people count as recognised."""
    steps = list(next(iter(one.variants.values()))["thresholds"])
    notes = [
        f"“{a}” is above “{b}” at {turn['above'][0]} and below it at {turn['below'][-1]}: which of "
        "the two is better depends on the judge’s threshold, so their order is no result."
        for turn in one.told["turning"]
        for a, b in [turn["arms"]]
    ]
    return table_of(
        one,
        "thresholds",
        [f"from {step}" for step in steps],
        lambda own: [share_cell(own["thresholds"].get(step)) for step in steps],
        notes=notes,
    )
