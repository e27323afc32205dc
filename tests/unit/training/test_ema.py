"""One moving average, with the bits that each of its users had of its own."""

import pytest
import torch

from kindred.specs.training import Recipe
from kindred.training.ema import EMA
from kindred.training.ema_decay import share_taken
from kindred.training.lr_schedules import cosine, learning_rate, warmup_cosine


def trained(steps, dtype=torch.float32):
    """A parameter and what a training makes of it, a value a step."""
    source = torch.Generator().manual_seed(3)
    values = torch.randn(steps + 1, 5, generator=source).to(dtype)
    return torch.nn.Parameter(values[0].clone()), values[1:]


@pytest.mark.parametrize("dtype", [None, torch.float32])
def test_the_average_is_a_lerp_whose_share_falls_with_age(dtype):
    parameter, values = trained(30)
    ema, expected = EMA([parameter], 0.9, dtype), parameter.detach().clone()
    for step, value in enumerate(values):
        parameter.data.copy_(value)
        ema.update(step)
        expected.lerp_(value, 1 - min(0.9, (1 + step) / (10 + step)))
    assert torch.equal(ema.values[0], expected)


def test_averages_keep_their_dtype_apart_from_the_parameters():
    parameter, values = trained(5, torch.bfloat16)
    own, wide = EMA([parameter], 0.9), EMA([parameter], 0.9, torch.float32)
    assert own.values[0].dtype == torch.bfloat16
    expected = parameter.detach().float()
    for step, value in enumerate(values):
        parameter.data.copy_(value)
        wide.update(step)
        expected.lerp_(value.float(), share_taken(step, 0.9))
    assert torch.equal(wide.values[0], expected)
    wide.copy_to_parameters()
    assert torch.equal(parameter, expected.bfloat16())


def test_swapping_twice_and_loading_give_back_what_was(tmp_path):
    parameter, values = trained(3)
    ema = EMA([parameter], 0.5)
    parameter.data.copy_(values[0])
    ema.update(7)
    average = ema.values[0].clone()
    ema.swap()
    assert torch.equal(parameter, average) and torch.equal(ema.values[0], values[0])
    ema.swap()
    assert torch.equal(parameter, values[0]) and torch.equal(ema.values[0], average)
    other = EMA([parameter], 0.5)
    other.load_state_dict(ema.state_dict())
    assert torch.equal(other.values[0], average)


def test_the_first_weights_are_not_the_parameters_themselves():
    parameter, _ = trained(1)
    assert EMA([parameter], 0.5, torch.float32).values[0].data_ptr() != parameter.data_ptr()


def test_cosine_falls_from_one_to_its_floor_and_stays():
    assert cosine(0.0) == 1.0 and cosine(0.5) == pytest.approx(0.5)
    assert cosine(1.0, 0.1) == cosine(1.7, 0.1) == pytest.approx(0.1)
    assert warmup_cosine(4, 100, 10, 0.1) == 0.5
    assert warmup_cosine(99, 100, 10, 0.1) > warmup_cosine(100, 100, 10, 0.1) == pytest.approx(0.1)


def test_a_recipe_s_cosine_is_the_same_curve():
    recipe = Recipe(lr=3e-4, steps=50, warmup=7, schedule="cosine")
    rates = [learning_rate(step, recipe) for step in range(7, 50)]
    assert rates == [3e-4 * warmup_cosine(step, 50, 7) for step in range(7, 50)]
