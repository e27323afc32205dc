"""Order of images, randomness by place, learning rates."""

from collections import Counter
from itertools import islice

import pytest
import torch

from kindred.common.seeds import generator, seed_of
from kindred.specs.training import Recipe
from kindred.training.bucket_sampler import batches
from kindred.training.lr_schedules import learning_rate

BUCKETS = {"a": [f"a{n}" for n in range(11)], "b": [f"b{n}" for n in range(5)], "c": ["c0"]}


@pytest.mark.parametrize("size", [1, 2, 4])
def test_every_image_is_seen_equally_often(size):
    shown = Counter(x for batch in islice(batches(BUCKETS, size, 0), 170 // size) for x in batch)
    for bucket, members in BUCKETS.items():
        counts = [shown[member] for member in members]
        assert max(counts) - min(counts) <= 1 + (size > 1), bucket
        assert all(abs(count - 10) <= 1 + size for count in counts), bucket


def test_batches_are_of_one_bucket():
    for batch in islice(batches(BUCKETS, 3, 0), 50):
        assert len(batch) == 3 and len({member[0] for member in batch}) == 1


def test_same_run_same_order_other_run_other_order():
    def first(run):
        return list(islice(batches(BUCKETS, 2, run), 20))

    assert first(0) == first(0) != first(1)


def test_rounds_differ():
    seen = [batch[0] for batch in islice(batches({"a": BUCKETS["a"]}, 1, 0), 22)]
    assert sorted(seen[:11]) == sorted(seen[11:]) and seen[:11] != seen[11:]


def test_draws_depend_on_run_and_place_alone():
    def draw(*place):
        return torch.rand(3, generator=generator(*place)).tolist()

    assert draw(0, "noise", 5) == draw(0, "noise", 5)
    different = [draw(0, "noise", 5), draw(1, "noise", 5), draw(0, "noise", 6), draw(0, "sigma", 5)]
    assert len({tuple(values) for values in different}) == 4
    assert 0 <= seed_of(3, "x") < 2**63


def test_schedules():
    def rates(**changes):
        recipe = Recipe(lr=1.0, steps=10, **changes)
        return [learning_rate(step, recipe) for step in range(10)]

    assert rates() == [1.0] * 10
    assert rates(warmup=4)[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    cosine = rates(schedule="cosine")
    assert cosine[0] == 1.0 and cosine[5] == pytest.approx(0.5) and 0 < cosine[9] < 0.03
    assert rates(schedule="linear", warmup=5)[5:] == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2])
    assert rates(warmup=20)[9] == 0.5
