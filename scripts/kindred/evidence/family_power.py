"""What claims about families can find, before anything is trained: families/<name>/power.json.

{"name", "power": 0.8, "hypotheses": {name: {
   "claim", "variant", "against", "families": 10, "runs": [2, 2], "level", "margin",
   "within": 0.07,                    standard deviation of a family's difference that is due to
                                      runs, prompts and pictures; null of what is no share
   "by_sd": {"0.05": {                the effect's standard deviation over families: unknown before
      "finds",                        the smallest true difference found in 80 % of cases
      "finds_beyond",                 that is found to be above the margin as often
      "equal"}}}}}                    chance that "no difference larger than the margin" is shown,
                                      where there is none; null with a margin of 0
A paired t over families. The sequence is read at the full level, the other primary hypotheses at
that of Holm's first step. Knows designs; knows nothing of experiments.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from kindred.evidence.design_variance import Design, Forecast, forecast
from kindred.evidence.family_means import FEWEST
from kindred.evidence.intervals import LEVEL, level_of
from kindred.evidence.power import POWER, found_over, within
from kindred.evidence.power_figures import USUAL_MEAN
from kindred.evidence.power_simulation import World
from kindred.evidence.power_words import amount, runs_said
from kindred.evidence.variance import Part
from kindred.specs.measures import MEASURES
from kindred.specs.power import FamiliesPowerSpec, FamilyDesign
from kindred.specs.scoring import Hypothesis

SPREADS = (0.05, 0.10, 0.15)  # of effects over families; two families' differed by 2 to 16 points
Json = dict[str, Any]


def family_power(spec: FamiliesPowerSpec) -> Json:
    """power.json of claims about families."""
    corrected = {
        key: one.primary and key not in spec.sequence for key, one in spec.hypotheses.items()
    }
    rest = sum(corrected.values())
    found = {}
    for key, one in spec.hypotheses.items():
        found[key] = _figures(one, spec.designs[key], level_of(rest) if corrected[key] else LEVEL)
    return {"name": spec.name, "power": POWER, "hypotheses": found}


def _figures(one: Hypothesis, designs: Mapping[str, FamilyDesign], level: float) -> Json:
    percent = MEASURES[one.measure].kind.percent
    own = fmean(map(_variance, designs.values())) if percent else None
    deviations = {} if own is None else {sd: (sd**2 + own) ** 0.5 for sd in SPREADS}
    return {
        **one.model_dump(mode="json", include={"claim", "variant", "against"}),
        "families": len(designs),
        "runs": list(next(iter(designs.values())).runs),
        "level": level,
        "margin": one.margin,
        "within": None if own is None else own**0.5,
        "by_sd": {
            f"{sd:.2f}": _found(len(designs), deviation, one.margin, level)
            for sd, deviation in deviations.items()
        },
    }


def _variance(told: FamilyDesign) -> float:
    """Of one family's difference, by the model fitted to the published experiments."""
    design = Design(told.runs, tuple(told.casts), told.pictures, told.strata, told.macro)
    return forecast(design, World(share=USUAL_MEAN)).variance


def _found(families: int, deviation: float, margin: float, level: float) -> Json:
    if families < FEWEST:
        return {"finds": None, "finds_beyond": None, "equal": None}
    finds = found_over(families, deviation, level)
    part = Part(deviation**2 / families, families - 1)
    equal = within(Forecast(part.variance, (part,), ()), margin, 2 * level - 1) if margin else None
    beyond = margin + finds
    return {
        "finds": finds if finds < 1 else None,
        "finds_beyond": beyond if beyond < 1 else None,
        "equal": equal,
    }


HEADINGS = ("hypothesis", "families", "runs", "SD", "finds", "margin", "beyond it", "no difference")


def family_power_rows(power: Json) -> list[list[str]]:
    """A row for each hypothesis and each spread over families, as texts under HEADINGS."""
    rows = []
    for name, one in power["hypotheses"].items():
        head = [name, str(one["families"]), runs_said(one["runs"])]
        margin = amount(one["margin"], "points", False)
        if not one["by_sd"]:
            rows.append([*head, "", "unknown", margin, "unknown", "unknown"])
        for sd, found in one["by_sd"].items():
            finds, beyond = (
                amount(found[key], "points", False) for key in ("finds", "finds_beyond")
            )
            equal = "–" if found["equal"] is None else f"{100 * found['equal']:.0f} %"
            rows.append([*head, f"{100 * float(sd):.0f}", finds, margin, beyond, equal])
    return rows


def family_power_table(power: Json) -> str:
    """The same as text for a terminal."""
    rows = [list(HEADINGS), *family_power_rows(power)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if n == 0 else text.rjust(width)
            for n, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in rows
    ]
    often = f"{100 * power['power']:.0f} % of cases"
    head = (
        f"{power['name']}: what these families find in {often} (in percentage points), if the "
        "effect's standard deviation over families is SD"
    )
    return "\n".join([head, *lines])
