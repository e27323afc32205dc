"""The figures of cast sets as summary.json holds them: of every variant, and what they are read
beside.

Knows what is put together; the figures are in the modules that it calls. A statistic is {"mean",
"low", "high", "runs", "images"}. Those of accuracy have the interval of the measure `cast`; all
others are a mean over training runs with Student's t interval over them, without ends for a single
run. Kinds of casts: "all", "family" (members alone) and "others".

summary["casts"][prompt set]:
{
 "casts": [{"name": "A+J", "heads": 2, "strangers": 0}], "canvases": ["144x128", ...],
                                     casts: of members alone first, then by the number of heads
 "wordings": ["bare", ...], "per_run": 192,          pictures of one run
 "drawers": {"canvas" | "number" | "nouns": {kind: 0.08}},   the most without names
 "turning": [{"arms": ["a", "b"], "above": ["0.3"], "below": ["0.7"]}]
                                     whose order turns with the threshold of recognition
}
summary["variants"][name]["casts"][prompt set]:
{
 "images": 576, "accuracy": {kind: statistic},
 "worst": {"mean": 0.2, "casts": ["A+C+J"]} or null,  named on one half, read on the other
 "casts": {"A+J": {"mean", "images"}},
 "canvases": {"192x96": {kind: statistic}}, "wordings": {"bare": statistic},
 "detection": {"J": {"hits", "asked", "false_alarms", "others", "sensitivity": statistic,
                     "bias": statistic, "ceiling": 5.07}},
 "bits": {"mean": 1.67 or null, "most": 2.9 or null, "images": {canvas: 384}, "needed": 192,
          "more": {canvas: 96}},
 "order": {"images", "right", "share": statistic, "chance": 0.3, "both": statistic} or null,
 "garments": {"people", "asked", "right": statistic, "swapped": statistic, "same": statistic,
              "chance": 0.4} or null,                 null too where the judge can't read clothes
 "count": {"right": statistic, "difference": statistic, "canvases": {canvas: the same two}},
 "products": {canvas: {"success", "count", "product", "gap": statistic}},
 "looks": {"J": {"alone": statistic, "together": statistic}, "mean": the same two},
 "thresholds": {"0.3": 0.9}          cast accuracy by the identity that counts as recognised
}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kindred.evidence import cast_accuracy, cast_parts, detection, placement
from kindred.evidence.cast_images import CastImage, Row, cast_images, grouped
from kindred.evidence.drawers_without_names import SeenPrompt, drawers
from kindred.evidence.intervals import Arm
from kindred.evidence.mutual_information import bits
from kindred.evidence.score_grids import ImageIndex, ScoreGrid
from kindred.evidence.variant_statistics import statistic
from kindred.specs.casts import WORDINGS, AskedCast
from kindred.specs.scoring import CompareSpec

Json = dict[str, Any]
Images = Mapping[str, Sequence[CastImage]]  # variant -> pictures


def cast_part(
    spec: CompareSpec,
    rows: Mapping[str, Sequence[Row]],
    grids: Mapping[str, ScoreGrid],
    pictures: ImageIndex,
) -> tuple[Json, dict[str, Json]]:
    """(Prompt set -> what is said of the set; variant -> prompt set -> its figures). Both empty
    without cast sets. rows: of scores, by variant; grids: the same as arrays."""
    sets: Json = {}
    variants: dict[str, Json] = {name: {} for name in rows}
    for prompt_set, casts in spec.casts.items():
        images = {name: cast_images(own, prompt_set, casts) for name, own in rows.items()}
        clothes = any(placement.reads_garments(own) for own in images.values())
        for name, own in images.items():
            if own:
                fixed = spec.variants[name].fixed
                values = Arm(grids[name].values["cast"], fixed)
                variants[name][prompt_set] = {
                    **accuracies(values, pictures, prompt_set),
                    **figures(own, sorted(spec.characters), clothes),
                }
        sets[prompt_set] = _set(spec, prompt_set, images)
    return sets, variants


def accuracies(arm: Arm, pictures: ImageIndex, prompt_set: str) -> Json:
    """Cast accuracy by kind of cast, in all, on each canvas and in each wording. arm: values of the
    measure `cast` of all pictures."""
    asked = [cell.cast if cell.prompt_set == prompt_set else None for cell in pictures.cells]
    kinds = {"all": (0, 1), "family": (0,), "others": (1,)}  # 1: with strangers

    def where(holds: Callable[[AskedCast], bool]) -> np.ndarray:
        return np.array([cast is not None and holds(cast) for cast in asked], dtype=bool)

    def of(mask: np.ndarray) -> Json | None:
        return statistic(arm, pictures, mask, share=True, macro=True)

    def by_kind(mask: np.ndarray) -> Json:
        found = {
            kind: of(mask & where(lambda cast, s=strangers: (cast.strangers > 0) in s))
            for kind, strangers in kinds.items()
        }
        return {kind: value for kind, value in found.items() if value}

    canvases = sorted({cast.canvas for cast in asked if cast})
    wordings = sorted({cast.wording for cast in asked if cast})
    return {
        "accuracy": by_kind(where(lambda cast: True)),
        "canvases": {x: by_kind(where(lambda cast, x=x: cast.canvas == x)) for x in canvases},
        "wordings": {x: of(where(lambda cast, x=x: cast.wording == x)) for x in wordings},
    }


def figures(images: Sequence[CastImage], letters: Sequence[str], clothes: bool) -> Json:
    """All other figures of one variant's pictures. `clothes`: the judge can read them."""
    return {
        "images": len(images),
        "worst": cast_accuracy.worst_cast(images),
        "casts": cast_accuracy.by_cast(images),
        "detection": detection.detections(images, letters),
        "bits": bits(images),
        "order": placement.order(images),
        "garments": placement.garments(images) if clothes else None,
        "count": cast_parts.counts(images),
        "products": cast_parts.products(images),
        "looks": cast_parts.looks(images, letters),
        "thresholds": cast_accuracy.threshold_curve(images),
    }


def _set(spec: CompareSpec, prompt_set: str, images: Images) -> Json:
    """What is said of a prompt set whoever draws it."""
    casts = spec.casts[prompt_set]
    drawn = {name: own for name, own in images.items() if own}
    trained = {name: own for name, own in drawn.items() if not spec.variants[name].fixed}
    per_run = max((_of_one_run(own) for own in drawn.values()), key=len, default=[])
    pictures = Counter(image.prompt for image in per_run)
    prompts = [
        SeenPrompt(asked, spec.prompt_sets[prompt_set][name], pictures[name])
        for name, asked in casts.items()
        if pictures[name]
    ]
    curves = {name: cast_accuracy.threshold_curve(own) for name, own in trained.items()}
    return {
        "casts": [
            {"name": name, "heads": heads, "strangers": strangers}
            for name, heads, strangers in sorted(
                {(one.name, one.heads, one.strangers) for one in casts.values()},
                key=lambda cast: (cast[2] > 0, cast[1], cast[0]),
            )
        ],
        "canvases": sorted({one.canvas for one in casts.values()}),
        "wordings": [x for x in WORDINGS if any(one.wording == x for one in casts.values())],
        "per_run": len(per_run),
        "drawers": drawers(prompts, spec.characters),
        "turning": cast_accuracy.turning(curves),
    }


def _of_one_run(images: Sequence[CastImage]) -> list[CastImage]:
    """The pictures of the run that has most."""
    return max(grouped(images, lambda image: image.run).values(), key=len)
