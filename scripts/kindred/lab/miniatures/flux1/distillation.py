"""Guidance distillation of the lab's small FLUX, after Meng et al. 2023 (arXiv 2210.03142): one
pass learns what two passes give."""

from __future__ import annotations

import copy
from pathlib import Path

import torch

from kindred.lab.base_training import autocast, compiled, draw_batch
from kindred.lab.miniatures.flux1.network import FluxNetwork, velocity
from kindred.lab.pretraining_corpus import LatentCorpus
from kindred.lab.settings import DistillSettings
from kindred.lab.training_loop import (
    TrainingLoop,
    adamw,
    average_gradients,
    ema_of,
    generator,
    share,
)


def draw_guidance(
    settings: DistillSettings, seed: int, step: int, device: torch.device
) -> torch.Tensor:
    """Guidance of a step's samples [N]: 1 for a quarter of them, else uniform."""
    rng = generator(seed, step, device)
    spread = torch.rand(settings.batch, generator=rng, device=device)
    plain = torch.rand(settings.batch, generator=rng, device=device) < 0.25
    w = settings.w_low + (settings.w_high - settings.w_low) * spread
    return torch.where(plain, torch.ones_like(w), w)


def distill(
    model: FluxNetwork, settings: DistillSettings, corpus: LatentCorpus, folder: Path, seed: int
) -> None:
    """Teach the guidance input: one pass at w gives uncond + w (cond - uncond) of the teacher.

    A quarter of the samples has w = 1, so that LoRA training at guidance 1 meets the plain model.
    """
    model.to(corpus.device).requires_grad_(False)
    teacher = copy.deepcopy(model.transformer).eval()
    model.transformer.requires_grad_(True)
    optimizer = adamw(model.transformer, settings.lr, settings.weight_decay)
    ema = ema_of(model.transformer, settings.ema)
    parts = {"model": model.transformer, "optimizer": optimizer, "ema": ema}
    loop = TrainingLoop(
        "distill",
        folder,
        settings.steps,
        settings.lr,
        settings.warmup,
        parts,
        settings.checkpoint_s,
    )
    student, guide = compiled(settings, velocity), compiled(settings, velocity)
    one = torch.ones(settings.batch, device=corpus.device)[share()]
    with torch.no_grad(), autocast(corpus.device):
        empty = model.text({name: ids[None] for name, ids in corpus.empty.items()})
        no_text = tuple(part.repeat_interleave(len(one), dim=0) for part in empty)
    for step in loop:
        batch = draw_batch(corpus, model.image_ids, settings, seed + 7, step, dropout=0.05)
        w = draw_guidance(settings, seed + 9, step, corpus.device)[share()]
        with torch.no_grad(), autocast(corpus.device):
            text = model.text(batch.ids)
            with_text = guide(teacher, batch, text, one)
            without = guide(teacher, batch, no_text, one)
            target = without + w[:, None, None] * (with_text - without)
        with autocast(corpus.device):
            output = student(model.transformer, batch, text, w)
        error = (output - target).square()
        loss = (error * batch.weight).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(model.transformer)
        torch.nn.utils.clip_grad_norm_(model.transformer.parameters(), 1.0)
        optimizer.step()
        ema.update(step)
        loop.note(loss=loss, plain=error.mean())
    ema.copy_to_parameters()
