"""How the kept steps of trainings compare, and which one to take.

A part of the results of its own, series.json: variant -> measure -> the figures of every step,
each run's and their mean with its interval, and the step to take: of those within 2 points of the
best the first that is as alike as any of them (docs/guide/which-step.md). Steps are compared on
prompts that no verdict uses. Knows rows of scores; knows nothing of adapters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kindred.evidence import variant_statistics
from kindred.evidence.held_out_steps import agreement, held_out_choice, loss_figures
from kindred.evidence.score_grids import ImageIndex, ScoreGrid, grid_of, pictures_of
from kindred.evidence.step_losses import StepLosses
from kindred.evidence.variant_statistics import number
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import CompareSpec
from kindred.specs.step_series import SELECTION, SeriesSpec

Json = dict[str, Any]
Rows = Sequence[Mapping[str, str]]
TOLERANCE = 0.02  # steps within so much of the best are as good
AS_ALIKE = 0.01  # and of these the ones within so much likeness as alike
PAIRS = 6  # of pictures and what they lie nearest to, to look at
SHOWN = ("cast", "success", "identity", "adherence", "copied", "nearest_distance")


def deciding_measure(spec: SeriesSpec) -> str | None:
    """What a step is chosen by: cast accuracy where prompts are of casts; None without prompts."""
    if not spec.prompts:
        return None
    return "cast" if spec.casts else "success"


def step_to_take(
    steps: Sequence[int],
    values: Sequence[float | None],
    likeness: Sequence[float | None] = (),
) -> int | None:
    """Of the steps whose value is within TOLERANCE of the best, the first whose likeness is within
    AS_ALIKE of theirs, where that is known; None where no step has a value.

    Whoever is asked for is found early in a training, and grows more alike long after.
    """
    good = _near_best(dict(zip(steps, values, strict=True)), TOLERANCE)
    alike = _near_best({k: v for k, v in zip(steps, likeness, strict=False) if k in good}, AS_ALIKE)
    return next(iter(alike or good), None)


def _near_best(values: Mapping[int, float | None], tolerance: float) -> list[int]:
    """The steps within so much of the best, in their order; none where nothing is known."""
    known = {step: value for step, value in values.items() if value is not None}
    line = max(known.values(), default=0.0) - tolerance - 1e-9
    return [step for step, value in known.items() if value >= line]


def series_figures(
    spec: SeriesSpec,
    tables: Mapping[tuple[str, int, int], Rows],
    losses: Mapping[tuple[str, int], StepLosses],
) -> Json:
    """Everything that series.json says. tables: (variant, run, step) -> rows of scores; losses:
    (variant, run) -> the training's, of variants that hold photos out."""
    pictures = _pictures(spec, tables) if spec.judge and spec.prompts else None
    return {
        "measure": deciding_measure(spec),
        "pictures": len(pictures.cells) if pictures else 0,
        "variants": {
            name: _of_variant(name, spec, tables, losses, pictures) for name in spec.variants
        },
    }


def taken_step(own: Mapping[str, Any]) -> int | None:
    """The step that a variant of series.json takes, by the mean over its runs; None where nothing
    tells."""
    if own["take"] == "held_out":
        found: int = own["held_out"]["step"]
        return found
    return own["step"] if own["take"] == "best" else own["steps"][-1]


def _pictures(spec: SeriesSpec, tables: Mapping[tuple[str, int, int], Rows]) -> ImageIndex:
    compared = CompareSpec(
        experiment=spec.experiment,
        judge=spec.judge,
        characters=spec.characters,
        variants={},
        prompt_sets={SELECTION: spec.prompts},
        casts={SELECTION: spec.casts} if spec.casts else {},
    )
    return pictures_of([row for rows in tables.values() for row in rows], compared)


