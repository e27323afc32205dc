"""The lab's base: a small FluxTransformer2DModel trained by flow matching with its text encoders,
then distilled to take guidance as an input, as FLUX.1-dev does.

Rectified flow as in Esser et al. 2024 (arXiv 2403.03206): x_t = (1 - t) x_0 + t noise, the network
predicts noise - x_0. Guidance distillation after Meng et al. 2023 (arXiv 2210.03142).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import FluxTransformer2DModel
from torch import nn
from transformers import CLIPTextModel, T5EncoderModel

from kindred.lab.corpus import LatentCorpus
from kindred.lab.loop import Ema, Loop, adamw, average_gradients, fast_bfloat16, generator, share
from kindred.lab.settings import DistillSettings, FlowSettings, StageSettings, TextSettings
from kindred.lab.text import clip_encoder, t5_encoder
from kindred.latents import image_ids, pack, text_ids


class TextToLatent(nn.Module):
    """Transformer and both text encoders, trained as one."""

    def __init__(
        self, transformer: FluxTransformer2DModel, clip: CLIPTextModel, t5: T5EncoderModel
    ) -> None:
        super().__init__()
        self.transformer, self.clip, self.t5 = transformer, clip, t5

    def text(self, clip_ids: torch.Tensor, t5_ids: torch.Tensor):
        """(sequence [N, L, D], pooled [N, P]) of token ids [N, L]; padding is attended to, as in
        FluxPipeline."""
        return self.t5(t5_ids).last_hidden_state, self.clip(clip_ids).pooler_output


def build(flow: FlowSettings, text: TextSettings, latent_channels: int, tokenizers) -> TextToLatent:
    """An untrained base for tokenizers (CLIP, T5)."""
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=4 * latent_channels,
        num_layers=flow.double,
        num_single_layers=flow.single,
        attention_head_dim=flow.head_width,
        num_attention_heads=flow.heads,
        joint_attention_dim=text.t5_width,
        pooled_projection_dim=text.clip_width,
        guidance_embeds=True,
        axes_dims_rope=tuple(flow.rope),
    )
    clip, t5 = tokenizers
    return TextToLatent(transformer, clip_encoder(text, clip), t5_encoder(text, len(t5)))


@dataclass(frozen=True)
class Batch:
    """One step's input: packed clean latents and noise [N, T, 4C], loss weights [N, T, 4C],
    image ids [T, 3], token ids [N, L], times [N]."""

    clean: torch.Tensor
    noise: torch.Tensor
    weight: torch.Tensor
    image_ids: torch.Tensor
    clip_ids: torch.Tensor
    t5_ids: torch.Tensor
    time: torch.Tensor

    @property
    def noisy(self) -> torch.Tensor:
        """Between picture (time 0) and noise (time 1)."""
        t = self.time[:, None, None]
        return (1 - t) * self.clean + t * self.noise


def draw_batch(
    corpus: LatentCorpus, settings: StageSettings, seed: int, step: int, dropout: float
) -> Batch:
    """This process's share of a step's batch, which is a function of (seed, step) alone."""
    size, index = corpus.pick(settings.batch, seed, step)
    rng = generator(seed + 1, step, corpus.device)
    latents = corpus.latents[size][index].float()
    weight = corpus.weights[size][index].expand_as(latents)
    n = len(latents)
    which = torch.randint(2, (n,), generator=rng, device=corpus.device)
    dropped = torch.rand(n, generator=rng, device=corpus.device) < dropout
    clip_ids = corpus.clip_ids[size][index, which].long()
    t5_ids = corpus.t5_ids[size][index, which].long()
    clip_ids = torch.where(dropped[:, None], corpus.empty_clip, clip_ids)
    t5_ids = torch.where(dropped[:, None], corpus.empty_t5, t5_ids)
    noise = torch.randn(latents.shape, generator=rng, device=corpus.device)
    time = torch.sigmoid(torch.randn(n, generator=rng, device=corpus.device))
    ids = image_ids(*latents.shape[2:]).to(corpus.device)
    mine = share()
    pictures = (pack(part[mine]) for part in (latents, noise, weight))
    return Batch(*pictures, ids, clip_ids[mine], t5_ids[mine], time[mine])


def velocity(
    transformer: FluxTransformer2DModel, batch: Batch, sequence, pooled, guidance: torch.Tensor
) -> torch.Tensor:
    """The network's noise - picture, [N, T, 4C], float32."""
    return transformer(
        hidden_states=batch.noisy,
        timestep=batch.time,
        guidance=guidance,
        pooled_projections=pooled,
        encoder_hidden_states=sequence,
        txt_ids=text_ids(sequence.shape[1]).to(sequence.device),
        img_ids=batch.image_ids,
        return_dict=False,
    )[0].float()


