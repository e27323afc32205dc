"""How much runs and prompts differed in what was drawn before: finished runs, or a publication.

Knows score rows and the tables that are published (runs.csv and prompts.csv in
docs/findings/<experiment>); knows nothing of intervals. A variance of few runs is itself
uncertain, so beside one that a model
gives it counts by its degrees of freedom, and the model's as PRIOR_FREEDOM (an inverse chi square
prior: Gelman et al. 2013, "Bayesian data analysis", ch. 2.6).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np

from kindred.evidence.design_variance import SHARED_BY_PAIRED_RUNS, Design, Forecast
from kindred.evidence.variance import Part
from kindred.specs.measures import MEASURES, ScoredImage
from kindred.specs.power import AskedPrompts

PRIOR_FREEDOM = 4
FEWEST_RUNS = 2


@dataclass(frozen=True)
class Pilot:
    """Means of one measure in one prompt set. runs: variant -> mean of each run. prompts: variant
    -> prompt -> mean over its runs; empty where that was not kept. names: of all prompts. source:
    where they are from."""

    source: str
    runs: Mapping[str, Sequence[float]]
    prompts: Mapping[str, Mapping[str, float]]
    names: frozenset[str]

    @property
    def repeated(self) -> list[str]:
        """The variants with two runs or more."""
        return [name for name, means in self.runs.items() if len(means) >= FEWEST_RUNS]


@dataclass(frozen=True)
class Observed:
    """Variance of a run's mean, and of the prompts' differences of two arms within their cast (None
    where unknown), with degrees of freedom; the mean of both arms where both were drawn; runs."""

    source: str
    run_variance: float
    run_freedom: int
    prompt_variance: float | None
    prompt_freedom: int
    mean: float | None
    runs: int

    def forecast(self, design: Design, difference: float) -> Forecast:
        """Of the difference of two arms, whatever it is. Raises ValueError where the variance of
        prompts is unknown."""
        if self.prompt_variance is None:
            raise ValueError("nothing is known of prompts")
        each = [self.run_variance / n for n in design.runs if n]
        freedoms = [n - 1 for n in design.runs if n]
        if design.paired:
            each = [sum(each) * (1 - SHARED_BY_PAIRED_RUNS)]
        items = self.prompt_variance * design.shares[1]
        runs = tuple(Part(v, f) for v, f in zip(each, freedoms, strict=False) if f)
        return Forecast(sum(each) + items, runs, design.items(items))


def published(folder: Path, prompt_set: str, measure: str) -> Pilot | None:
    """What docs/findings/<experiment> holds of a prompt set; None without two runs of anything."""
    rows = [row for row in _table(folder / "runs.csv") if row["prompt_set"] == prompt_set]
    runs: dict[str, list[float]] = {}
    for row in rows:
        if row.get(measure):
            runs.setdefault(row["variant"], []).append(float(row[measure]))
    prompts: dict[str, dict[str, float]] = {}
    lines = [row for row in _table(folder / "prompts.csv") if row["prompt_set"] == prompt_set]
    for line in lines:
        for name in runs:
            if line.get(f"{name} {measure}"):
                prompts.setdefault(name, {})[line["prompt"]] = float(line[f"{name} {measure}"])
    names = frozenset(line["prompt"] for line in lines)
    pilot = Pilot(folder.as_posix(), runs, prompts, names)
    return pilot if pilot.repeated else None


def finished(
    rows: Iterable[Mapping[str, str]], prompt_set: str, measure: str, source: str
) -> Pilot | None:
    """What score rows hold of a prompt set; None without two runs of anything. Rows of an older
    form, which lack what the measure reads, tell nothing."""
    values: dict[str, dict[str, list[float]]] = {}
    by_prompt: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        if row["kind"] == "image" and row["prompt_set"] == prompt_set:
            asked = row["asked"].split("+") if row["asked"] else []
            try:
                value = MEASURES[measure].value(ScoredImage(row, asked))
            except KeyError:
                continue
            if value is not None:
                name = row["variant"]
                values.setdefault(name, {}).setdefault(row["run"], []).append(value)
                by_prompt.setdefault(name, {}).setdefault(row["prompt"], []).append(value)
    runs = {name: [float(np.mean(v)) for v in found.values()] for name, found in values.items()}
    prompts = {
        name: {prompt: float(np.mean(v)) for prompt, v in found.items()}
        for name, found in by_prompt.items()
    }
    names = frozenset(prompt for found in prompts.values() for prompt in found)
    pilot = Pilot(source, runs, prompts, names)
    return pilot if pilot.repeated else None


@dataclass(frozen=True)
class PilotFiles:
    """Where pilots are looked for: in the experiment's own folder of results, in its own
    publication, in others, those of most runs first."""

    experiment: str
    results: Path
    docs: Path

    def __call__(self, prompt_set: str, measure: str) -> Iterator[Pilot]:
        """Those that know the measure in a prompt set of this name, one after the other."""
        rows = (
            row
            for path in sorted(self.results.glob(f"*/run-*/scores/{prompt_set}.csv"))
            for row in _table(path)
        )
        if own := finished(rows, prompt_set, measure, self.results.as_posix()):
            yield own
        others = [published(path.parent, prompt_set, measure) for path in self._publications()]
        yield from sorted(filter(None, others), key=self._rank)

    def _publications(self) -> list[Path]:
        return sorted(self.docs.glob("*/runs.csv"))

    def _rank(self, pilot: Pilot) -> tuple[bool, int]:
        own = pilot.source == (self.docs / self.experiment).as_posix()
        return not own, -sum(map(len, pilot.runs.values()))


def observed(pilot: Pilot, arms: tuple[str, str], asked: AskedPrompts, strata: bool) -> Observed:
    """What a pilot says of two arms: of these where it has them, else of all its variants.
    `strata`: prompts are samples of what they ask for."""
    known = [name for name in arms if name in pilot.repeated] or pilot.repeated
    freedom = sum(len(pilot.runs[name]) - 1 for name in known)
    squares = sum(
        float(np.var(pilot.runs[name], ddof=1)) * (len(pilot.runs[name]) - 1) for name in known
    )
    groups = asked.asked if strata else dict.fromkeys(asked.asked, "")
    both = all(name in pilot.prompts for name in arms)
    pairs = [arms] if both else list(combinations([n for n in known if n in pilot.prompts], 2))
    found = [_within(pilot.prompts[a], pilot.prompts[b], groups) for a, b in pairs]
    some = [(square, of) for square, of in found if of]
    return Observed(
        pilot.source,
        squares / freedom,
        freedom,
        float(np.mean([square / of for square, of in some])) if some else None,
        max((of for _, of in some), default=0),
        float(np.mean([np.mean([*pilot.prompts[name].values()]) for name in arms]))
        if both
        else None,
        round(float(np.mean([len(pilot.runs[name]) for name in known]))),
    )


def weighed(observed: float, freedom: int, expected: float) -> float:
    """The factor by which a model's variance is to be multiplied where it `expected` one and
    another was observed with so many degrees of freedom."""
    if expected <= 0:
        return 1.0
    return (freedom * observed / expected + PRIOR_FREEDOM) / (freedom + PRIOR_FREEDOM)


def _within(
    a: Mapping[str, float], b: Mapping[str, float], groups: Mapping[str, str]
) -> tuple[float, int]:
    """Squares of prompts' differences about their group's mean, and degrees of freedom."""
    found: dict[str, list[float]] = {}
    for prompt in a.keys() & b.keys() & groups.keys():
        found.setdefault(groups[prompt], []).append(a[prompt] - b[prompt])
    squares = sum(float(np.var(values)) * len(values) for values in found.values())
    return squares, sum(len(values) - 1 for values in found.values())


@cache
def _table(path: Path) -> tuple[dict[str, str], ...]:
    """Rows of a CSV file; none where there is no file."""
    if not path.is_file():
        return ()
    with open(path, newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))
