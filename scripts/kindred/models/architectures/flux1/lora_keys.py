"""FLUX LoRA files in the layouts of other tools: which layers a key means.

diffusers keeps q, k, v and a single block's first feed-forward layer apart. The original FLUX.1
code has them as the rows of one matrix (`img_attn.qkv`, `linear1`), and ComfyUI and kohya's
sd-scripts name their LoRA layers after it. Importing this module does not import torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.models.architectures.layer_names import TabledKeys

if TYPE_CHECKING:
    import torch

DOUBLE = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "img_attn.proj": ("attn.to_out.0",),
    "img_mlp.0": ("ff.net.0.proj",),
    "img_mlp.2": ("ff.net.2",),
    "img_mod.lin": ("norm1.linear",),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "txt_attn.proj": ("attn.to_add_out",),
    "txt_mlp.0": ("ff_context.net.0.proj",),
    "txt_mlp.2": ("ff_context.net.2",),
    "txt_mod.lin": ("norm1_context.linear",),
}
SINGLE = {
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
    "linear2": ("proj_out",),
    "modulation.lin": ("norm.linear",),
}
OUTSIDE = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
    "final_layer.linear": "proj_out",
}
BLOCKS = {
    "double_blocks": ("transformer_blocks", DOUBLE),
    "single_blocks": ("single_transformer_blocks", SINGLE),
}
MLP = 4  # a feed-forward layer is this many times as wide as the stream, in every FLUX.1


class Flux1AdapterKeys(TabledKeys):
    """FLUX.1's layers in the original code's names, and diffusers'."""

    comfyui, ai_toolkit = "kohya", "diffusers"
    comfyui_reads_diffusers = True
    blocks, outside, times = BLOCKS, OUTSIDE, {"proj_mlp": MLP}
    swapped = frozenset({"norm_out.linear"})  # shift above scale; in diffusers scale above shift

    def read_by_diffusers(self, path: Path) -> tuple[dict[str, torch.Tensor], Any, Any]:
        """As `AdapterKeys.read_by_diffusers`."""
        from diffusers.loaders.lora_pipeline import FluxLoraLoaderMixin

        return FluxLoraLoaderMixin.lora_state_dict(
            str(path.parent), weight_name=path.name, return_alphas=True, return_lora_metadata=True
        )

    def metadata(self, base: str) -> dict[str, str]:
        """As kohya's tools write it."""
        kinds = (name for name in ("dev", "schnell") if f"flux.1-{name}" in base.lower())
        kind = next((f"flux-1-{name}" for name in kinds), "flux-1")
        return {
            "ss_base_model_version": "flux1",
            "ss_network_module": "networks.lora_flux",
            "modelspec.architecture": f"{kind}/lora",
            "modelspec.implementation": "https://github.com/black-forest-labs/flux",
        }
