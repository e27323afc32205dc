"""The next experiment as text to paste into config/experiments/: like this one, with one change.

Knows the keys of an experiment file; what to change is decided by who looks at the figures
(recommendations.py, adapter_offer.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from kindred.common.commands import snakemake
from kindred.common.sentences import listing
from kindred.report.report_data import ReportData
from kindred.specs.composites import Composites
from kindred.specs.measures import MEASURES
from kindred.specs.report import ReportSpec

HEADING = (
    "# yaml-language-server: $schema=../schema.json\n"
    "# Save as config/experiments/{file}.yaml and run: {command}\n"
    "# Trained anew: {new}. `snakemake -n` lists a train job for every LoRA.\n"
    "# Those of before are copied from resources/, unless photos, captions or settings changed.\n"
)
WIDTH = 96

CLAIMS = dict.fromkeys(("success", "cast"), "{} is right more often than {}.")
CLAIMS["identity"] = "People drawn by {} are more alike than by {}."
# Where less is better, the claim is about the variant that has more.
CLAIMS["pull"] = "Where nobody is named, {} shows somebody of the family more often than {}."
CLAIMS["duplicated"] = "{} draws somebody twice more often than {}."


@dataclass(frozen=True)
class Change:
    """What is to be tried. name: of the experiment and its variants; question: in a sentence.
    variants: what comes behind the variant's name -> keys that differ from `of`; '' stands for the
    variant itself. measure, prompt_set: what decides. beside: further parts of the file."""

    name: str
    question: str
    of: str
    variants: Mapping[str, Mapping[str, Any]]
    measure: str = "success"
    prompt_set: str = ""
    runs: int | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)


def as_yaml(data: ReportData, spec: ReportSpec, change: Change) -> str:
    """The experiment file; '' where this experiment has no file of its own to be like."""
    if not spec.like:
        return ""
    variants = {
        _free(data, change.of, name): {"from": change.of, **keys}
        for name, keys in change.variants.items()
    }
    told: dict[str, Any] = {
        "like": spec.like,
        "title": change.question,
        "question": change.question,
        **({"runs": change.runs} if change.runs else {}),
        **change.beside,
        "variants": variants,
        "hypotheses": dict.fromkeys(data.hypotheses),
    }
    prompt_set = change.prompt_set or _asked_set(data, change.measure)
    for name in variants:
        arms = (name, change.of)[:: -1 if MEASURES[change.measure].better == "less" else 1]
        told["hypotheses"][f"{name}-helps"] = {
            "claim": CLAIMS[change.measure].format(*arms),
            "variant": arms[0],
            "against": arms[1],
            "measure": change.measure,
            "prompt_set": prompt_set,
            "primary": True,
        }
    new = listing([*variants, *(["runs that are not there yet"] if change.runs else [])])
    return _written(f"{spec.like}-{change.name}", told, new)


def more_runs(spec: ReportSpec, variants: Sequence[str], runs: int) -> str:
    """The experiment file that trains all variants so many times, to tell some of them apart; ''
    where this one has no file. Variants of sweeps are no keys that it could leave out."""
    if not spec.like:
        return ""
    question = f"Which is better, {' or '.join(variants)}? Each trained {runs} times."
    told = {"like": spec.like, "title": question, "question": question, "runs": runs}
    new = "runs that are not there yet, of every variant (leave one out with `null`)"
    return _written(f"{spec.like}-{runs}-runs", told, new)


def composites_besides(
    data: ReportData, spec: ReportSpec, variant: str, cells: Mapping[str, int]
) -> dict[str, Any]:
    """`compose` with so many more pictures of these cells than a variant has, else as it has them;
    where it has none, on every shape of picture (docs/findings/recipe.md)."""
    had = composites_of(data, spec, variant)
    counts = had.counts() if had else {}
    wanted = {**counts, **{cell: counts.get(cell, 0) + n for cell, n in cells.items()}}
    told: dict[str, Any] = {"cells": dict(sorted(wanted.items())), "background": "any"}
    if had is None:
        return {**told, "canvas": "any"}
    kept = had.model_dump(include={"canvas", "heads", "strangers"})
    return {**told, **kept}


def composites_of(data: ReportData, spec: ReportSpec, variant: str) -> Composites | None:
    """What a variant's composites are made by; None without any."""
    trained = data.specs.get(variant)
    made = spec.made.get(trained["dataset"]) if trained else None
    return made.compose if made else None


def photos_per_cell(data: ReportData, variant: str) -> Mapping[str, int]:
    """Photos of each cell that a variant was trained on; {} when it is not trained."""
    runs = data.variants[variant]["runs"]
    training = data.trainings.get((variant, runs[0])) if runs else None
    return (training or {}).get("photos_per_cell") or {}


def photos_to_crop(data: ReportData, spec: ReportSpec, variant: str) -> Mapping[str, int]:
    """Photos of each cell that a variant was trained on, without composites, of which nobody can be
    cropped; {} where it was trained on crops already."""
    trained = data.specs.get(variant)
    made = spec.made.get(trained["dataset"]) if trained else None
    if made is not None and made.crop:
        return {}
    composed = made.compose.counts() if made is not None and made.compose else {}
    cells = photos_per_cell(data, variant)
    return {cell: max(0, number - composed.get(cell, 0)) for cell, number in cells.items()}


def _free(data: ReportData, of: str, name: str) -> str:
    """A name that no variant has."""
    wanted, number = f"{of}-{name}"[:60], 2
    while wanted in data.variants:
        wanted, number = f"{of}-{name}"[:56] + f"-{number}", number + 1
    return wanted


def _asked_set(data: ReportData, measure: str) -> str:
    """The prompt set that asks for most people at once, or that most often names nobody."""
    nobody = Counter(prompt[0] for prompt in data.prompts if not prompt[3])
    if measure == "pull" and nobody:
        return nobody.most_common(1)[0][0]
    return max(data.prompts, key=lambda prompt: prompt[3].count("+") if prompt[3] else -1)[0]


def _written(file: str, told: Mapping[str, Any], new: str) -> str:
    """The file's text; `new`: what it trains that was not trained before."""
    text = yaml.safe_dump(dict(told), sort_keys=False, allow_unicode=True, width=WIDTH)
    return HEADING.format(file=file, command=snakemake(file), new=new) + text
