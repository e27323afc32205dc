"""Numbers and outcomes as a person says them.

Knows wording; knows nothing of where numbers come from. Used by the page and by its Markdown twin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kindred.common.sentences import counted, listing
from kindred.report import formatting
from kindred.specs.composites import CompositeOptions, Composites
from kindred.specs.measure_kinds import RATIO, Kind
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import FIXED_KINDS

Statistic = Mapping[str, Any]
OF_OWN = "of_own"  # likeness as a share of that by a LoRA of the character's own
BEYOND = (
    "≤0 and ≥1: the interval reaches beyond this end of the scale; wide: beyond both, so the few "
    "pictures say next to nothing."
)
PLACES = {
    "own": "places of their people's photos",
    "any": "all photos' places",
    "plain": "plain walls",
}
GROUPS = {1: "alone", 2: "in pairs", 3: "in threes", 4: "in fours"}


def number(value: float | None, digits: int = 2) -> str:
    """A plain number with a true minus; '–' for none."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def share(value: float, _: object = None) -> str:
    """0.25 -> '25 %'. Takes the place of a tick too, as matplotlib gives it."""
    return f"{100 * value:.0f} %".replace("-", "−")


def signed(value: float | None) -> str:
    """A difference of shares in percentage points: '+31', '−4'; '–' for none."""
    if value is None:
        return "–"
    points = round(100 * value)
    return f"{'+' if points > 0 else ''}{points}".replace("-", "−")


def kind_of(measure: str) -> Kind:
    """What kind of number a measure is, or a share of a LoRA of one's own."""
    return RATIO if measure == OF_OWN else MEASURES[measure].kind


def value_of(statistic: Statistic | None, measure: str) -> str:
    """The mean of a statistic as its measure is written."""
    if not statistic or statistic.get("mean") is None:
        return "–"
    return share(statistic["mean"]) if kind_of(measure).percent else number(statistic["mean"])


def range_of(statistic: Statistic | None, measure: str) -> str:
    """'51–72' or '0.41–0.55'; '' where the interval can't be known. One that reaches beyond the
    scale, though the mean lies on it, reaches its end: '0.61 to ≥1'; beyond both, it is 'wide'."""
    if not statistic or statistic.get("low") is None or statistic.get("high") is None:
        return ""
    kind, ends = kind_of(measure), (statistic["low"], statistic["high"])
    under, over = kind.reaches(statistic["mean"], *ends)
    if under and over:
        return "wide"
    digits = [number(100 * end, 0) if kind.percent else number(end) for end in ends]
    low = f"≤{kind.ends[0]:g}" if under else digits[0]
    high = f"≥{kind.ends[1]:g}" if over else digits[1]
    return f"{low} to {high}" if set("−≤≥") & set(low + high) else f"{low}–{high}"


def is_beyond(text: str) -> bool:
    """Whether an interval as `range_of` writes it reaches beyond its scale."""
    return text == "wide" or bool(set("≤≥") & set(text))


def duration(seconds: float | None) -> str:
    """'42 s', '3 min', '1.4 h'."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def memory(mebibytes: float | None) -> str:
    """'700 MiB', '9.3 GiB'."""
    if mebibytes is None:
        return "–"
    return f"{mebibytes:.0f} MiB" if mebibytes < 1024 else f"{mebibytes / 1024:.1f} GiB"


def names_of(cell: str, names: Mapping[str, str]) -> str:
    """'A+J' -> 'ARussell and JRussell'."""
    return listing(names.get(letter, letter) for letter in cell.split("+") if letter)


def made(one: CompositeOptions) -> str:
    """'72 composites each of A+J and A+C+J before all photos' places', 'crops of one person'."""
    said = []
    if one.compose:
        cells: dict[int, list[str]] = {}
        for cell, count in one.compose.counts().items():
            cells.setdefault(count, []).append(cell)
        often = [
            f"{count if n else counted(count, 'composite')}{' each' if len(of) > 1 else ''} of "
            + listing(of)
            for n, (count, of) in enumerate(sorted(cells.items(), reverse=True))
        ]
        said.append(f"{listing(often)} before {PLACES[one.compose.background]}{_how(one.compose)}")
    if one.crop:
        said.append("crops of one person")
    return listing(said)


