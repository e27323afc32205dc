"""Krea 2's LoRA layers in the layouts of other tools.

The original code has the same layers as diffusers under other names: none is fused. ComfyUI and
ai-toolkit name LoRA layers after it, musubi-tuner too, with underscores. diffusers reads the first
two; a file of the third it loads without a word and without effect, and an alpha it refuses.
Importing this module does not import torch.
"""

from __future__ import annotations

from kindred.models.architectures.layer_names import TabledKeys

BLOCK = {
    "attn.wq": ("attn.to_q",),
    "attn.wk": ("attn.to_k",),
    "attn.wv": ("attn.to_v",),
    "attn.wo": ("attn.to_out.0",),
    "attn.gate": ("attn.to_gate",),
    "mlp.gate": ("ff.gate",),
    "mlp.up": ("ff.up",),
    "mlp.down": ("ff.down",),
}


class Krea2AdapterKeys(TabledKeys):
    """Krea 2's layers in the original code's names, and diffusers'."""

    blocks = {
        "blocks": ("transformer_blocks", BLOCK),
        "txtfusion.layerwise_blocks": ("text_fusion.layerwise_blocks", BLOCK),
        "txtfusion.refiner_blocks": ("text_fusion.refiner_blocks", BLOCK),
    }
    outside = {
        "first": "img_in",
        "last.linear": "final_layer.linear",
        "tmlp.0": "time_embed.linear_1",
        "tmlp.2": "time_embed.linear_2",
        "tproj.1": "time_mod_proj",
        "txtmlp.1": "txt_in.linear_1",
        "txtmlp.3": "txt_in.linear_2",
        "txtfusion.projector": "text_fusion.projector",
    }

    def metadata(self, base: str) -> dict[str, str]:
        """As musubi-tuner writes it."""
        return {
            "ss_base_model_version": "krea2",
            "ss_network_module": "networks.lora_krea2",
            "modelspec.architecture": "Krea-2/lora",
            "modelspec.implementation": "https://github.com/krea-ai/krea-2",
        }
