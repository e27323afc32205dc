"""What is said of a training's kept steps: which one to take, by the judge and by the loss on
held-out photos, and how well the one tells the other. Knows series.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kindred.common.sentences import counted
from kindred.report import formatting
from kindred.specs.measures import MEASURES

Json = Mapping[str, Any]
TAKEN = {
    "best": "the step that is best by its own pictures of the selection’s prompts",
    "held_out": "the step with the least loss on held-out photos",
}


def same_trainings(one: Json, other: Json) -> bool:
    """Whether two variants of series.json are the same trainings, of which they may take other
    steps."""
    return all(one[key] == other[key] for key in ("runs", "steps", "measures"))


def distinct(series: Json) -> dict[str, Json]:
    """The variants without those that are the same trainings as another one: the one that takes the
    last step stands for all."""
    found: dict[str, Json] = {}
    by_take = sorted(series["variants"].items(), key=lambda item: item[1]["take"] != "last")
    for name, one in by_take:
        if not any(same_trainings(one, other) for other in found.values()):
            found[name] = one
    return found


def taking(name: str, series: Json) -> list[str]:
    """'“chosen” takes …' of every variant that takes a step of the same trainings."""
    own = series["variants"][name]
    return [
        f"“{other}” takes of each training {TAKEN[one['take']]}."
        for other, one in series["variants"].items()
        if one["take"] in TAKEN and same_trainings(own, one)
    ]


def sentences(name: str, one: Json, measure: str | None) -> Iterator[str]:
    """Which step to take by the judge, which by the held-out loss, and how well they agree."""
    if measure:
        yield _by_judge(name, one, measure)
    if "held_out" in one:
        yield _by_loss(name, one)
    if "agreement" in one and one["agreement"]["runs"]:
        yield _agreement(one, MEASURES[measure].says if measure else "")


def _by_judge(name: str, one: Json, measure: str) -> str:
    """'“composed”: take step 1500 of 4000. …'"""
    step, last = one["step"], one["steps"][-1]
    if step is None:
        return f"“{name}”: no step has a score, so none can be recommended."
    reads = formatting.value_of({"mean": one["value"]}, measure)
    says = MEASURES[measure].says
    said = f"“{name}”: take step {step} of {last}: {reads} of its selection’s {says}."
    if step == last:
        return f"{said} It is the last one, so a longer training may be better still."
    if one["lost"] is None:
        return said
    lost = round(100 * one["lost"])
    points = counted(abs(lost), "point")
    if lost == 0:
        return f"{said} Going on to step {last} changes nothing."
    if lost > 0:
        return f"{said} Going on to step {last} loses {points}."
    return f"{said} Going on to step {last} gains {points}."


def _by_loss(name: str, one: Json) -> str:
    found, last = one["held_out"], one["steps"][-1]
    least = formatting.number(found["value"], 4)
    said = f"“{name}”: the loss on held-out photos is least at step {found['step']}, {least}"
    if found["step"] == last:
        return f"{said}. That is the last step."
    return f"{said}, and {formatting.number(found['last'], 4)} at step {last}."


def _agreement(one: Json, says: str) -> str:
    """How well the held-out loss tells the step that the judge picks."""
    found = one["agreement"]
    if found["runs"] == 1:
        picked, least = one["step_of_runs"][0], one["held_out"]["step_of_runs"][0]
        both = f"In this training the judge picks step {picked} and the held-out loss step {least}."
        return f"{both}{_cost(found, says)}"
    said = (
        f"Over {found['runs']} trainings the judge and the held-out loss pick the same step in "
        f"{found['same']}"
    )
    if found["rank_correlation"] is None:
        said += "; one of them picks the same step in all, so there is no rank correlation."
    else:
        said += f"; rank correlation {formatting.number(found['rank_correlation'])}"
        if found["low"] is not None:
            ends = formatting.number(found["low"]), formatting.number(found["high"])
            said += f" ({ends[0]} to {ends[1]})"
        said += "."
    if found["within"] is not None:
        said += (
            " Within a training the steps stand in the same order with a rank correlation of "
            f"{formatting.number(found['within'])} (1: the same, 0: unrelated)."
        )
    return f"{said}{_cost(found, says)}"


def _cost(found: Json, says: str) -> str:
    """What the judge reads less at the step of the loss."""
    if found["lost"] is None:
        return ""
    lost = round(100 * found["lost"])
    points = counted(abs(lost), "point")
    if lost == 0:
        return f" At the step of the loss the selection’s {says} are as many."
    return f" At the step of the loss it is {points} {'less' if lost > 0 else 'more'}."
