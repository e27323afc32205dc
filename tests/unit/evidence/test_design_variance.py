"""What a difference will vary by, against made-up experiments and against counting by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kindred.evidence.design_variance import SHARED_BY_PAIRED_RUNS, Design, forecast
from kindred.evidence.power_simulation import Size, World, simulate
from kindred.evidence.variance import FEWEST_PROMPTS, Part, Sample, parts_of

WORLD = World(share=0.6, difference=0.2)
SIZES = (Size((3, 2), 3, 2, 4), Size((4, 4), 8, 2, 1))


def design_of(size: Size) -> Design:
    return Design(size.runs, (size.prompts,) * size.casts, size.seeds, macro=True)


@pytest.mark.parametrize("size", SIZES)
def test_variance_and_its_parts_are_those_of_made_up_experiments(size):
    rng = np.random.default_rng(1)
    sample = Sample(size.of_prompt, size.of_cast if size.casts > 1 else None, macro=True)
    differences, parts = [], []
    for _ in range(500):
        a, b = simulate(WORLD, size, rng)
        differences.append(a.mean() - b.mean())
        parts.append(parts_of([a, b], [1.0, -1.0], [False, False], sample)[0])
    found = forecast(design_of(size), WORLD)
    # The variance of 500 draws is known to 6 %.
    assert np.var(differences) == pytest.approx(found.variance, rel=0.18)
    for n, part in enumerate(found.runs):
        mean = np.mean([one.runs[n].variance for one in parts])
        assert mean == pytest.approx(part.variance, rel=0.15)
        assert parts[0].runs[n].freedom == part.freedom
    assert np.mean([one.items.variance for one in parts]) == pytest.approx(
        sum(part.variance for part in found.items), rel=0.12
    )
    assert np.mean([one.chance for one in parts]) == pytest.approx(found.chance, rel=0.2)


def test_runs_with_the_same_adapters_vary_less():
    """Against arms whose runs share effects with three quarters of their variance."""
    rng, world, runs, prompts = np.random.default_rng(2), World(share=0.5), 4, 6
    shared, own = SHARED_BY_PAIRED_RUNS**0.5, (1 - SHARED_BY_PAIRED_RUNS) ** 0.5
    found = []
    for _ in range(1500):
        prompt = rng.normal(0, world.prompt_sd, prompts)
        picture = rng.normal(0, world.picture_sd, prompts)
        common = effects(rng, world, runs, prompts)
        means = []
        for _ in range(2):
            logit = shared * common + own * effects(rng, world, runs, prompts)
            logit = logit + prompt + picture + rng.normal(0, world.prompt_arm_sd, prompts)
            means.append((rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).mean())
        found.append(means[0] - means[1])
    design = Design((runs, runs), (prompts,), 1, paired=True)
    assert np.var(found) == pytest.approx(forecast(design, world).variance, rel=0.12)
    apart = forecast(replace(design, paired=False), world)
    assert forecast(design, world).variance < 0.9 * apart.variance
    assert [part.freedom for part in forecast(design, world).runs] == [runs - 1]


def effects(rng: np.random.Generator, world: World, runs: int, prompts: int) -> np.ndarray:
    """What runs bring, [runs, prompts] of one cast, in logits."""
    of_run = rng.normal(0, (world.run_sd**2 + world.run_cast_sd**2) ** 0.5, (runs, 1))
    return of_run + rng.normal(0, world.run_prompt_sd, (runs, prompts))


def test_pairs_of_pictures_and_degrees_of_freedom_counted_by_hand():
    study = Design((10, 10), (8,) * 12, 2, macro=True)
    assert study.shares == pytest.approx((1 / 12, 1 / 96, 1 / 192))
    assert [part.freedom for part in study.items(0.12)] == [7] * 12
    assert [part.variance for part in study.items(0.12)] == pytest.approx([0.01] * 12)
    trio = Design((10, 10), (24,), 8)
    assert trio.shares == pytest.approx((1, 1 / 24, 1 / 192))
    assert trio.items(0.1) == (Part(0.1, 23),)
    uneven = Design((2, 2), (6, 2), 1, strata=False)
    assert uneven.shares == pytest.approx(((36 + 4) / 64, 1 / 8, 1 / 8))
    assert uneven.items(0.1) == (Part(0.1, 7),)
    # Six of eight prompts weigh (6/8)^2 / 6, two (2/8)^2 / 2: three to one.
    parts = replace(uneven, strata=True).items(0.1)
    assert parts[0].variance == pytest.approx(3 * parts[1].variance)
    assert [part.freedom for part in parts] == [5, 1]
    single = Design((2, 2), (1,) * 12, 4, macro=True)
    assert single.items(0.1) == (
        Part(0.1, 11),
    )  # a cast with one prompt tells nothing of prompts: all are one


def test_few_prompts_are_taken_as_given():
    few = Design((3, 3), (FEWEST_PROMPTS - 1,), 8)
    assert few.few and few.items(0.1) == (Part(0.1, 31),)
    prompts_alike = replace(World(), prompt_sd=0.0, prompt_arm_sd=0.0)
    assert forecast(few, World()).variance == forecast(few, prompts_alike).variance


def test_the_base_has_no_runs_and_one_training_tells_nothing_of_them():
    both, base, one = (
        forecast(Design(runs, (12,), 2), World()) for runs in ((3, 3), (3, 0), (3, 1))
    )
    assert [len(found.runs) for found in (both, base, one)] == [2, 1, 1]
    assert base.variance < one.variance and both.variance < one.variance