def _of_variant(
    name: str,
    spec: SeriesSpec,
    tables: Mapping[tuple[str, int, int], Rows],
    losses: Mapping[tuple[str, int], StepLosses],
    pictures: ImageIndex | None,
) -> Json:
    own, measures, pairs = spec.variants[name], Json(), list[Json]()
    if pictures:
        measures = _measures(name, spec, tables, pictures)
        pairs = _nearest([row for run in own.runs for row in tables[name, run, own.steps[-1]]])
    given = {"pairs": pairs, "runs": own.runs, "steps": own.steps, "take": own.take}
    decides = deciding_measure(spec)
    deciding = measures.get(decides) if decides else None
    given |= _choice(own.steps, deciding, measures.get("identity"))
    if own.held_out:
        of_runs = [losses[name, run] for run in own.runs]
        given["held_out"] = held_out_choice(own.steps, of_runs)
        if decides in measures:
            given["agreement"] = agreement(
                own.steps,
                [one.held_out for one in of_runs],
                measures[decides]["runs"],
                given["step_of_runs"],
                given["held_out"]["step_of_runs"],
            )
        measures = measures | loss_figures(of_runs)
    return given | {"measures": measures}


def _measures(
    name: str,
    spec: SeriesSpec,
    tables: Mapping[tuple[str, int, int], Rows],
    pictures: ImageIndex,
) -> Json:
    own, letters = spec.variants[name], sorted(spec.characters)
    grids = [
        grid_of(
            [row for run in own.runs for row in tables[name, run, step]],
            own.runs,
            pictures,
            letters,
            {},
        )
        for step in own.steps
    ]
    keys = [*SHOWN, *(f"identity:{letter}" for letter in letters)]
    measures = {key: _of_measure(key, grids, pictures) for key in keys}
    return {key: found for key, found in measures.items() if found}


def _of_measure(key: str, grids: Sequence[ScoreGrid], pictures: ImageIndex) -> Json | None:
    """`mean`: a statistic a step; `runs`: each run's means by step. None where nothing is known."""
    if not any(np.isfinite(grid.values[key]).any() for grid in grids):
        return None
    measure, every = MEASURES.get(key), np.ones(len(pictures.cells), dtype=bool)
    macro, share = (measure.macro, measure.kind.binary) if measure else (False, False)

    def told(values: np.ndarray) -> Json | None:
        arm = variant_statistics.Arm(values)
        return variant_statistics.statistic(arm, pictures, every, share, macro=macro)

    means = [told(grid.values[key]) for grid in grids]
    runs = [
        [(told(grid.values[key][[place]]) or {}).get("mean") for grid in grids]
        for place in range(len(grids[0].runs))
    ]
    return {"mean": means, "runs": runs}


def _nearest(rows: Rows) -> list[Json]:
    """The pictures that lie nearest to something trained on, and what that is."""
    found = []
    for row in rows:
        for what in ("nearest", "nearest_composite"):
            if row["kind"] == "image" and row[f"{what}_distance"]:
                place = {key: row[key] for key in ("run", "prompt", "seed", "key")}
                distance = float(row[f"{what}_distance"])
                copied = row["copied"] in ("1", "1.0", "True")
                found.append({**place, "photo": row[what], "distance": distance, "copy": copied})
    return sorted(found, key=lambda one: one["distance"])[:PAIRS]


def _choice(steps: Sequence[int], deciding: Json | None, likeness: Json | None) -> Json:
    """The step to take by the mean over runs, what it reads there and at the last step, and what
    each run alone would take."""
    if deciding is None:
        return {"step": None}
    means = _means(deciding)
    step = step_to_take(steps, means, _means(likeness) if likeness else ())
    if step is None:
        return {"step": None}
    there, last = means[steps.index(step)], means[-1]
    lost = None if last is None or there is None else number(there - last)
    alike = likeness["runs"] if likeness else [()] * len(deciding["runs"])
    by_run = [step_to_take(steps, *both) for both in zip(deciding["runs"], alike, strict=True)]
    return {"step": step, "value": there, "last": last, "lost": lost, "step_of_runs": by_run}


def _means(measure: Json) -> list[float | None]:
    """A measure's mean at each step."""
    return [one["mean"] if one else None for one in measure["mean"]]
