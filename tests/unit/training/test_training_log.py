"""Losses are fetched seldom, and what is no number ends a training with its step and rate."""

import math

import pytest
import torch

from kindred.common.errors import KindredError
from kindred.training.training_log import TrainingLog


def filled(losses, every):
    log = TrainingLog(every)
    for step, loss in enumerate(losses, 1):
        log.note(torch.tensor(loss), step=step, lr=0.5 / step)
    return log


def test_losses_are_read_every_so_many_steps():
    log = filled([1.0, 2.0, 3.0], every=2)
    assert [row["loss"] for row in log.rows[:2]] == [1.0, 2.0] and math.isnan(log.rows[2]["loss"])
    log.read()
    assert log.rows[2]["loss"] == 3.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("every", [1, 3])
def test_a_loss_that_is_no_number_ends_it_with_step_and_rate(bad, every):
    with pytest.raises(KindredError, match=r"in step 2, at a rate of 0.25.*lower `lr`"):
        filled([1.0, bad, 3.0], every)
