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


@pytest.mark.parametrize(("dropout", "wanted"), [(0.0, 9), (0.5, 11)])
def test_texts_of_one_shape_of_pictures_are_filled_up_to_the_longest(dropout, wanted):
    def long(height, rows):
        text = {"t5": torch.zeros(rows, 8), "clip": torch.zeros(3)}
        return Example("p", "c", torch.zeros(16, height, 4), text)

    buckets = {"a": [long(6, 7), long(6, 9)], "b": [long(8, 11)] * 2, "c": [long(2, 11)]}
    trainer = Trainer.__new__(Trainer)
    trainer.recipe, trainer.architecture = Recipe(caption_dropout=dropout), FLUX1
    trainer.datasets = [WeightedDataset("photos", 1.0, buckets, long(6, wanted).text)]
    rows = {shape[1]: rows for shape, rows in trainer.text_rows.items()}
    assert rows == {6: wanted, 8: None, 2: None}


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
