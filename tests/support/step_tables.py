"""Made-up tables of scores of a training's kept steps, of two runs, and series.json of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kindred.scoring.score_table import COLUMNS
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
    """A picture's row of scores, with every column that such a table has."""
    return dict.fromkeys(COLUMNS, "") | {
        "kind": "image",
        "prompt_set": "selection",
        "prompt": who,
        "seed": str(seed),
        "run": str(run),
        "key": f"{who}{seed}",
        "people_asked": "1",
        "people_found": "1",
        "cast_right": str(int(right)),
        "success": str(int(right)),
        "strangers": "0",
        "copied": str(int(seed == 0)),
        "nearest": f"photo-{seed}",
        "nearest_distance": str(0.1 * (seed + 1) - step / 10000),
    }


def series(
    step: int | None = 200, lost: float = 0.04, runs: Sequence[int] = (1, 2), **changes: Any
) -> dict[str, Any]:
    """series.json of a variant `joint` with three steps."""
    stat = {"mean": 0.9, "low": 0.8, "high": 0.95, "runs": len(runs), "images": 8}
    means = [stat | {"mean": 0.5}, stat, stat | {"mean": 0.86}]
    own = {
        "runs": list(runs),
        "steps": [100, 200, 300],
        "take": "last",
        "measures": {
            "cast": {"mean": means, "runs": [[0.5, 0.9, 0.86]] * len(runs)},
            "identity:J": {"mean": means, "runs": [[0.5, 0.9, 0.86]] * len(runs)},
        },
        "pairs": [{"run": "1", "prompt": "A", "seed": "1", "photo": "IMG_1", "distance": 0.1}],
        "step": step,
        "value": 0.9,
        "last": 0.86,
        "lost": lost,
        "step_of_runs": [200] * len(runs),
    }
    return {"measure": "cast", "pictures": 8, "variants": {"joint": own | changes}}


def told(
    runs: int = 2, least: int = 100, losses: Sequence[float] = (0.2, 0.3, 0.4), **agreement: Any
) -> dict[str, Any]:
    """A series with held-out losses, in which the judge picks step 200 and the loss another."""
    found = series(runs=tuple(range(1, runs + 1)))
    own = found["variants"]["joint"]
    of_step = {"mean": [{"mean": one} for one in losses], "runs": [list(losses)] * runs}
    own["measures"] |= {"held_out_loss": of_step, "training_loss": of_step}
    picked = {"value": min(losses), "last": losses[-1], "step_of_runs": [least] * runs}
    own["held_out"] = {"step": least, **picked}
    known = {"runs": runs, "same": 0, "rank_correlation": None, "low": None, "high": None}
    own["agreement"] = known | {"within": 0.4, "lost": 0.03} | agreement
    return found
