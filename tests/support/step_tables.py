"""Made-up tables of scores of a training's kept steps, of two runs."""

from __future__ import annotations

from typing import Any

from kindred.specs.casts import AskedCast
from kindred.specs.step_series import SeriesSpec

STEPS, RUNS = [100, 200, 300], [1, 2]
# step -> run -> how many of four pictures of cast A are right; of cast J all always are.
RIGHT = {100: {1: 0, 2: 1}, 200: {1: 4, 2: 3}, 300: {1: 4, 2: 2}}


def spec(**changes: Any) -> SeriesSpec:
    """Two runs of one variant, three steps, casts of one person each."""
    cast = {"canvas": "64x64", "wording": "bare"}
    given = {
        "experiment": "e",
        "judge": {"kind": "lab", "model": "m"},
        "characters": {x: {"name": f"{x}Russell", "class": "man"} for x in "AJ"},
        "prompts": {x: f"{x}Russell" for x in "AJ"},
        "casts": {x: AskedCast(name=x, members=[x], **cast) for x in "AJ"},
        "variants": {"v": {"runs": RUNS, "steps": STEPS}},
    }
    return SeriesSpec.model_validate(given | changes)


def tables() -> dict[tuple[str, int, int], list[dict[str, str]]]:
    """Rows of scores of every run and step."""
    found = {}
    for step in STEPS:
        for run in RUNS:
            found["v", run, step] = [
                row(run, who, seed, who == "J" or seed < RIGHT[step][run], step)
                for who in "AJ"
                for seed in range(4)
            ]
    return found


def row(run: int, who: str, seed: int, right: bool, step: int) -> dict[str, str]:
    """A picture's row of scores."""
    empty = "success cast_right identity adherence copied nearest_distance count missing"
    empty += " duplicated strangers strangers_asked unasked diversity drift nearest"
    empty += " nearest_composite nearest_composite_distance"
    return dict.fromkeys(empty.split(), "") | {
        "kind": "image",
        "prompt_set": "selection",
        "prompt": who,
        "seed": str(seed),
        "run": str(run),
        "key": f"{who}{seed}",
        "cast_right": str(int(right)),
        "success": str(int(right)),
        "strangers": "0",
        "copied": str(int(seed == 0)),
        "nearest": f"photo-{seed}",
        "nearest_distance": str(0.1 * (seed + 1) - step / 10000),
    }
