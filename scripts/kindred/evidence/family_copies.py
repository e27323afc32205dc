"""Pictures that copy what was trained on: when they leave cast accuracy, and what it is without.

Knows summary.json and rows of scores; knows nothing of how copies are found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from kindred.common.sentences import counted
from kindred.evidence.family_means import told
from kindred.evidence.variant_statistics import number
from kindred.specs.families import CopiesLimit
from kindred.specs.scoring import Hypothesis

NONE = {"images": 0}
Json = Mapping[str, Any]
Rows = Sequence[Mapping[str, str]]


def copies_read(limit: CopiesLimit, summaries: Mapping[str, Json]) -> dict[str, Any]:
    """Shares of copies among a variant's pictures and held-out photos, means over the families that
    have both; `leave`: whether copies leave all casts."""
    pairs = [pair for one in summaries.values() if (pair := _shares(one, limit.variant))]
    copied, held_out = ([pair[n] for pair in pairs] for n in (0, 1))
    difference = told([a - b for a, b in pairs])
    leave = difference is not None and difference["mean"] > limit.above
    found = {
        "variant": limit.variant,
        "above": limit.above,
        "copied": told(copied),
        "held_out": told(held_out),
        "difference": difference,
        "leave": leave,
        "fewest": limit.fewest,
    }
    return found | {"sentence": _sentence(found)}


def _shares(summary: Json, variant: str) -> tuple[float, float] | None:
    one = summary.get("copies", {}).get(variant)
    if one is None or one["copied"] is None or not one["held_out"]:
        return None
    pair = one["copied"]["mean"], one["held_out"]["copied"]
    return None if None in pair else pair


def _sentence(found: Json) -> str:
    name = found["variant"]
    if found["difference"] is None:
        return f"Copies of {name} were not measured beside held-out photos, so none are left out."
    shares = [f"{100 * found[key]['mean']:.1f} %" for key in ("copied", "held_out")]
    text = f"{shares[0]} of the pictures of {name} copy what was trained on, {shares[1]} of photos"
    text += " that were not"
    limit = counted(f"{100 * found['above']:.3g}", "point")
    if found["leave"]:
        enough = (
            f", in claims those with {counted(found['fewest'], 'picture')} or more left of both"
            if found["fewest"]
            else ""
        )
        return f"{text}: more by over {limit}, so all casts are counted without copies{enough}."
    return f"{text}: not more by over {limit}, so all pictures count."


def pictures_left(rows: Rows, variant: str) -> tuple[int, int]:
    """How many of a variant's pictures with casts copy nothing, and how many there are."""
    copied = [
        row["copied"] == "1"
        for row in rows
        if row["kind"] == "image" and row["variant"] == variant and row["cast_right"]
    ]
    return copied.count(False), len(copied)


def means_of_both(summary: Json, h: Hypothesis, fewest: int) -> tuple[float, float] | None:
    """Cast accuracy of both variants of a claim, over the casts of which both have so many pictures
    left; None where there are no such casts."""
    arms = [
        summary["variants"][name]["casts"][h.prompt_set]["casts"] for name in (h.variant, h.against)
    ]
    both = [
        cast for cast in arms[0] if all(arm.get(cast, NONE)["images"] >= fewest for arm in arms)
    ]
    if not both:
        return None
    one, other = (fmean(arm[cast]["mean"] for cast in both) for arm in arms)
    return one, other


def without_copies(summary: Json, rows: Rows) -> dict[str, Any]:
    """summary.json with cast accuracy of the pictures that copy nothing: of every variant the mean
    within each cast, then over casts. rows: of all scores, with `variant`."""
    kept: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["kind"] == "image" and row["cast_right"] and row["copied"] != "1":
            place = row["variant"], row["prompt_set"]
            kept[place][row["cast"]].append(float(row["cast_right"]))
    strangers = {
        (prompt_set, one["name"]): one["strangers"] > 0
        for prompt_set, told_of in summary.get("casts", {}).items()
        for one in told_of["casts"]
    }
    variants = {name: dict(one) for name, one in summary["variants"].items()}
    for (name, prompt_set), casts in kept.items():
        means = {cast: fmean(values) for cast, values in casts.items()}
        variants[name] = _with_means(variants[name], prompt_set, means, casts, strangers)
    return {**summary, "variants": variants}


def _with_means(
    variant: Json,
    prompt_set: str,
    means: Mapping[str, float],
    casts: Mapping[str, Sequence[float]],
    strangers: Mapping[tuple[str, str], bool],
) -> dict[str, Any]:
    """A variant of summary.json with other means of its casts, and no intervals of these."""

    def of(*kinds: bool) -> Json | None:
        own = [value for cast, value in means.items() if strangers[prompt_set, cast] in kinds]
        return {"mean": number(fmean(own)), "low": None, "high": None} if own else None

    accuracy = {"all": of(False, True), "family": of(False), "others": of(True)}
    figures = variant["casts"][prompt_set] | {
        "accuracy": {kind: one for kind, one in accuracy.items() if one},
        "casts": {
            cast: {"mean": number(value), "images": len(casts[cast])}
            for cast, value in means.items()
        },
    }
    measures = {**variant["measures"]}
    measures["cast"] = {**measures["cast"], f"set:{prompt_set}": accuracy["all"]}
    return {
        **variant,
        "measures": measures,
        "casts": {**variant["casts"], prompt_set: figures},
    }
