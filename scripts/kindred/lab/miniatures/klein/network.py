"""A small Flux2Transformer2DModel with its Qwen3, and the pipeline that they become."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
)
from transformers import Qwen3ForCausalLM

from kindred.common.files import writing
from kindred.lab.base_network import BaseNetwork, Batch, Text, facts_reader
from kindred.lab.base_training import compiled
from kindred.lab.miniatures.klein.text_encoder import one_layer, qwen, states
from kindred.lab.miniatures.pipeline_files import load_in_float32
from kindred.lab.settings import KleinFlowSettings, QwenSettings
from kindred.models.architectures.klein import denoiser
from kindred.models.architectures.klein.facts import LAYERS
from kindred.models.architectures.klein.latents import PATCH

SCHEDULER = {"num_train_timesteps": 1000, "shift": 3.0, "use_dynamic_shifting": True}


class KleinNetwork(BaseNetwork):
    """padding: token id that fills texts up; layer: `one_layer` of the text encoder, or that
    compiled: one graph for all layers."""

    def __init__(
        self,
        transformer: Flux2Transformer2DModel,
        text_encoder: Qwen3ForCausalLM,
        padding: int,
        layer: Any = one_layer,
    ) -> None:
        super().__init__()
        self.transformer, self.text_encoder = transformer, text_encoder
        self.padding, self.layer = padding, layer
        self.reader = facts_reader(transformer.inner_dim)

    @staticmethod
    def image_ids(height: int, width: int) -> torch.Tensor:
        """As `BaseNetwork.image_ids`."""
        return denoiser.image_ids(height // PATCH, width // PATCH)

    def text(self, ids: Mapping[str, torch.Tensor]) -> Text:
        """(sequence [N, L, 3 D],); padding is attended to, as in Flux2KleinPipeline."""
        return (states(self.text_encoder, ids["qwen"], self.padding, self.layer),)

    def velocity(self, batch: Batch, text: Text) -> torch.Tensor:
        """As `BaseNetwork.velocity`."""
        (sequence,) = text
        return self.transformer(
            hidden_states=batch.noisy,
            encoder_hidden_states=sequence,
            timestep=batch.time,
            guidance=None,
            img_ids=batch.image_ids,
            txt_ids=text_ids(sequence),
            return_dict=False,
        )[0].float()

    def velocity_and_facts(self, batch: Batch, text: Text) -> tuple[torch.Tensor, torch.Tensor]:
        """As `BaseNetwork.velocity_and_facts`. Behind the double blocks text and picture become one
        sequence; what is read of the picture is read before."""
        net, (sequence,) = self.transformer, text
        times = net.time_guidance_embed(1000 * batch.time, None)
        of_picture = net.double_stream_modulation_img(times)
        of_text = net.double_stream_modulation_txt(times)
        hidden, context = net.x_embedder(batch.noisy), net.context_embedder(sequence)
        turns = net.pos_embed(torch.cat((text_ids(sequence), batch.image_ids)))
        for block in net.transformer_blocks:
            context, hidden = block(hidden, context, of_picture, of_text, turns)
        facts = self.reader(hidden)
        joined = torch.cat((context, hidden), dim=1)
        of_both = net.single_stream_modulation(times)
        for block in net.single_transformer_blocks:
            joined = block(joined, None, of_both, turns)
        hidden = joined[:, sequence.shape[1] :]
        return net.proj_out(net.norm_out(hidden, times)).float(), facts.float()


def text_ids(sequence: torch.Tensor) -> torch.Tensor:
    """Position ids [L, 4] of states [N, L, 3 D]."""
    return denoiser.text_ids(sequence.shape[1]).to(sequence.device)


def build(
    flow: KleinFlowSettings, text: QwenSettings, latent_channels: int, tokenizers: Mapping[str, Any]
) -> KleinNetwork:
    """An untrained base for the tokenizer 'qwen'."""
    transformer = Flux2Transformer2DModel(
        patch_size=1,
        in_channels=PATCH * PATCH * latent_channels,
        num_layers=flow.double,
        num_single_layers=flow.single,
        attention_head_dim=flow.head_width,
        num_attention_heads=flow.heads,
        joint_attention_dim=len(LAYERS) * text.width,
        axes_dims_rope=tuple(flow.rope),
        guidance_embeds=False,
    )
    tokenizer = tokenizers["qwen"]
    encoder = qwen(text, len(tokenizer))
    return KleinNetwork(transformer, encoder, tokenizer.pad_token_id, compiled(flow, one_layer))


def save_pipeline(
    model: KleinNetwork, vae: AutoencoderKLFlux2, tokenizers: Mapping[str, Any], base: Path
) -> None:
    """As `Miniature.save`."""
    model.to("cpu", torch.bfloat16)
    parts = {
        "scheduler": FlowMatchEulerDiscreteScheduler(**SCHEDULER),
        "text_encoder": model.text_encoder.eval(),
        "transformer": model.transformer.eval(),
    }
    # The index alone: vae/ and the tokenizer are other stages' files and stay untouched.
    whole = Flux2KleinPipeline(vae=vae, tokenizer=tokenizers["qwen"], is_distilled=False, **parts)
    with writing(base):
        for name, part in parts.items():
            part.save_pretrained(base / name)
        whole.save_config(base)
    load_in_float32(base / "text_encoder" / "config.json")
