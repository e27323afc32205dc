"""Z-Image's LoRA layers in the layouts of other tools.

ComfyUI, ai-toolkit and kohya's musubi-tuner name them as diffusers does, with other prefixes, and
dots or underscores. The original code has q, k and v as the rows of one matrix; files that keep
that are read, and none are written. Importing this module does not import torch.
"""

from __future__ import annotations

from kindred.models.architectures.layer_names import TabledKeys

QKV = ("attention.to_q", "attention.to_k", "attention.to_v")
SAME = (*QKV, "attention.to_out.0", *(f"feed_forward.w{number}" for number in (1, 2, 3)))
# The first name of a layer is the one that is written.
BLOCK = {name: (name,) for name in (*SAME, "adaLN_modulation.0")} | {
    "attention.qkv": QKV,
    "attention.out": ("attention.to_out.0",),
}
# Of patches of 2 x 2 latents of one picture.
OUTSIDE = (
    "t_embedder.mlp.0",
    "t_embedder.mlp.2",
    "cap_embedder.1",
    "all_x_embedder.2-1",
    "all_final_layer.2-1.linear",
    "all_final_layer.2-1.adaLN_modulation.1",
)


class ZImageAdapterKeys(TabledKeys):
    """Z-Image's layers, which have diffusers' names everywhere."""

    blocks = {name: (name, BLOCK) for name in ("layers", "noise_refiner", "context_refiner")}
    outside = {name: name for name in OUTSIDE}

    def metadata(self, base: str) -> dict[str, str]:
        """As kohya's tools write it."""
        return {
            "ss_base_model_version": "z_image",
            "ss_network_module": "networks.lora_zimage",
            "modelspec.architecture": "Z-Image/lora",
            "modelspec.implementation": "https://github.com/Tongyi-MAI/Z-Image",
        }
