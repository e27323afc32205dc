"""What keeping adapters and drawing pictures on the way cost a training beside the drawing itself:
at full size with random weights, as the trainer plans it for a card.

Knows how it is measured; knows nothing of tables or command lines.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from kindred.benchmarking import random_weights
from kindred.benchmarking.render_speed import Scene
from kindred.benchmarking.train_step_speed import (
    SetUp,
    clear,
    fitted_trainer,
    peak_gib,
    process_gib,
    wait,
)
from kindred.compute.memory_plan import DrawingDemand
from kindred.models.lora import injection
from kindred.rendering.pipeline import TILE
from kindred.specs.training import Recipe
from kindred.training.sampler import drawn_in_room, visiting
from kindred.training.trainer import Trainer


def sample_cost(
    shape: str,
    quantization: str | None,
    memory_gib: float,
    recipe: Recipe,
    sizes: tuple[int, int, int],
    sampling_steps: int,
    device: torch.device,
    counts: tuple[int, int, int],
) -> dict[str, Any]:
    """Seconds of a step, of keeping an adapter, of one picture, of what drawing costs besides (the
    VAE's visit, weights that visit the GPU, and steps after it that are slower than others).

    sizes: px of photos, px of the picture, tokens of a text. counts: steps before the clock runs,
    steps on it, pictures. memory_gib: of the card that is planned for; 0: nothing is planned.
    """
    clear(device)
    photo, picture, tokens = sizes
    warm, steps, pictures = counts
    setup = SetUp(quantization, False, compiled=bool(memory_gib), memory_gib=memory_gib)
    drawing = _demand(random_weights.SHAPES[shape], picture, tokens)
    trainer, fit = fitted_trainer(setup, shape, photo, tokens, recipe, device, drawing)
    if fit:
        fit.tell()
    scene = Scene(trainer.transformer, picture, tokens, sampling_steps, shape, device)
    scene.known.latent_coding(scene.vae).decode_in_tiles(TILE)  # as when memory runs out
    scene.vae.to("cpu")
    feeds = trainer.feeds()
    for _ in range(warm):
        trainer.step(feeds)
    usual = statistics.median(_timed(lambda: trainer.step(feeds), device) for _ in range(steps))
    found: dict[str, list[float]] = {"keep_s": [], "picture_s": [], "beside_s": [], "later_s": []}
    for _ in range(pictures):
        found["keep_s"].append(_timed(lambda: _keep(trainer), device))
        drawing = [0.0]
        whole = _timed(lambda drawing=drawing: _draw(trainer, scene, drawing), device)
        after = [_timed(lambda: trainer.step(feeds), device) for _ in range(steps)]
        found["picture_s"].append(drawing[0])
        found["beside_s"].append(whole - drawing[0])
        found["later_s"].append(max(0.0, sum(after) - steps * usual))
    medians = {name: statistics.median(values) for name, values in found.items()}
    plan = fit.plan if fit else None
    cost = medians["keep_s"] + medians["beside_s"] + medians["later_s"]
    return {
        "step_s": usual,
        **medians,
        "cost_s": cost,
        "share_at_250": cost / (250 * usual),
        "photo": photo,
        "picture": picture,
        "expected_peak_gib": plan.peak_gib if plan else None,
        "offloaded": len(plan.offloaded) if plan else 0,
        "peak_gib": peak_gib(device),
        "process_gib": process_gib(device),
    }


def _demand(shape: random_weights.Shape, picture: int, tokens: int) -> DrawingDemand:
    """What one picture takes."""
    edge = picture // shape.known.latent_px
    return DrawingDemand(shape.passes, shape.known.tokens(edge, edge), tokens, picture**2)


def _keep(trainer: Trainer) -> None:
    """Write an adapter as a kept step is written."""
    with tempfile.TemporaryDirectory() as folder:
        state = trainer.final_state()
        injection.save_lora(Path(folder) / "lora.safetensors", state, trainer.transformer, {})


def _draw(trainer: Trainer, scene: Scene, drawing: list[float]) -> None:
    """Draw a picture between two steps; `drawing` gets the seconds of that alone."""
    with trainer.as_saved(), visiting(scene.vae, trainer.device):
        wait(trainer.device)
        began = time.perf_counter()
        drawn_in_room(trainer, scene.ours)
        wait(trainer.device)
        drawing[0] = time.perf_counter() - began


def _timed(work: Any, device: torch.device) -> float:
    wait(device)
    began = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - began
