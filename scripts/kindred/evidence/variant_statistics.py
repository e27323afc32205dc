"""Figures of every variant with their intervals, as summary.json holds them (see verdicts.py).

Knows grids of values; knows nothing of hypotheses or of how to say things.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kindred.characters.cells import cell_name
from kindred.evidence import intervals
from kindred.evidence.hypothesis_tests import arms_of
from kindred.evidence.intervals import Arm, Estimate
from kindred.evidence.score_grids import MISSING, STRANGER, ImageIndex, ScoreGrid
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import CompareSpec

FAINT = 0.2  # identity below which nothing is told as a share of it
Stat = dict[str, Any]


def number(value: float | None, digits: int = 4) -> float | None:
    """Rounded; None for what is not a number."""
    return None if value is None or not math.isfinite(value) else round(float(value), digits)


def statistic(
    arm: Arm,
    pictures: ImageIndex,
    mask: np.ndarray,
    share: bool = False,
    bounded: bool = False,
    macro: bool = False,
) -> Stat | None:
    """Mean over the pictures in `mask` [N] with its 95 % interval; None without values. The
    interval of a single training run speaks of its prompts alone. `share`: values are 0/1;
    `bounded`: the mean lies between 0 and 1 all the same, so its interval does. `macro`: over casts
    of the mean within."""
    known, values = _known(arm.values, mask)
    if not known.any():
        return None
    estimate = intervals.mean(Arm(values, arm.fixed), pictures.sample(known, macro), share)
    low, high = estimate.interval()
    low, high = (max(0.0, low), min(1.0, high)) if share or bounded else (low, high)
    return _told(estimate.value, (low, high), values)


def _told(mean: float, interval: tuple[float, float] | None, values: np.ndarray) -> Stat:
    """A statistic of `values` [R, N] as summary.json holds it."""
    known = np.isfinite(values)
    low, high = interval or (None, None)
    return {
        "mean": number(mean),
        "low": number(low),
        "high": number(high),
        "runs": int(known.any(1).sum()),
        "images": int(known.sum()),
    }


def scopes(pictures: ImageIndex, prompt_sets: Sequence[str]) -> dict[str, np.ndarray]:
    """Name -> mask [N]: all pictures, those of a prompt set, of a cell, of a number of people."""
    found = {"all": np.ones(len(pictures.cells), dtype=bool)}
    found |= {f"set:{name}": pictures.of_set(name) for name in prompt_sets}
    cells = sorted({cell_name(c.asked) for c in pictures.cells if c.asked})
    found |= {f"cell:{cell}": pictures.of_cell(cell) for cell in cells}
    sizes = sorted({len(c.asked) for c in pictures.cells if c.asked})
    return found | {f"asked:{size}": pictures.of_size(size) for size in sizes}


def measures(
    grid: ScoreGrid, fixed: bool, pictures: ImageIndex, where: dict[str, np.ndarray]
) -> Stat:
    """Measure -> scope -> statistic, where there is one."""
    table: Stat = {}
    for name, measure in MEASURES.items():
        values = grid.values[name]
        if np.isfinite(values).any():
            bounded = measure.kind.bounded(float(np.nanmin(values)), float(np.nanmax(values)))
            found = {
                scope: statistic(
                    Arm(values, fixed), pictures, mask, measure.kind.binary, bounded, measure.macro
                )
                for scope, mask in where.items()
            }
            table[name] = {scope: value for scope, value in found.items() if value}
    return table


def identities(grid: ScoreGrid, fixed: bool, pictures: ImageIndex, letters: Sequence[str]) -> Stat:
    """Character -> number of people asked for -> statistic of identity."""
    sizes = sorted({len(c.asked) for c in pictures.cells if c.asked})
    masks = {size: pictures.of_size(size) for size in sizes}
    found: Stat = {}
    for letter in letters:
        values = grid.values[f"identity:{letter}"]
        by_size = {
            str(size): statistic(Arm(values, fixed), pictures, mask) for size, mask in masks.items()
        }
        found[letter] = {size: value for size, value in by_size.items() if value}
    return found


@dataclass(frozen=True)
class SingleLoraReference:
    """Identity in pictures of a character alone by a LoRA of its own, trained `runs` times."""

    identity: Estimate
    runs: int


def single_lora_references(
    own: Mapping[str, ScoreGrid], pictures: ImageIndex
) -> dict[str, SingleLoraReference]:
    """Character -> what it is measured by, of the grids of LoRAs of their own; without characters
    of whom that is hardly a likeness (`FAINT`)."""
    found = {}
    for letter, grid in own.items():
        asked, values = _known(grid.values[f"identity:{letter}"], pictures.of_cell(letter))
        if asked.any() and _mean(values) >= FAINT:
            mean = intervals.mean(Arm(values), pictures.sample(asked))
            found[letter] = SingleLoraReference(mean, len(values))
    return found


def share_of_single_lora(
    grid: ScoreGrid, fixed: bool, pictures: ImageIndex, marks: Mapping[str, SingleLoraReference]
) -> Stat:
    """Character -> number of people asked for -> statistic of identity as a share of the mark; no
    interval where that was trained once, because how much its trainings differ is unknown then."""
    found: Stat = {}
    for letter, mark in marks.items():
        by_size = {}
        for size in sorted({len(c.asked) for c in pictures.cells if letter in c.asked}):
            asked, values = _known(grid.values[f"identity:{letter}"], pictures.of_size(size))
            if asked.any():
                mean = intervals.mean(Arm(values, fixed), pictures.sample(asked))
                share = intervals.ratio(mean, mark.identity)
                interval = share.interval() if mark.runs > 1 else None
                by_size[str(size)] = _told(share.value, interval, values)
        if by_size:
            found[letter] = by_size
    return found


def _known(values: np.ndarray, mask: np.ndarray | bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Which of the pictures in `mask` [N] some run has a value of, and their values."""
    mask = mask & np.isfinite(values).any(0)
    return mask, values[:, mask]


