"""The lab's base by flow matching: a small transformer trained with its text encoders.

Rectified flow as in Esser et al. 2024 (arXiv 2403.03206): x_t = (1 - t) x_0 + t noise, the network
predicts noise - x_0.

Beside it the tokens behind the double blocks must tell who they show, as in representation
alignment (Yu et al. 2024, arXiv 2410.06940), but with the drawing's truth in place of another
network's features. What makes one face differ from another is few pixels: by flow matching alone
names, kinds and expressions were learned last and badly.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from kindred.lab.base_network import FACTS, BaseNetwork, Batch
from kindred.lab.pretraining_corpus import LatentCorpus
from kindred.lab.settings import FlowSettings, StageSettings
from kindred.lab.training_loop import (
    TrainingLoop,
    adamw,
    average_gradients,
    ema_of,
    fast_bfloat16,
    generator,
    share,
)
from kindred.models.architectures.patches import pack
from kindred.world.pretraining_shards import ATTRIBUTES
from kindred.world.vocabulary import TRAITS


def draw_batch(
    corpus: LatentCorpus,
    image_ids: Callable[[int, int], torch.Tensor],
    settings: StageSettings,
    seed: int,
    step: int,
    dropout: float,
    time_mean: float = 0.0,
) -> Batch:
    """This process's share of a step's batch, which is a function of (seed, step) alone."""
    size, index = corpus.pick(settings.batch, seed, step)
    rng = generator(seed + 1, step, corpus.device)
    latents = corpus.latents[size][index].float()
    weight = corpus.weights[size][index].expand_as(latents)
    n = len(latents)
    which = torch.randint(2, (n,), generator=rng, device=corpus.device)
    dropped = torch.rand(n, generator=rng, device=corpus.device) < dropout
    noise = torch.randn(latents.shape, generator=rng, device=corpus.device)
    time = torch.sigmoid(time_mean + torch.randn(n, generator=rng, device=corpus.device))
    positions = image_ids(*latents.shape[2:]).to(corpus.device)
    mine = share()
    ids = {
        name: torch.where(dropped[:, None], corpus.empty[name], by_size[size][index, which].long())[
            mine
        ]
        for name, by_size in corpus.ids.items()
    }
    pictures = (pack(part[mine]) for part in (latents, noise, weight))
    facts, owners = corpus.facts[size][index][mine], corpus.owners[size][index][mine]
    return Batch(*pictures, positions, ids, time[mine], facts, owners)


def facts_loss(told: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Squared error of what tokens tell of their people, a fact; near 1 for a constant answer.

    Drawn people's facts have variance about 1 a trait and 0.7 an attribute. Where a batch has fewer
    than FACTS, those are the last ones: looks without traits.
    """
    known = batch.facts.shape[2]
    count = len(ATTRIBUTES) + (len(TRAITS) if known == FACTS else 0)
    told = told[..., FACTS - known :]
    owned = batch.owners >= 0
    index = batch.owners.clamp_min(0).long()[..., None].expand(-1, -1, batch.facts.shape[2])
    error = (told - batch.facts.float().gather(1, index)).square().sum(dim=2)
    return (error * owned).sum() / (owned.sum().clamp_min(1) * count)


def autocast(device: torch.device) -> Any:
    """bfloat16 where the device is faster in it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=fast_bfloat16(device))


def compiled(settings: StageSettings, function: Callable) -> Callable:
    """The function, compiled where the settings say so."""
    return torch.compile(function, dynamic=False) if settings.compile else function


def train(
    model: BaseNetwork, settings: FlowSettings, corpus: LatentCorpus, folder: Path, seed: int
) -> None:
    """Flow matching to the end (resuming from `folder`); the model then has averaged weights."""
    model.to(corpus.device)
    optimizer, ema = adamw(model, settings.lr, settings.weight_decay), ema_of(model, settings.ema)
    parts = {"model": model, "optimizer": optimizer, "ema": ema}
    loop = TrainingLoop(
        "flow", folder, settings.steps, settings.lr, settings.warmup, parts, settings.checkpoint_s
    )
    predict = compiled(settings, model.velocity_and_facts)
    for step in loop:
        batch = draw_batch(
            corpus,
            model.image_ids,
            settings,
            seed,
            step,
            settings.caption_dropout,
            settings.time_mean,
        )
        with autocast(corpus.device):
            output, told = predict(batch, model.text(batch.ids))
        error = (output - (batch.noise - batch.clean)).square()
        facts = facts_loss(told, batch)
        loss = (error * batch.weight).mean() + settings.facts_weight * facts
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        ema.update(step)
        loop.note(loss=loss, plain=error.mean(), facts=facts)
    ema.copy_to_parameters()
