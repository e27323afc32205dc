"""FLUX LoRA files in the layouts of other tools: which layers a key means.

diffusers keeps q, k, v and a single block's first feed-forward layer apart. The original FLUX.1
code has them as the rows of one matrix (`img_attn.qkv`, `linear1`), and ComfyUI and kohya's
sd-scripts name their LoRA layers after it. Importing this module does not import torch.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.models.architectures.interface import AdapterKeys, FusedLayer

if TYPE_CHECKING:
    import torch

# Name in the original code -> its rows from top to bottom, as diffusers calls them.
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
SWAPPED = "norm_out.linear"  # the original has shift above scale, diffusers scale above shift
BLOCKS = {
    "double_blocks": ("transformer_blocks", DOUBLE),
    "single_blocks": ("single_transformer_blocks", SINGLE),
}
MLP = 4  # a feed-forward layer is this many times as wide as the stream, in every FLUX.1


def _flat(name: str) -> str:
    return name.replace(".", "_")


def _layer(original: str, parts: tuple[str, ...]) -> FusedLayer:
    times = tuple(MLP if part.endswith("proj_mlp") else 1 for part in parts)
    return FusedLayer(original, parts, times, bool(original) and parts == (SWAPPED,))


_INSIDE = {
    original: (diffusers, {_flat(name): (name, parts) for name, parts in table.items()})
    for original, (diffusers, table) in BLOCKS.items()
}
_ENDINGS = {
    diffusers: {_flat(part): part for parts in table.values() for part in parts}
    for diffusers, table in BLOCKS.values()
}
_OUTSIDE = {_flat(name): _layer(name, (part,)) for name, part in OUTSIDE.items()}
_OUTSIDE_PARTS = {_flat(part): part for part in OUTSIDE.values()}


class Flux1AdapterKeys(AdapterKeys):
    """FLUX.1's layers in the original code's names, and diffusers'."""

    def layer_of(self, name: str) -> FusedLayer | None:
        """As `AdapterKeys.layer_of`."""
        flat = _flat(name)
        block = re.fullmatch(r"(double_blocks|single_blocks)_(\d+)_(.+)", flat)
        if block and block[3] in _INSIDE[block[1]][1]:
            stem = f"{_INSIDE[block[1]][0]}.{block[2]}"
            inner, parts = _INSIDE[block[1]][1][block[3]]
            return _layer(f"{block[1]}.{block[2]}.{inner}", tuple(f"{stem}.{p}" for p in parts))
        if flat in _OUTSIDE:
            return _OUTSIDE[flat]
        block = re.fullmatch(r"((?:single_)?transformer_blocks)_(\d+)_(.+)", flat)
        if block and block[3] in _ENDINGS[block[1]]:
            return _layer("", (f"{block[1]}.{block[2]}.{_ENDINGS[block[1]][block[3]]}",))
        return _layer("", (_OUTSIDE_PARTS[flat],)) if flat in _OUTSIDE_PARTS else None

    def fused_layer(self, part: str) -> FusedLayer | None:
        """As `AdapterKeys.fused_layer`."""
        block = re.fullmatch(r"((?:single_)?transformer_blocks)\.(\d+)\.(.+)", part)
        for original, (diffusers, table) in BLOCKS.items():
            if block and block[1] == diffusers:
                stem = f"{diffusers}.{block[2]}"
                for name, parts in table.items():
                    if block[3] in parts:
                        whole = tuple(f"{stem}.{one}" for one in parts)
                        return _layer(f"{original}.{block[2]}.{name}", whole)
        outside = {layer: name for name, layer in OUTSIDE.items()}
        return _layer(outside[part], (part,)) if part in outside else None

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
