"""The lab's base: a small FluxTransformer2DModel trained by flow matching with its text encoders,
then distilled to take guidance as an input, as FLUX.1-dev does.

Rectified flow as in Esser et al. 2024 (arXiv 2403.03206): x_t = (1 - t) x_0 + t noise, the network
predicts noise - x_0. Guidance distillation after Meng et al. 2023 (arXiv 2210.03142).

Beside it the tokens behind the double blocks must tell who they show, as in representation
alignment (Yu et al. 2024, arXiv 2410.06940), but with the drawing's truth in place of another
network's features. What makes one face differ from another is few pixels: by flow matching alone
names, kinds and expressions were learned last and badly.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
)
from torch import nn
from transformers import CLIPTextModel, T5EncoderModel

from kindred.common.files import read_json, write_json, writing
from kindred.lab.pretraining_corpus import LatentCorpus
from kindred.lab.settings import DistillSettings, FlowSettings, StageSettings, TextSettings
from kindred.lab.text_encoders import clip_encoder, t5_encoder
from kindred.lab.training_loop import (
    TrainingLoop,
    adamw,
    average_gradients,
    ema_of,
    fast_bfloat16,
    generator,
    share,
)
from kindred.models.architectures.patches import image_ids, pack, text_ids
from kindred.world.pretraining_shards import ATTRIBUTES
from kindred.world.vocabulary import TRAITS

FACTS = len(TRAITS) + sum(map(len, ATTRIBUTES.values()))

# FLUX.1-dev's scheduler configuration.
SCHEDULER = {
    "num_train_timesteps": 1000,
    "shift": 3.0,
    "use_dynamic_shifting": True,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
}


class TextToLatent(nn.Module):
    """Transformer and both text encoders, trained as one; `reader` tells a person's facts from a
    token, and is needed for training alone."""

    def __init__(
        self, transformer: FluxTransformer2DModel, clip: CLIPTextModel, t5: T5EncoderModel
    ) -> None:
        super().__init__()
        self.transformer, self.clip, self.t5 = transformer, clip, t5
        width = transformer.inner_dim
        self.reader = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, FACTS)
        )

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
    image ids [T, 3], token ids [N, L], times [N], facts [N, P, F], owners [N, T]."""

    clean: torch.Tensor
    noise: torch.Tensor
    weight: torch.Tensor
    image_ids: torch.Tensor
    clip_ids: torch.Tensor
    t5_ids: torch.Tensor
    time: torch.Tensor
    facts: torch.Tensor
    owners: torch.Tensor

    @property
    def noisy(self) -> torch.Tensor:
        """Between picture (time 0) and noise (time 1)."""
        t = self.time[:, None, None]
        return (1 - t) * self.clean + t * self.noise


def draw_batch(
    corpus: LatentCorpus,
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
    clip_ids = corpus.clip_ids[size][index, which].long()
    t5_ids = corpus.t5_ids[size][index, which].long()
    clip_ids = torch.where(dropped[:, None], corpus.empty_clip, clip_ids)
    t5_ids = torch.where(dropped[:, None], corpus.empty_t5, t5_ids)
    noise = torch.randn(latents.shape, generator=rng, device=corpus.device)
    time = torch.sigmoid(time_mean + torch.randn(n, generator=rng, device=corpus.device))
    ids = image_ids(*latents.shape[2:]).to(corpus.device)
    mine = share()
    pictures = (pack(part[mine]) for part in (latents, noise, weight))
    facts, owners = corpus.facts[size][index][mine], corpus.owners[size][index][mine]
    return Batch(*pictures, ids, clip_ids[mine], t5_ids[mine], time[mine], facts, owners)


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


def velocity_and_facts(
    model: TextToLatent, batch: Batch, sequence, pooled, guidance: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """As `velocity`, and what `reader` tells of each token, [N, T, F].

    FluxTransformer2DModel's own forward pass, which does not give its inner states.
    """
    net = model.transformer
    hidden = net.x_embedder(batch.noisy)
    text = net.context_embedder(sequence)
    times = net.time_text_embed(1000 * batch.time, 1000 * guidance, pooled)
    positions = torch.cat((text_ids(sequence.shape[1]).to(sequence.device), batch.image_ids))
    turns = net.pos_embed(positions)
    for block in net.transformer_blocks:
        text, hidden = block(hidden, text, times, image_rotary_emb=turns)
    facts = model.reader(hidden)
    for block in net.single_transformer_blocks:
        text, hidden = block(hidden, text, times, image_rotary_emb=turns)
    return net.proj_out(net.norm_out(hidden, times)).float(), facts.float()


def facts_loss(told: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Squared error of what tokens tell of their people, a fact; near 1 for a constant answer.

    Drawn people's facts have variance about 1 a trait and 0.7 an attribute.
    """
    owned = batch.owners >= 0
    index = batch.owners.clamp_min(0).long()[..., None].expand(-1, -1, batch.facts.shape[2])
    error = (told - batch.facts.float().gather(1, index)).square().sum(dim=2)
    return (error * owned).sum() / (owned.sum().clamp_min(1) * (len(TRAITS) + len(ATTRIBUTES)))


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
    optimizer, ema = adamw(model, settings.lr, settings.weight_decay), ema_of(model, settings.ema)
    parts = {"model": model, "optimizer": optimizer, "ema": ema}
    loop = TrainingLoop(
        "flow", folder, settings.steps, settings.lr, settings.warmup, parts, settings.checkpoint_s
    )
    # Text encoders stay eager: compiled, they took longer to build than they saved.
    predict = _compiled(settings, velocity_and_facts)
    one = torch.ones(settings.batch, device=corpus.device)[share()]
    for step in loop:
        batch = draw_batch(
            corpus, settings, seed, step, settings.caption_dropout, settings.time_mean
        )
        with _autocast(corpus.device):
            sequence, pooled = model.text(batch.clip_ids, batch.t5_ids)
            output, told = predict(model, batch, sequence, pooled, one)
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
    ema.copy_to_parameters()
    return model


def save_pipeline(
    model: TextToLatent, vae: AutoencoderKL, tokenizers: Sequence[Any], base: Path
) -> None:
    """Write what FluxPipeline.from_pretrained reads beside vae/ and the tokenizers of `base`, in
    bfloat16."""
    model.to("cpu", torch.bfloat16)
    parts = {
        "scheduler": FlowMatchEulerDiscreteScheduler(**SCHEDULER),
        "text_encoder": model.clip.eval(),
        "text_encoder_2": model.t5.eval(),
        "transformer": model.transformer.eval(),
    }
    # The index alone: vae/ and the tokenizers are other stages' files and stay untouched.
    whole = FluxPipeline(vae=vae, tokenizer=tokenizers[0], tokenizer_2=tokenizers[1], **parts)
    with writing(base):
        for name, part in parts.items():
            part.save_pretrained(base / name)
        whole.save_config(base)
    for encoder in ("text_encoder", "text_encoder_2"):
        load_in_float32(base / encoder / "config.json")


def load_in_float32(config: Path) -> None:
    """Let a plain from_pretrained widen the stored bfloat16: transformers takes the type a config
    names, diffusers float32, and a pipeline of both types doesn't run."""
    write_json(config, read_json(config) | {"dtype": "float32"})
