"""Rates of parameter groups, and what clipping says of gradients."""

import sys
from types import SimpleNamespace

import pytest
import torch
from pydantic import ValidationError

from kindred.specs.training import Recipe
from kindred.training.optimizers import clip_gradients, make_optimizer, set_rate


def parameters():
    return [torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(3, 2))]


@pytest.mark.parametrize("optimizer", ["adamw", "adafactor"])
def test_loraplus_moves_b_so_many_times_as_far_as_a(optimizer):
    down, up = parameters()
    recipe = Recipe(loraplus_lr_ratio=4.0, weight_decay=0, optimizer=optimizer)
    made = make_optimizer([down, up], recipe, [up])
    set_rate(made, 0.01)
    for one in (down, up):
        one.grad = torch.ones_like(one)
    made.step()
    assert up.abs().mean().item() == pytest.approx(4 * down.abs().mean().item(), rel=1e-4)


def test_without_it_there_is_one_group_whatever_is_up():
    down, up = parameters()
    made = make_optimizer([down, up], Recipe(), [up])
    assert [group["params"] for group in made.param_groups] == [[down, up]]


def test_adafactor_goes_by_the_schedules_rate():
    (one, _) = parameters()
    made = make_optimizer([one], Recipe(optimizer="adafactor", weight_decay=0))
    one.grad = torch.ones_like(one)
    set_rate(made, 0.25)
    made.step()
    assert torch.allclose(one, torch.full_like(one, -0.25))


@pytest.mark.parametrize("warmup", [0, 5])
def test_prodigy_is_the_packages_with_the_recipes_settings(monkeypatch, warmup):
    class Prodigy(torch.optim.SGD):
        def __init__(self, parameters, lr, weight_decay, **others):
            super().__init__(parameters, lr, weight_decay=weight_decay)
            self.others = others

    monkeypatch.setitem(sys.modules, "prodigyopt", SimpleNamespace(Prodigy=Prodigy))
    recipe = Recipe(optimizer="prodigy", lr=1.0, weight_decay=0.2, warmup=warmup)
    made = make_optimizer(parameters(), recipe)
    (group,) = made.param_groups
    assert (group["lr"], group["weight_decay"]) == (1.0, 0.2)
    assert made.others == {"use_bias_correction": True, "safeguard_warmup": warmup > 0}


@pytest.mark.parametrize(
    "recipe",
    [
        {"loraplus_lr_ratio": 4.0, "optimizer": "prodigy"},
        {"loraplus_lr_ratio": 4.0, "adapter_type": "lokr"},
        {"min_timestep": 500, "max_timestep": 500},
    ],
)
def test_what_cannot_be_together_is_refused(recipe):
    with pytest.raises(
        ValidationError, match=r"two learning rates|a LoKr doesn't have|below `max_timestep`"
    ):
        Recipe(**recipe)


@pytest.mark.parametrize("most", [0.0, 1.0, 100.0])
def test_the_norm_is_told_and_gradients_are_clipped_to_most(most):
    down, up = parameters()
    down.grad = torch.full_like(down, 5.0)
    norm = clip_gradients([down, up], most)
    assert norm.item() == pytest.approx(5 * 6**0.5)
    after = down.grad.norm().item()
    assert after == pytest.approx(min(most, norm.item()) if most else norm.item(), rel=1e-4)
