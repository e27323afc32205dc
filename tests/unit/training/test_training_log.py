"""Losses are fetched seldom; what is no number or no gradient ends a training with its step."""

import math

import pytest
import torch

from kindred.common.errors import KindredError
from kindred.training.training_log import ZEROS, TrainingLog


def filled(losses, every, norms=None, steps=100):
    log = TrainingLog(every, steps)
    for step, loss in enumerate(losses, 1):
        norm = torch.tensor(norms[step - 1] if norms else 1.0)
        log.note(torch.tensor(loss), norm, step=step, lr=0.5 / step)
    return log


def test_losses_are_read_every_so_many_steps():
    log = filled([1.0, 2.0, 3.0], every=2)
    assert [row["loss"] for row in log.rows[:2]] == [1.0, 2.0] and math.isnan(log.rows[2]["loss"])
    log.read()
    assert log.rows[2]["loss"] == 3.0


def test_the_line_of_progress_has_the_newest_losses_that_are_known():
    assert TrainingLog().newest() == {}
    log = filled([1.0, 2.0, 3.0], every=2)
    assert log.newest() == {"loss": "2.0000", "mean": "2.0000"}
    log.rows[0]["held_out_loss"] = 0.25
    assert log.newest()["held_out"] == "0.2500"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("every", [1, 3])
def test_a_loss_that_is_no_number_ends_it_with_step_and_rate(bad, every):
    with pytest.raises(KindredError, match=r"at step 2, at a learning rate of 0.25.*Lower `lr`"):
        filled([1.0, bad, 3.0], every)


@pytest.mark.parametrize("every", [1, 3])
def test_a_gradient_that_is_no_number_ends_it_before_its_weights_are_stored(every):
    with pytest.raises(KindredError, match="norm of the gradient is nan at step 2"):
        filled([1.0, 1.0, 1.0], every, [1.0, math.nan, 1.0])


def test_no_gradient_for_twenty_steps_ends_it():
    log = filled([1.0] * 39, 1, [*[0.0] * (ZEROS - 1), 1.0, *[0.0] * (ZEROS - 1)])
    with pytest.raises(KindredError, match="zero for 20 steps, the last of them step 40"):
        log.note(torch.tensor(1.0), torch.tensor(0.0), step=40, lr=0.1)


def test_a_training_of_fewer_steps_ends_when_none_had_a_gradient():
    filled([1.0] * 3, 1, [0.0, 0.0, 1.0], steps=3)
    with pytest.raises(KindredError, match="zero for 3 steps"):
        filled([1.0] * 3, 1, [0.0] * 3, steps=3)
