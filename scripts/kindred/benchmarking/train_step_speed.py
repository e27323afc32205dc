"""Timing of training steps on a random transformer: the Trainer itself, in several set-ups.

Knows how a set-up is arranged and measured; knows nothing of tables or command lines.
"""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from kindred.benchmarking import random_weights
from kindred.compute.memory_fitting import FittedMemory, memory_demand
from kindred.compute.memory_plan import DrawingDemand, usable
from kindred.models.lora import injection
from kindred.specs.base_model import Base
from kindred.specs.training import Recipe, TrainSpec
from kindred.training.batches import Example
from kindred.training.trainer import Trainer, WeightedDataset

GIB = 2**30


@dataclass(frozen=True)
class SetUp:
    """One way of training: precision of the weights, what is computed anew, what is compiled; or
    as the trainer plans it for a card of `memory_gib`."""

    quantization: str | None
    checkpointing: bool
    compiled: bool
    memory_gib: float | None = None
    recorded: bool = True

    @property
    def name(self) -> str:
        """As tables call it."""
        parts = [self.quantization or "bf16"]
        parts += [f"plan for {self.memory_gib:g} GiB"] if self.memory_gib else []
        parts += ["checkpointing"] if self.checkpointing else []
        parts += ["compiled"] if self.compiled else []
        parts += ["recorded"] if self.memory_gib and self.recorded else []
        return " + ".join(parts)


def timed(work: Callable[[], Any], device: torch.device, warm: int, steps: int) -> dict[str, Any]:
    """Seconds of every call after `warm` of them, their median and least; the peak of allocated
    memory of all of them, GiB."""
    wait(device)
    if device.type == "cuda":  # before the warm-up: recorded steps take their memory there
        torch.cuda.reset_peak_memory_stats(device)
    for _ in range(warm):
        work()
    wait(device)
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        work()
        wait(device)
        seconds.append(time.perf_counter() - start)
    return figures(seconds, device)


def figures(seconds: list[float], device: torch.device) -> dict[str, Any]:
    """What is kept of a measurement."""
    return {
        "median_s": statistics.median(seconds),
        "least_s": min(seconds),
        "seconds": seconds,
        "peak_gib": peak_gib(device),
        "process_gib": process_gib(device),
        "host_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def peak_gib(device: torch.device) -> float | None:
    """Most memory allocated on a GPU since the last reset; None on a CPU."""
    return torch.cuda.max_memory_allocated(device) / GIB if device.type == "cuda" else None


def process_gib(device: torch.device) -> float | None:
    """Most that the process held of a GPU since the last reset, context and libraries included;
    None on a CPU. Right where nothing else is on that GPU."""
    if device.type != "cuda":
        return None
    free, total = torch.cuda.mem_get_info(device)
    beside = total - free - torch.cuda.memory_reserved(device)
    return (beside + torch.cuda.max_memory_reserved(device)) / GIB


def wait(device: torch.device) -> None:
    """Until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def clear(device: torch.device) -> None:
    """Give back what the measurement before held, and what was compiled for it."""
    torch._dynamo.reset()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def train_steps(
    setup: SetUp,
    shape: str,
    resolution: int,
    text_tokens: int,
    recipe: Recipe,
    device: torch.device,
    warm: int,
    steps: int,
) -> dict[str, Any]:
    """Figures of whole training steps: data, forward, backward, clipping, optimizer."""
    clear(device)
    trainer, fit = fitted_trainer(setup, shape, resolution, text_tokens, recipe, device)
    feeds = trainer.feeds()
    found = timed(lambda: trainer.step(feeds), device, warm, steps)
    return found | ({"expected_peak_gib": fit.plan.peak_gib} if fit else {})


def fitted_trainer(
    setup: SetUp,
    shape: str,
    resolution: int,
    text_tokens: int,
    recipe: Recipe,
    device: torch.device,
    drawing: DrawingDemand | None = None,
) -> tuple[Trainer, FittedMemory | None]:
    """The trainer itself on a random network, and how that is fitted, if it is. drawing: pictures
    between its steps, for which a plan leaves room."""
    net = random_weights.transformer(shape, device, setup.quantization)
    parameters = injection.add_lora(net, recipe, 0)
    photos = made_up(shape, resolution, text_tokens)
    dataset = WeightedDataset("photos", 1.0, {"all": photos}, photos[0].text)
    fit = arrange(net, shape, setup, recipe, [dataset], device, drawing)
    scheduler = dict(random_weights.scheduler(shape).config)
    return Trainer(net, parameters, [dataset], recipe, 0, scheduler, fit), fit


def arrange(
    net: Any,
    shape: str,
    setup: SetUp,
    recipe: Recipe,
    datasets: list[WeightedDataset],
    device: torch.device,
    drawing: DrawingDemand | None,
) -> FittedMemory | None:
    """Do to the network what the set-up says."""
    if setup.memory_gib:
        spec = TrainSpec(
            base=Base(model="made-up", quantization=setup.quantization),
            recipe=recipe,
            characters={},
            dataset="made-up",
        )
        known = random_weights.SHAPES[shape].known
        demand = memory_demand(spec, known, known.layout(net.config), datasets)
        job = replace(demand, compiled=setup.compiled, drawing=drawing)
        fit = FittedMemory(
            job, usable(setup.memory_gib), device, preserve_rng=False, graphs=setup.recorded
        )
        fit.apply(net)
        return fit
    if setup.checkpointing:
        net.enable_gradient_checkpointing()
    if setup.compiled:
        net.compile_repeated_blocks()
    return None


def made_up(shape: str, resolution: int, text_tokens: int, count: int = 4) -> list[Example]:
    """Random latents and embeddings of the right shapes."""
    asked = random_weights.SHAPES[shape]
    edge = resolution // asked.known.latent_px
    return [
        Example(
            str(number),
            str(number),
            torch.randn(asked.channels, edge, edge),
            dict(random_weights.text(shape, text_tokens)),
        )
        for number in range(count)
    ]
