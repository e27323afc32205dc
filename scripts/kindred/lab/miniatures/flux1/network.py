"""A small FluxTransformer2DModel with its text encoders, and the pipeline that they become."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
)
from transformers import CLIPTextModel, T5EncoderModel

from kindred.common.files import writing
from kindred.lab.base_network import BaseNetwork, Batch, Text, facts_reader
from kindred.lab.miniatures.flux1.text_encoders import clip_encoder, t5_encoder
from kindred.lab.miniatures.pipeline_files import load_in_float32
from kindred.lab.settings import FlowSettings, TextSettings
from kindred.models.architectures import patches

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


class FluxNetwork(BaseNetwork):
    """The guidance input is held at 1 while flow matching trains, which `distill` keeps as "no
    guidance"."""

    def __init__(
        self, transformer: FluxTransformer2DModel, clip: CLIPTextModel, t5: T5EncoderModel
    ) -> None:
        super().__init__()
        self.transformer, self.clip, self.t5 = transformer, clip, t5
        self.reader = facts_reader(transformer.inner_dim)

    @staticmethod
    def image_ids(height: int, width: int) -> torch.Tensor:
        """As `BaseNetwork.image_ids`."""
        return patches.image_ids(height, width)

    def text(self, ids: Mapping[str, torch.Tensor]) -> Text:
        """(sequence [N, L, D], pooled [N, P]); padding is attended to, as in FluxPipeline. Not
        compiled: that took longer than it saved."""
        return self.t5(ids["t5"]).last_hidden_state, self.clip(ids["clip"]).pooler_output

    def velocity(self, batch: Batch, text: Text) -> torch.Tensor:
        """As `BaseNetwork.velocity`."""
        return velocity(self.transformer, batch, text, torch.ones_like(batch.time))

    def velocity_and_facts(self, batch: Batch, text: Text) -> tuple[torch.Tensor, torch.Tensor]:
        """As `BaseNetwork.velocity_and_facts`."""
        net, (sequence, pooled) = self.transformer, text
        hidden = net.x_embedder(batch.noisy)
        context = net.context_embedder(sequence)
        times = net.time_text_embed(1000 * batch.time, torch.full_like(batch.time, 1000.0), pooled)
        turns = net.pos_embed(torch.cat((text_ids(sequence), batch.image_ids)))
        for block in net.transformer_blocks:
            context, hidden = block(hidden, context, times, image_rotary_emb=turns)
        facts = self.reader(hidden)
        for block in net.single_transformer_blocks:
            context, hidden = block(hidden, context, times, image_rotary_emb=turns)
        return net.proj_out(net.norm_out(hidden, times)).float(), facts.float()


def velocity(
    transformer: FluxTransformer2DModel, batch: Batch, text: Text, guidance: torch.Tensor
) -> torch.Tensor:
    """The transformer's noise - picture, [N, T, 4C], float32, at guidance [N]."""
    sequence, pooled = text
    return transformer(
        hidden_states=batch.noisy,
        timestep=batch.time,
        guidance=guidance,
        pooled_projections=pooled,
        encoder_hidden_states=sequence,
        txt_ids=text_ids(sequence),
        img_ids=batch.image_ids,
        return_dict=False,
    )[0].float()


def text_ids(sequence: torch.Tensor) -> torch.Tensor:
    """Position ids [L, 3] of states [N, L, D]."""
    return patches.text_ids(sequence.shape[1]).to(sequence.device)


def build(
    flow: FlowSettings, text: TextSettings, latent_channels: int, tokenizers: Mapping[str, Any]
) -> FluxNetwork:
    """An untrained base for the tokenizers 'clip' and 't5'."""
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
    clip, t5 = clip_encoder(text, tokenizers["clip"]), t5_encoder(text, len(tokenizers["t5"]))
    return FluxNetwork(transformer, clip, t5)


def save_pipeline(
    model: FluxNetwork, vae: AutoencoderKL, tokenizers: Mapping[str, Any], base: Path
) -> None:
    """As `Miniature.save`."""
    model.to("cpu", torch.bfloat16)
    parts = {
        "scheduler": FlowMatchEulerDiscreteScheduler(**SCHEDULER),
        "text_encoder": model.clip.eval(),
        "text_encoder_2": model.t5.eval(),
        "transformer": model.transformer.eval(),
    }
    # The index alone: vae/ and the tokenizers are other stages' files and stay untouched.
    whole = FluxPipeline(
        vae=vae, tokenizer=tokenizers["clip"], tokenizer_2=tokenizers["t5"], **parts
    )
    with writing(base):
        for name, part in parts.items():
            part.save_pretrained(base / name)
        whole.save_config(base)
    for encoder in ("text_encoder", "text_encoder_2"):
        load_in_float32(base / encoder / "config.json")
