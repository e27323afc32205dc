"""Recordings are told apart by what their batches have in common; which will come is known before
the first does. (Recording itself needs a GPU: tests/gpu.)"""

from __future__ import annotations

import pytest
import torch

from kindred.models.architectures.flux1.facts import FLUX1
from kindred.specs.training import Recipe
from kindred.training.batches import Example, make_batch
from kindred.training.step_graphs import key_of, keys_of
from kindred.training.step_runner import pieces
from kindred.training.trainer import Trainer, WeightedDataset


def example(height, weighed=False):
    text = {"t5": torch.zeros(5, 8), "clip": torch.zeros(3)}
    weights = torch.ones(height * 4 // 4) if weighed else None
    return Example("p", "c", torch.zeros(16, height, 4), text, weights)


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("size", [1, 3])
def test_keys_foretold_are_those_of_batches(size, weighed):
    one = example(6, weighed)
    batch = make_batch([one] * size, one.text, Recipe(), FLUX1, {}, 0, ("photos", 0, 0))
    assert keys_of([one], [size], FLUX1.text.collate) == {key_of(batch)}
    assert keys_of([one], [size + 1], FLUX1.text.collate) != {key_of(batch)}


@pytest.mark.parametrize(("batch", "most"), [(1, None), (5, 2), (4, 4), (3, 8)])
def test_a_trainer_knows_the_batches_to_come(batch, most):
    buckets = {"a": [example(6)] * 2, "b": [example(8)] * 3}
    datasets = [WeightedDataset("photos", 1.0, buckets, buckets["a"][0].text)]
    trainer = Trainer.__new__(Trainer)
    trainer.recipe, trainer.datasets = Recipe(batch=batch), datasets
    trainer.architecture = FLUX1
    trainer.fitting = type("Fit", (), {"micro_batch": most})() if most else None
    seen = set()
    for chosen in (buckets["a"], buckets["b"]):
        made = make_batch(
            [chosen[0]] * batch, chosen[0].text, trainer.recipe, FLUX1, {}, 0, ("photos", 0, 0)
        )
        seen |= {key_of(piece) for piece, _ in pieces(made, most)}
    assert trainer.kinds() == seen
