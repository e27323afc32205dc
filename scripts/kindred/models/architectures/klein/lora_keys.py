"""FLUX.2 klein's LoRA layers in the layouts of other tools.

The original code of FLUX.2 has q, k and v of a double block as the rows of one matrix
(`img_attn.qkv`); all other layers are whole in both. ComfyUI and ai-toolkit name LoRA layers after
it, kohya's musubi-tuner too, with underscores. Importing this module does not import torch.
"""

from __future__ import annotations

from kindred.models.architectures.layer_names import TabledKeys

DOUBLE = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "img_attn.proj": ("attn.to_out.0",),
    "img_mlp.0": ("ff.linear_in",),
    "img_mlp.2": ("ff.linear_out",),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "txt_attn.proj": ("attn.to_add_out",),
    "txt_mlp.0": ("ff_context.linear_in",),
    "txt_mlp.2": ("ff_context.linear_out",),
}
SINGLE = {"linear1": ("attn.to_qkv_mlp_proj",), "linear2": ("attn.to_out",)}


class KleinAdapterKeys(TabledKeys):
    """klein's layers in the original code's names, and diffusers'."""

    blocks = {
        "double_blocks": ("transformer_blocks", DOUBLE),
        "single_blocks": ("single_transformer_blocks", SINGLE),
    }
    outside = {
        "img_in": "x_embedder",
        "txt_in": "context_embedder",
        "time_in.in_layer": "time_guidance_embed.timestep_embedder.linear_1",
        "time_in.out_layer": "time_guidance_embed.timestep_embedder.linear_2",
        "double_stream_modulation_img.lin": "double_stream_modulation_img.linear",
        "double_stream_modulation_txt.lin": "double_stream_modulation_txt.linear",
        "single_stream_modulation.lin": "single_stream_modulation.linear",
        "final_layer.linear": "proj_out",
        "final_layer.adaLN_modulation.1": "norm_out.linear",
    }
    # As in single files and ComfyUI: shift above scale. diffusers' own reading of LoRA files keeps
    # it, which is why this layer is never trained.
    swapped = frozenset({"norm_out.linear"})

    def metadata(self, base: str) -> dict[str, str]:
        """As kohya's tools write it."""
        kinds = (f"klein-{kind}" for kind in ("base-4b", "base-9b", "4b", "9b"))
        kind = next((kind for kind in kinds if f"flux.2-{kind}" in base.lower()), "klein")
        return {
            "ss_base_model_version": "flux2",
            "ss_network_module": "networks.lora_flux_2",
            "modelspec.architecture": f"flux-2-{kind}/lora",
            "modelspec.implementation": "https://github.com/black-forest-labs/flux2",
        }
