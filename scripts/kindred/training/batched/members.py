"""Members of a stack of trainings: which can share steps, until when, and what became of each.

Knows recipes and numbers; knows nothing of networks or of how a step is done.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from kindred.specs.training import Recipe, TrainSpec
from kindred.training.ema_decay import share_taken
from kindred.training.lr_schedules import learning_rate
from kindred.training.trainer import WeightedDataset
from kindred.training.training_log import smoothed

# Members that are finished still cost their share of a step; going on without them costs a copy.
DROP_AT = 1 / 8
BETAS, EPSILON = (0.9, 0.999), 1e-8  # torch.optim.AdamW's, as training/optimizers.py leaves them


@dataclass
class BatchedRun:
    """One training of a stack; datasets as the Trainer takes them. `job`: whatever asked for it.
    held_out: photos that it does not train on."""

    spec: TrainSpec
    run: int
    datasets: Sequence[WeightedDataset]
    job: Any = None
    held_out: WeightedDataset | None = None

    @property
    def read(self) -> list[WeightedDataset]:
        """All that it reads, of which nothing but `held_out` is trained on."""
        return [*self.datasets, *([self.held_out] if self.held_out else [])]

    @property
    def recipe(self) -> Recipe:
        """Its hyper-parameters."""
        return self.spec.recipe

    def shape(self) -> tuple[Any, ...]:
        """What must be equal within a stack."""
        example = _examples(self.datasets)[0]
        texts = tuple((name, tuple(value.shape)) for name, value in example.text.items())
        numbers = example.latent[0].numel()
        return self.spec.base.canonical(), self.recipe.batch, len(self.datasets), numbers, texts


@dataclass
class Trained:
    """What became of one member; told of it like of a Trainer. kept: adapters on the way, by their
    steps. fault: why its adapter is of no use; '' when it may be stored."""

    state: dict[str, torch.Tensor]
    kept: dict[int, dict[str, torch.Tensor]]
    config: Any
    rows: list[dict[str, float]]
    seconds: float
    device: torch.device
    fault: str = ""

    def __post_init__(self) -> None:
        finite = all(bool(torch.isfinite(value).all()) for value in self.parameters)
        self.fault = self.fault or ("" if finite else "its weights are not finite; not stored")

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The adapter's tensors."""
        return list(self.state.values())

    @property
    def done(self) -> int:
        """Steps done."""
        return len(self.rows)

    def smoothed(self) -> float:
        """Mean loss of the last tenth of the steps."""
        return smoothed(self.rows)

    def peak_memory_mib(self) -> float:
        """Most memory used by the process that trained all members."""
        return self.rows[-1]["memory_mib"]


def mixed_sizes(datasets: Sequence[WeightedDataset]) -> str:
    """Why pictures can't share a forward pass; '' when they can."""
    found = sorted({example.latent[0].numel() // 4 for example in _examples(datasets)})
    return f"pictures of {' and '.join(map(str, found))} tokens" if len(found) > 1 else ""


def group_runs(members: Sequence[BatchedRun], most: int) -> list[list[BatchedRun]]:
    """Members in stacks of at most `most`, the longest trainings first; those of one rank and run
    stand together, because ranks are filled up to the highest and runs share their noise."""
    groups: dict[tuple[Any, ...], list[BatchedRun]] = {}
    for member in members:
        groups.setdefault(member.shape(), []).append(member)
    found = []
    for group in groups.values():
        group.sort(key=lambda member: (-member.recipe.steps, member.recipe.rank, member.run))
        count = math.ceil(len(group) / most)
        size = math.ceil(len(group) / count)
        found += [group[start : start + size] for start in range(0, len(group), size)]
    return found


def parts(steps: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Which members take part until when: (last step + 1, their numbers) of each part. Those that
    have finished stay until they are an eighth of the stack."""
    found: list[tuple[int, list[int]]] = []
    members = list(range(len(steps)))
    for stop in sorted(set(steps)):
        going_on = [m for m in members if steps[m] > stop]
        if len(members) - len(going_on) >= DROP_AT * len(members):
            found.append((stop, members))
            members = going_on
    return found


def controls(recipe: Recipe, step: int) -> tuple[float, float, float, float, float]:
    """An optimizer step in numbers: step size with the first bias correction, root of the second,
    what weight decay leaves, most gradient norm, and how much the average takes in. A finished
    member gets numbers that change nothing."""
    most = recipe.max_grad_norm or math.inf
    root = math.sqrt(1 - BETAS[1] ** (step + 1))
    if step >= recipe.steps:
        return 0.0, root, 1.0, most, 0.0
    rate = learning_rate(step, recipe)
    taken = share_taken(step, recipe.ema) if recipe.ema else 0.0
    correction = 1 - BETAS[0] ** (step + 1)
    return rate / correction, root, 1 - rate * recipe.weight_decay, most, taken


def _examples(datasets: Sequence[WeightedDataset]) -> list[Any]:
    return [e for dataset in datasets for bucket in dataset.buckets.values() for e in bucket]