def parts(grid: ScoreGrid, pictures: ImageIndex, prompt_set: str) -> Stat | None:
    """Success of a prompt set that asks for several people beside the product of its parts: each
    character alone right, and the count right. None when it asks for nobody or one at a time.

    What success lacks to the product is the interaction; the rest is compounding.
    """
    mask = pictures.of_set(prompt_set)
    mask &= np.array([not c.strangers for c in pictures.cells], dtype=bool)
    cells = {pictures.cells[n].asked for n in np.flatnonzero(mask)}
    groups = sorted(cell for cell in cells if len(cell) > 1)
    if not groups:
        return None
    many = mask & ~pictures.of_size(1) & ~pictures.of_size(0)
    alone = {
        letter: number(_mean(grid.values["success"][:, pictures.of_cell(letter)]))
        for letter in sorted({letter for cell in groups for letter in cell})
    }
    success = number(_mean(grid.values["success"][:, many]))
    count = number(_mean(grid.values["count"][:, many]))
    product = None
    if count is not None and None not in alone.values():
        product = count * float(np.mean([math.prod(alone[x] for x in cell) for cell in groups]))
    gap = None if success is None or product is None else success - product
    return {
        "success": success,
        "count": count,
        "alone": alone,
        "product": number(product),
        "interaction": number(gap),
    }


def bleed(grid: ScoreGrid, letters: Sequence[str]) -> Stat:
    """Asked x found as shares of the appearances asked for; a row nobody asked for is null."""
    total = grid.bleed.sum(1)
    shares = [
        [number(n / t) for n in row] if t else None
        for row, t in zip(grid.bleed.tolist(), total.tolist(), strict=True)
    ]
    return {
        "asked": list(letters),
        "found": [*letters, STRANGER, MISSING],
        "shares": shares,
        "appearances": total.tolist(),
    }


def training(summaries: Sequence[Mapping[str, Any]]) -> Stat | None:
    """Means over the runs' lora.json: seconds, peak memory, steps; None without any."""
    found = {}
    for name in ("seconds", "peak_memory_mib", "steps", "final_loss"):
        values = [s[name] for s in summaries if isinstance(s.get(name), int | float)]
        found[name] = number(float(np.mean(values)), 6) if values else None
    return found if summaries else None


def difference(
    variants: tuple[str, str],
    measure: str,
    prompt_set: str,
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    pictures: ImageIndex,
) -> Stat | None:
    """Difference of two variants with its interval; None when nothing can be paired."""
    where = pictures.of_set(prompt_set)
    a, b, both = arms_of(variants, measure, where, spec, grids)
    if not both.any():
        return None
    binary = MEASURES[measure].kind.binary
    estimate = intervals.difference(a, b, pictures.sample(both, MEASURES[measure].macro), binary)
    low, high = estimate.interval()
    within = estimate.interval(0.9)
    return {
        "variant": variants[0],
        "against": variants[1],
        "measure": measure,
        "prompt_set": prompt_set,
        "difference": number(estimate.value),
        "low": number(low),
        "high": number(high),
        "x": number(max(-within[0], within[1])),
        "runs": [len(a.values), len(b.values)],
    }


def comparisons(
    baseline: str, spec: CompareSpec, grids: Mapping[str, ScoreGrid], pictures: ImageIndex
) -> list[Stat]:
    """Every other variant with the baseline, by measure and prompt set."""
    found = [
        difference((name, baseline), measure, prompt_set, spec, grids, pictures)
        for name in grids
        if name != baseline
        for prompt_set in spec.prompt_sets
        for measure in [name for name, one in MEASURES.items() if one.compared]
    ]
    return [row for row in found if row]


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
