"""A small table of figures that says nobody's name: for people who train on their own
photos and want to tell what came out.

No names, letters, captions, prompts, file names or texts of the configuration; variants have
names of shipped experiments, or numbers. Knows summary.json, verdicts.json and lora.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from kindred.config.user_schema import BASE_VARIANT
from kindred.specs.family_figures import FIGURES

COLUMNS = ("part", "arm", "figure", "value", "low", "high", "runs", "pictures")
KNOWN = ("photos", "composed", "dealt", "linked", "null", "singles", BASE_VARIANT)
Json = Mapping[str, Any]
Line = dict[str, Any]


def figures_to_send(
    summary: Json, verdicts: Json, trainings: Sequence[Json], revision: str
) -> list[Line]:
    """Rows under COLUMNS. trainings: lora.json of every training; revision: of the code."""
    arms = _arms(summary["variants"])
    rows = [*_setting(summary, trainings, revision)]
    for name, variant in summary["variants"].items():
        for figures in variant.get("casts", {}).values():
            rows += _of_arm(arms[name], variant, figures)
    for one in verdicts["hypotheses"].values():
        names = f"{arms[one['variant']]} - {arms[one['against']]}"
        low, high = one["adjusted"]["low"], one["adjusted"]["high"]
        ends = {"value": one["difference"], "low": low, "high": high}
        rows.append({"part": "verdict", "arm": names, "figure": one["label"], **ends})
    return rows


def _arms(variants: Json) -> dict[str, str]:
    """How each variant is called: by a name that shipped experiments have, or by a number."""
    others = [name for name in variants if name not in KNOWN]
    numbers = {name: f"arm {n}" for n, name in enumerate(others, 1)}
    return {name: numbers.get(name, name) for name in variants}


def _setting(summary: Json, trainings: Sequence[Json], revision: str) -> list[Line]:
    """What was trained with, on what, how fast; how many people, and how far the judge is sure."""
    # A base is called as somebody likes, so its kind and size are told instead of its name.
    kinds = {one["version"].split(", ")[1].split()[0] for one in trainings if "version" in one}
    sizes = [one["trainable_parameters"] for one in trainings if "trainable_parameters" in one]
    told: dict[str, Any] = {
        "revision": revision,
        "architecture": ", ".join(sorted(kinds)),
        "trained parameters": _mean(sizes),
        "people": len(summary["characters"]),
        "reference photos": ", ".join(
            str(len(one["photos"])) for _, one in sorted(summary["references"].items())
        ),
        "card": ", ".join(sorted({str(one["device"]) for one in trainings if one.get("device")})),
        "seconds a step": _mean([one["seconds"] / one["steps"] for one in trainings]),
        "peak GiB": _mean([one["peak_memory_mib"] / 1024 for one in trainings]),
        "steps": _mean([one["steps"] for one in trainings]),
    }
    if believed := summary["judge"].get("believed"):
        table = believed["confusion"]
        right = sum(row.get(letter, 0) for letter, row in table.items())
        total = sum(sum(row.values()) for row in table.values())
        told |= {"photos named rightly by the judge": right, "photos named by the judge": total}
    return [
        {"part": "setting", "figure": name, "value": value}
        for name, value in told.items()
        if value not in (None, "")
    ]


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 3) if values else None


def _of_arm(arm: str, variant: Json, figures: Json) -> list[Line]:
    """Cast accuracy with its interval, by kinds of casts, and all other figures."""
    head = {"part": "arm", "arm": arm, "runs": len(variant["runs"]), "pictures": figures["images"]}
    kinds = {"all": "all casts", "family": "family alone", "others": "with strangers"}
    rows = [
        head | {"figure": kinds[kind], **{key: one[key] for key in ("low", "high")}}
        | {"value": one["mean"]}
        for kind, one in figures["accuracy"].items()
    ]  # fmt: skip
    casts = FIGURES["casts"].of_parts
    assert casts is not None
    rows += [head | {"figure": kind, "value": value} for kind, value in casts(figures).items()]
    for name, figure in FIGURES.items():
        value = figure.read(figures)
        if name not in ("casts", "members", "strangers") and value is not None:
            rows.append(head | {"figure": figure.heading, "value": round(value, 4)})
    return rows
