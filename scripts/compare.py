"""Variants and hypotheses: from score files to figures with intervals and verdicts.

in:  <results>/<variant>/run-<k>/scores/<prompt_set>.csv and lora.json of every variant and run,
     references.json of the judge; optionally ratings and the log of declared hypotheses
out: <results>/scores.csv (all rows), summary.json (figures), verdicts.json
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError, Problems, run_main
from kindred.common.files import read_json, write_json
from kindred.evidence.human_ratings import known_ratings, mean_ratings, read_ratings
from kindred.evidence.preregistration import note_comparison, read_log
from kindred.evidence.score_grids import ScoreGrid, grid_of, pictures_of
from kindred.evidence.summary import judge_part, ratings_part, summary
from kindred.evidence.verdicts import verdicts
from kindred.scoring.score_table import ADVICE, Scored, read_scores, write_texts
from kindred.scoring.table_provenance import code_revisions
from kindred.specs.scoring import CompareSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="CompareSpec as JSON, or a file of it")
    parser.add_argument("--results", required=True, type=Path, help="folder of the experiment")
    parser.add_argument("--references", required=True, type=Path, help="references.json")
    parser.add_argument("--ratings", nargs="*", default=[], type=Path, help="ratings.csv files")
    parser.add_argument("--declared", type=Path, help="log of declared hypotheses, JSON lines")
    parser.add_argument("--scores", required=True, type=Path, help="scores.csv to write")
    parser.add_argument("--summary", required=True, type=Path, help="summary.json to write")
    parser.add_argument("--verdicts", required=True, type=Path, help="verdicts.json to write")
    return parser.parse_args(argv)


def gather(spec: CompareSpec, results: Path, judge: str) -> dict[str, list[Scored]]:
    """Variant -> score rows of all its runs and prompt sets.

    Raises ProblemsError naming every file that is missing, of another version, or scored by
    another judge than `judge` (a hash).
    """
    problems = Problems("scores can't be compared")
    found: dict[str, list[Scored]] = {name: [] for name in spec.variants}
    for name, variant in spec.variants.items():
        for run in variant.runs:
            for prompt_set in spec.prompt_sets:
                path = results / name / f"run-{run}" / "scores" / f"{prompt_set}.csv"
                try:
                    rows = read_scores(path)
                except KindredError as error:
                    problems.add_error(str(path), error)
                    continue
                other = {row["judge"] for row in rows} - {judge}
                if other:
                    problems.add(str(path), "scored by another judge or references", ADVICE)
                found[name] += rows
    problems.raise_if_any()
    return found


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


def main(argv: list[str] | None = None) -> int:
    """Compare one experiment's variants."""
    options = parse(argv)
    spec = CompareSpec.read(options.spec)
    references = read_json(options.references)
    rows = gather(spec, options.results, references["hash"])
    everything = [row for part in rows.values() for row in part]
    keys = {row["key"] for row in everything}
    where = ", ".join(str(path) for path in options.ratings)
    rated, warnings = known_ratings(read_ratings(options.ratings), keys, where)
    warnings += shared_runs(spec)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    pictures = pictures_of(everything, spec)
    letters, means = sorted(spec.characters), mean_ratings(rated)
    probable = spec.judge.kind == "lab"  # adherence by other judges is a cosine
    grids: dict[str, ScoreGrid] = {
        name: grid_of(part, spec.variants[name].runs, pictures, letters, means, probable)
        for name, part in rows.items()
    }
    judge = judge_part(references)
    declared = read_log(options.declared) if options.declared else []
    found = verdicts(spec, grids, pictures, judge, declared)
    trained = trainings(spec, options.results)
    tables = [
        options.results / name / f"run-{run}" / "scores" / f"{prompt_set}.csv"
        for name, variant in spec.variants.items()
        for run in variant.runs
        for prompt_set in spec.prompt_sets
    ]
    figures = summary(
        spec,
        grids,
        pictures,
        references,
        trained,
        ratings_part(rated, everything),
        warnings,
    )
    figures["code_revisions"] = code_revisions(tables, trained)
    write_texts(options.scores, everything)
    write_json(options.summary, figures)
    write_json(options.verdicts, found)
    if options.declared:
        note_comparison(options.declared)
    for name, entry in found["hypotheses"].items():
        print(f"{name}: {entry['sentence']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
