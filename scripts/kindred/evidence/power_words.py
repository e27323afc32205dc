"""The figures of power.json in words, and as a table for a terminal.

Knows the figures of one hypothesis (power_figures.py says what they are); computes none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kindred.common.commands import snakemake
from kindred.common.sentences import counted

Figures = Mapping[str, Any]
HEADINGS = (
    *("hypothesis", "runs", "prompts", "pictures", "finds", "margin", "beyond it", "decided"),
    *("would do", "no difference >"),
)
NOTHING = "No experiment asked for has `hypotheses`, so there is nothing to compute."


def told(one: Figures, primaries: int, experiment: str) -> dict[str, str]:
    """What a person is told of a hypothesis: a sentence, what to do ('' where the design will do),
    and a warning for before it is started ('' where none is needed)."""
    cure = "" if one["decides"] else _cure(one, experiment)
    return {
        "sentence": _sentence(one, primaries),
        "cure": cure,
        "warning": f"{_shortcoming(one)} -> {cure}" if _is_short(one) else "",
    }


def amount(value: float | None, unit: str, with_unit: bool = True) -> str:
    """'17 points', '0.12'; 'none' where nothing is within reach. `with_unit`: it is said, too."""
    if value is None:
        return "none"
    if unit != "points":
        return f"{value:.2f}"
    points = f"{100 * value:.0f}"
    return counted(points, "point") if with_unit else points


def runs_said(runs: Sequence[int]) -> str:
    """'3', or '10, 2' where the arms' runs differ; the base alone has none."""
    trained = [str(n) for n in runs if n]
    return ", ".join(dict.fromkeys(trained)) or "-"


def row(name: str, one: Figures) -> list[str]:
    """A hypothesis as texts under HEADINGS."""
    unit = one["unit"]
    texts = [name, runs_said(one["runs"]), str(one["prompts"]), str(one["pictures"])]
    if "finds" not in one:
        return [*texts, "unknown", amount(one["margin"], unit, False), *["unknown"] * 4]
    short = [
        amount(one[key], unit, False) for key in ("finds", "margin", "finds_beyond", "equivalence")
    ]
    decided = "yes" if one["decides"] else "no"
    if one["pilot"]:
        decided = "one training" if _fewest(one) == 1 else "pilot"
    return [*texts, *short[:3], decided, "" if one["decides"] else _needs(one) or "-", short[3]]


def table(power: Figures) -> str:
    """All hypotheses of an experiment, a line each, with what the figures assume below."""
    rows = [list(HEADINGS), *(row(name, one) for name, one in power["hypotheses"].items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if n == 0 else text.rjust(width)
            for n, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in rows
    ]
    return "\n".join([f"{power['experiment']}: {_heading(power)}", *lines, *notes(power)])


def _heading(power: Figures) -> str:
    often = f"{100 * power['power']:.0f} % of cases"
    return f"what this design finds in {often} (proportions in percentage points)"


def notes(power: Figures) -> list[str]:
    """What the figures rest on."""
    notes = []
    if power["primaries"] > 1:
        notes.append(f"Corrected for {power['primaries']} primary hypotheses (Holm's first step).")
    sources = dict.fromkeys(one["variances"] for one in power["hypotheses"].values())
    for source in sources:
        mine = [name for name, one in power["hypotheses"].items() if one["variances"] == source]
        whose = "" if len(sources) == 1 else f" ({', '.join(mine)})"
        notes.append(f"{variances_said(source)}{whose}")
    return notes


def variances_said(source: str) -> str:
    """Where the variances are from, as a sentence."""
    if source == "model":
        return "Variances: the model's, fitted to the lab's published experiments."
    if source == "unknown":
        return "Variances: unknown until two runs have been drawn and scored."
    return f"Variances: as in {source}."


def _is_short(one: Figures) -> bool:
    return one["pilot"] or ("finds" in one and not one["decides"])


def _fewest(one: Figures) -> int:
    return min(n for n in one["runs"] if n)


def _shortcoming(one: Figures) -> str:
    """Why a design decides nothing."""
    if one["pilot"]:
        if (fewest := _fewest(one)) == 1:
            return "one training of a variant gives figures, neither a direction nor a decision"
        return (
            f"a pilot: {fewest} training runs of each variant show a direction and decide nothing"
        )
    margin, aim = (amount(one[key], one["unit"]) for key in ("margin", "aim"))
    return (
        f"its margin of {margin} can't be decided: a true difference of {aim} would be found to "
        f"be above it in {100 * one['aim_power']:.0f} % of cases"
    )


def _needs(one: Figures) -> str:
    """What would decide the margin: '7 runs or 288 prompts', '9 runs and 96 prompts'."""
    needs = one.get("needs") or {}
    if needs.get("both"):
        return "{} runs and {} prompts".format(*needs["both"])
    return " or ".join(f"{needs[key]} {key}" for key in ("runs", "prompts") if needs.get(key))


def _cure(one: Figures, experiment: str) -> str:
    if "finds" not in one:
        again = snakemake(experiment, "power")
        return f"draw and score two runs of each, then run `{again}`"
    if needs := _needs(one):
        return f"{needs.replace(' runs', ' runs of each variant')} would do"
    return "take more runs and more prompts, a larger margin or fewer primary hypotheses"


def _sentence(one: Figures, primaries: int) -> str:
    """What the design finds."""
    if "finds" not in one:
        return "How much runs and prompts differ in this measure is not known beforehand."
    if 1 in one["runs"]:
        return "One training run of each variant tells nothing of how much trainings differ."
    unit = one["unit"]
    corrected = f", as one of {primaries} primary hypotheses" if one["level"] > 0.951 else ""
    if one["finds"] is None:
        return f"Finds no difference in 80 % of cases, however large{corrected}."
    above = f"a margin of {amount(one['margin'], unit)}"
    parts = [f"Finds a true difference of {amount(one['finds'], unit)} in 80 % of cases{corrected}"]
    if one["margin"]:
        if one["finds_beyond"] is None:
            parts.append(f"none however large is found to be above {above}")
        else:
            parts.append(f"one of {amount(one['finds_beyond'], unit)} is found to be above {above}")
    said = "; ".join(parts) + "."
    if one["equivalence"] is None:
        return said
    least = amount(one["equivalence"], unit)
    return f"{said} If there is none, “no difference larger than {least}” is shown as often."
