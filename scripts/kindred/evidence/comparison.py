"""An experiment's variants compared: from rows of scores to figures with intervals and verdicts.

Knows what is put together; the statistics are in the modules that it calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kindred.common.files import read_json
from kindred.evidence.cast_figures import cast_part
from kindred.evidence.copies import copies_part
from kindred.evidence.human_ratings import known_ratings, mean_ratings, read_ratings
from kindred.evidence.score_grids import ScoreGrid, grid_of, pictures_of
from kindred.evidence.summary import controls, failed, judge_part, ratings_part, summary
from kindred.evidence.verdicts import verdicts
from kindred.specs.judge import JUDGES
from kindred.specs.scoring import CompareSpec

Rows = Sequence[Mapping[str, Any]]


def compare(
    spec: CompareSpec,
    rows: Mapping[str, Rows],
    references: Mapping[str, Any],
    trained: Mapping[str, Sequence[Mapping[str, Any]]],
    copied: Mapping[str, Mapping[str, Any]],
    ratings: Sequence[Path],
    declared: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(summary.json, verdicts.json). rows: of scores, by variant. references: references.json.
    trained: lora.json of every run, by variant. copied: what is known of the pictures trained on,
    by variant (scoring/training_pictures.py). ratings: files of people's
    ratings. declared: the log of hypotheses."""
    everything = [row for part in rows.values() for row in part]
    keys, where = {row["key"] for row in everything}, ", ".join(map(str, ratings))
    rated, warnings = known_ratings(read_ratings(ratings), keys, where)
    warnings += shared_runs(spec)
    pictures = pictures_of(everything, spec)
    letters, means = sorted(spec.characters), mean_ratings(rated)
    probable = JUDGES[spec.judge.kind].chances
    grids: dict[str, ScoreGrid] = {
        name: grid_of(part, spec.variants[name].runs, pictures, letters, means, probable)
        for name, part in rows.items()
    }
    read = controls(spec, grids, pictures)
    found = verdicts(spec, grids, pictures, judge_part(references), declared, failed(read))
    told = ratings_part(rated, everything)
    made = summary(spec, grids, pictures, references, trained, told, warnings, read)
    made["casts"], figures = cast_part(spec, rows, grids, pictures)
    for name, one in figures.items():
        made["variants"][name]["casts"] = one
    statistics = {name: one["measures"].get("copied", {}) for name, one in made["variants"].items()}
    made["copies"] = copies_part(rows, copied, statistics)
    return made, found


def in_sentences(figures: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Warnings, and what became of every hypothesis; of summary.json and verdicts.json."""
    said = [f"warning: {warning}" for warning in figures["warnings"]]
    return said + [f"{name}: {one['sentence']}" for name, one in found["hypotheses"].items()]


def trainings(spec: CompareSpec, results: Path) -> dict[str, list[dict[str, Any]]]:
    """Variant -> lora.json of its runs, where something was trained."""
    found = {}
    for name, variant in spec.variants.items():
        if variant.kind == "trained":
            paths = [results / name / f"run-{run}" / "lora.json" for run in variant.runs]
            found[name] = [read_json(path) for path in paths if path.exists()]
    return found


def shared_runs(spec: CompareSpec) -> list[str]:
    """A warning for every two variants that train the same with some of the same runs."""
    trained = [(name, one) for name, one in spec.variants.items() if one.spec]
    return [
        f"variants.{name}: trains the same as {before} with the same runs, so these adapters are "
        "the same and tell nothing; it is no control -> set `first_run` (e.g. 101) there"
        for place, (name, one) in enumerate(trained)
        for before, other in trained[:place]
        if one.spec == other.spec and {*one.runs} & {*other.runs}
    ]
