"""What the difference of two arms' shares will vary by, from the numbers of a design alone.

Knows runs, casts, prompts and pictures, and variance components in logits (power_simulation.World,
which draws from the same model); knows nothing of hypotheses or of levels. A picture's chance is
logistic in a sum of normal effects. The covariance of two pictures is a function of the effects
that they share: of effects with variance v in common it is E[g(z) g'(z)] - p p', where g(z) is the
chance given those effects (Zeger, Liang and Albert 1988, "Models for longitudinal data", sec. 3,
by Gauss-Hermite quadrature here). The variance of a mean is the weighted sum of these over all
pairs of pictures, so nothing is drawn at random and figures take milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from kindred.evidence.power_simulation import World
from kindred.evidence.variance import FEWEST_PROMPTS, Part

# Of the variance between runs, what two arms have in common that draw with the same adapters:
# r = .76 over ten runs of one comparison (NF4 against the base's own weights).
SHARED_BY_PAIRED_RUNS = 0.75
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(31)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True)
class Design:
    """How much is trained and drawn to compare two arms.

    runs: trainings of either arm; 0: the base alone. casts: how many prompts ask for each cast.
    pictures: of a prompt, in one run. strata: prompts are samples of their casts, not of all
    prompts. macro: the mean is over casts of the mean within, else over pictures. paired: run n of
    both arms draws with the same adapters.
    """

    runs: tuple[int, int]
    casts: tuple[int, ...]
    pictures: float
    strata: bool = True
    macro: bool = False
    paired: bool = False

    @property
    def single(self) -> bool:
        """Whether some arm is one training, so that nothing tells how much trainings differ."""
        return 1 in self.runs

    @property
    def prompts(self) -> int:
        """How many prompts there are."""
        return sum(self.casts)

    @property
    def few(self) -> bool:
        """Whether prompts are too few to be a sample: the answer is of these prompts alone."""
        return self.prompts < FEWEST_PROMPTS

    @cached_property
    def shares(self) -> tuple[float, float, float]:
        """Of all pairs of pictures in the weighted mean of a run, those of the same cast, of the
        same prompt, of the same picture."""
        casts, weights = np.array(self.casts), self._weights
        prompt = float((weights**2 / casts).sum())
        return float((weights**2).sum()), prompt, prompt / self.pictures

    def items(self, variance: float) -> tuple[Part, ...]:
        """The variance due to prompts (where these are few, to pictures) by strata. Where a stratum
        has a single one it tells nothing of them, so then all are one, as in variance.parts_of."""
        items = np.array(self.casts) * (self.pictures if self.few else 1)
        if not self.strata or (items < 2).any():
            return (Part(variance, max(1.0, float(items.sum()) - 1)),)
        parts = self._weights**2 / items
        parts = variance * parts / parts.sum()
        return tuple(Part(float(v), float(n) - 1) for v, n in zip(parts, items, strict=True))

    @property
    def _weights(self) -> np.ndarray:
        """Weights [casts] of the casts in the mean."""
        casts = np.array(self.casts)
        return np.full(len(casts), 1 / len(casts)) if self.macro else casts / casts.sum()

    def with_runs(self, runs: int) -> Design:
        """The same with so many runs of each arm that is trained."""
        first, second = (runs if n else 0 for n in self.runs)
        return replace(self, runs=(first, second))

    def times_prompts(self, factor: int) -> Design:
        """The same with `factor` times as many prompts of every cast."""
        return replace(self, casts=tuple(n * factor for n in self.casts))


@dataclass(frozen=True)
class Forecast:
    """The variance that a difference will have, and what its estimate will be made of on average:
    a part of runs for each arm (for both where runs are paired), and of items for each stratum;
    `chance`: what both hold (variance.Parts). An arm with a single training has no part: nothing
    tells its spread."""

    variance: float
    runs: tuple[Part, ...]
    items: tuple[Part, ...]
    chance: float = 0.0

    def times(self, runs: float, items: float) -> Forecast:
        """With the parts of runs and of items that many times as large."""
        found = tuple(part.times(runs) for part in self.runs)
        strata = tuple(part.times(items) for part in self.items)
        added = sum(part.variance for part in (*found, *strata))
        added -= sum(part.variance for part in (*self.runs, *self.items))
        return Forecast(max(self.variance + added, 1e-9), found, strata, self.chance)


def forecast(design: Design, world: World) -> Forecast:
    """Of the difference of two arms' shares in a world."""
    world = replace(world, prompt_sd=0.0, prompt_arm_sd=0.0) if design.few else world
    shared = _covariances(world, (not design.runs[0], not design.runs[1]), design.paired)
    runs = [n or 1 for n in design.runs]
    cast, prompt, picture = design.shares
    pairs = np.array([picture, prompt - picture, cast - prompt, 1 - cast])
    own = [same - other for same, other in zip(shared.same_run, shared.other_run, strict=True)]
    joint = shared.across_run - shared.across
    difference = sum(one / n for one, n in zip(own, runs, strict=True))
    difference = difference + sum(shared.other_run) - 2 * (shared.across + joint / min(runs))
    if design.paired:
        own, runs = [sum(own) - 2 * joint], [min(runs)]
    several = [(float(pairs @ one), n) for one, n in zip(own, runs, strict=True) if n > 1]
    items = _of_items(design, difference)
    variance = float(pairs @ difference)
    parts = tuple(Part(one / n, n - 1) for one, n in several)
    chance = max(0.0, sum(part.variance for part in parts) + items - variance)
    return Forecast(variance, parts, design.items(items), chance)