def _autocast(device: torch.device):
    return torch.autocast(device.type, torch.bfloat16, enabled=fast_bfloat16(device))


def _compiled(settings: StageSettings, function: Callable) -> Callable:
    return torch.compile(function, dynamic=False) if settings.compile else function


def train(
    model: TextToLatent, settings: FlowSettings, corpus: LatentCorpus, folder: Path, seed: int
) -> TextToLatent:
    """Flow matching to the end (resuming from `folder`); returns the model with averaged weights.

    The guidance input is held at 1 here, which `distill` keeps as "no guidance".
    """
    model.to(corpus.device)
    optimizer, ema = adamw(model, settings.lr, settings.weight_decay), Ema(model, settings.ema)
    parts = {"model": model, "optimizer": optimizer, "ema": ema}
    loop = Loop(
        "flow", folder, settings.steps, settings.lr, settings.warmup, parts, settings.checkpoint_s
    )
    # Text encoders stay eager: compiled, they took longer to build than they saved.
    predict = _compiled(settings, velocity)
    one = torch.ones(settings.batch, device=corpus.device)[share()]
    for step in loop:
        batch = draw_batch(corpus, settings, seed, step, settings.caption_dropout)
        with _autocast(corpus.device):
            sequence, pooled = model.text(batch.clip_ids, batch.t5_ids)
            output = predict(model.transformer, batch, sequence, pooled, one)
        error = (output - (batch.noise - batch.clean)).square()
        loss = (error * batch.weight).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        ema.update(step)
        loop.note(loss=loss, plain=error.mean())
    ema.copy_to_live()
    return model


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
    model: TextToLatent, settings: DistillSettings, corpus: LatentCorpus, folder: Path, seed: int
) -> TextToLatent:
    """Teach the guidance input: one pass at w gives uncond + w (cond - uncond) of the teacher.

    A quarter of the samples has w = 1, so that LoRA training at guidance 1 meets the plain model.
    """
    model.to(corpus.device).requires_grad_(False)
    teacher = copy.deepcopy(model.transformer).eval()
    model.transformer.requires_grad_(True)
    optimizer = adamw(model.transformer, settings.lr, settings.weight_decay)
    ema = Ema(model.transformer, settings.ema)
    parts = {"model": model.transformer, "optimizer": optimizer, "ema": ema}
    loop = Loop(
        "distill",
        folder,
        settings.steps,
        settings.lr,
        settings.warmup,
        parts,
        settings.checkpoint_s,
    )
    student, guide = _compiled(settings, velocity), _compiled(settings, velocity)
    one = torch.ones(settings.batch, device=corpus.device)[share()]
    with torch.no_grad(), _autocast(corpus.device):
        empty = model.text(corpus.empty_clip[None], corpus.empty_t5[None])
        no_text, no_pooled = (part.repeat_interleave(len(one), dim=0) for part in empty)
    for step in loop:
        batch = draw_batch(corpus, settings, seed + 7, step, dropout=0.05)
        w = draw_guidance(settings, seed + 9, step, corpus.device)[share()]
        with torch.no_grad(), _autocast(corpus.device):
            sequence, pooled = model.text(batch.clip_ids, batch.t5_ids)
            with_text = guide(teacher, batch, sequence, pooled, one)
            without = guide(teacher, batch, no_text, no_pooled, one)
            target = without + w[:, None, None] * (with_text - without)
        with _autocast(corpus.device):
            output = student(model.transformer, batch, sequence, pooled, w)
        error = (output - target).square()
        loss = (error * batch.weight).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(model.transformer)
        torch.nn.utils.clip_grad_norm_(model.transformer.parameters(), 1.0)
        optimizer.step()
        ema.update(step)
        loop.note(loss=loss, plain=error.mean())
    ema.copy_to_live()
    return model