def _how(compose: Composites) -> str:
    """What else is said of composites: ', with strangers in 50 % of those with room'."""
    said = [", on every shape"] if compose.canvas == "any" else []
    said += [", heads as large as fit"] if compose.heads == "large" else []
    if compose.strangers:
        beside = compose.strangers
        said.append(f", with strangers in {100 * beside.share:.0f} % of those with room")
        if beside.alone:
            said.append(f", and {beside.alone} of strangers alone")
        if beside.named:
            said.append(f", strangers called by made-up names in {100 * beside.named:.0f} %")
    return "".join(said) + (f" (seed {compose.seed})" if compose.seed else "")


def group(size: int) -> str:
    """How many were asked for: 'alone', 'in pairs', 'in groups of 5'."""
    return GROUPS.get(size, f"in groups of {size}")


def outcome(
    row: Mapping[str, str] | None, names: Mapping[str, str], counts: str = "people"
) -> tuple[str, str]:
    """What the judge, who counts people or faces, saw in a picture, and its tone: 'good', 'bad' or
    '' (nothing to say)."""
    if not row or not row.get("asked"):
        return "", ""
    if row["success"] == "1":
        return "everyone right" if "+" in row["asked"] else "recognised", "good"
    parts = []
    if row["count"] == "0":
        one = "person" if counts == "people" else "face"
        people = counted(int(row["people_found"] or 0), one)
        parts.append(f"{people} of {row['people_asked']}")
    for column, words in (("missing", "not seen"), ("duplicated", "twice"), ("unasked", "unasked")):
        if row[column]:
            parts.append(f"{names_of(row[column], names)} {words}")
    strangers = int(row["strangers"] or 0)
    if strangers and row["count"] == "1":
        parts.append(counted(strangers, "stranger"))
    return " · ".join(parts) or "not right", "bad"


def mean(values: Sequence[float]) -> float | None:
    """The mean, None of nothing."""
    return sum(values) / len(values) if values else None


def deciding(one: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The interval that decides: adjusted where the hypothesis is a primary one."""
    adjusted = one.get("adjusted") if one.get("primary") else None
    chosen = adjusted or one
    return chosen["low"], chosen["high"]


def level_of(one: Mapping[str, Any], level: float) -> float:
    """The level of the interval that decides; `level` is that of the plain one."""
    adjusted = one.get("adjusted") if one.get("primary") else None
    return adjusted["level"] if adjusted else level


def effect(value: float | None, low: float | None, high: float | None, measure: str) -> str:
    """'+31 points (+18 to +44)', '+0.12 (+0.02 to +0.22)', '–' where nothing was measured."""
    if value is None:
        return "–"
    share = kind_of(measure).percent
    text = counted(_signed(value, True), "point") if share else _signed(value, False)
    if low is None or high is None:
        return text
    return f"{text} ({_signed(low, share)} to {_signed(high, share)})"


def _signed(value: float, share: bool) -> str:
    if share:
        return formatting.signed(value)
    text = formatting.number(value)
    return f"+{text}" if value > 0 else text


def shown_photos(photos: Mapping[str, int], names: Mapping[str, str]) -> str:
    """'the base with reference pictures, nothing trained: 2 photos of JRussell and 1 photo of
    ARussell'."""
    told = [f"{counted(count, 'photo')} of {names[x]}" for x, count in sorted(photos.items())]
    return f"the base with reference pictures, nothing trained: {listing(told)}"


def runs_of(one: Mapping[str, Any], variants: Mapping[str, Mapping[str, Any]]) -> str:
    """Training runs of both arms: '10', or '10 and 9' where they differ. A base has none."""
    estimate = one.get("estimate") or {}
    counts = [
        estimate[side]["runs"]
        for side in ("variant", "against")
        if side in estimate and variants[one[side]]["kind"] not in FIXED_KINDS
    ]
    return formatting.listing(map(str, dict.fromkeys(counts) if len(set(counts)) == 1 else counts))