def _of_items(design: Design, difference: np.ndarray) -> float:
    """The part of prompts, or of pictures where prompts are few, from the covariances [4] of
    differences of two pictures: how much they vary about what their stratum has in common."""
    cast, prompt, picture = design.shares
    common = difference[2]
    if not design.strata and prompt < 1:
        others = (cast - prompt) / (1 - prompt)
        common = others * difference[2] + (1 - others) * difference[3]
    if design.few:
        return float(picture * (difference[0] - common))
    return float(picture * difference[0] + (prompt - picture) * difference[1] - prompt * common)


@dataclass(frozen=True)
class _Covariances:
    """Covariances [4] of two pictures that share the picture, only its prompt, only its cast, only
    the run or nothing: in the same run of an arm, in two runs of an arm (for either arm); in the
    two arms, and in runs of the two arms with the same adapters."""

    same_run: tuple[np.ndarray, np.ndarray]
    other_run: tuple[np.ndarray, np.ndarray]
    across: np.ndarray
    across_run: np.ndarray


@lru_cache(maxsize=512)
def _covariances(world: World, fixed: tuple[bool, bool], paired: bool) -> _Covariances:
    """Of pictures' successes; `fixed`: nothing is trained, so runs are one."""
    share = SHARED_BY_PAIRED_RUNS if paired else 0.0
    run, cast, prompt, arm, both, picture = (
        sd**2
        for sd in (
            world.run_sd,
            world.run_cast_sd,
            world.prompt_sd,
            world.prompt_arm_sd,
            world.run_prompt_sd,
            world.picture_sd,
        )
    )
    means = [world.share + sign * world.difference / 2 for sign in (1, -1)]
    arms = [
        _Arm.of(mean, world.spread**2 - still * (run + cast + both))
        for mean, still in zip(means, fixed, strict=True)
    ]
    same_run, other_run = [], []
    for one, mean, still in zip(arms, means, fixed, strict=True):
        own = 0.0 if still else 1.0
        of_cast = own * (run + cast)
        of_prompt = of_cast + own * both + prompt + arm
        found = [_shared(one, one, v) for v in (of_prompt, of_cast, own * run)]
        same_run.append(np.array([mean * (1 - mean), *found]))
        found = [_shared(one, one, v) for v in (prompt + arm + picture, prompt + arm)]
        other_run.append(np.array([*found, 0.0, 0.0]))
    return _Covariances(
        (same_run[0], same_run[1]),
        (other_run[0], other_run[1]),
        np.array([_shared(*arms, prompt + picture), _shared(*arms, prompt), 0.0, 0.0]),
        np.array(
            [
                _shared(*arms, v)
                for v in (
                    prompt + picture + share * (run + cast + both),
                    prompt + share * (run + cast + both),
                    share * (run + cast),
                    share * run,
                )
            ]
        ),
    )


@dataclass(frozen=True)
class _Arm:
    """An arm's mean share, the logit about which it lies, and the variance in logits."""

    mean: float
    centre: float
    variance: float

    @classmethod
    def of(cls, mean: float, variance: float) -> _Arm:
        """With the logit found by bisection."""
        low, high = -20.0, 20.0
        for _ in range(45):
            middle = (low + high) / 2
            below = _chance(middle + variance**0.5 * NODES) @ WEIGHTS < mean
            low, high = (middle, high) if below else (low, middle)
        return cls(mean, low, variance)

    def given(self, shared: float) -> np.ndarray:
        """The chance [nodes] at each value of effects with variance `shared`."""
        rest = max(0.0, self.variance - shared)
        logits = self.centre + shared**0.5 * NODES[:, None] + rest**0.5 * NODES
        return _chance(logits) @ WEIGHTS


def _chance(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def _shared(one: _Arm, other: _Arm, variance: float) -> float:
    """Covariance of two pictures' successes that share effects of this variance."""
    if not variance:
        return 0.0
    return float(WEIGHTS @ (one.given(variance) * other.given(variance)) - one.mean * other.mean)
