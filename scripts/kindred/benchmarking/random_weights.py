"""Transformers and autoencoders of known bases' shapes with random weights, for measuring without
the real ones.

Built layer by layer on the device in its final precision: main memory never holds more than one
layer. Memory and speed are those of the real model; pictures are noise. Knows shapes and
bitsandbytes' layers; knows nothing of training, rendering or files.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import diffusers
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from kindred.models import quantized_weights
from kindred.models.architectures import by_name, note
from kindred.models.architectures.interface import Architecture, Embeddings
from kindred.models.architectures.layout import NetworkLayout


@dataclass(frozen=True)
class Shape:
    """A base without its weights: settings of its network, autoencoder and scheduler. channels: of
    its latents; text: features of a token of each stored tensor; vectors: of stored tensors that
    are one vector a text; tokens: of a text of usual length; drawing: steps and guidance scale."""

    architecture: str
    channels: int
    text: dict[str, tuple[int, ...]]
    network: dict[str, Any]
    vae: dict[str, Any]
    scheduler: dict[str, Any]
    vectors: dict[str, int] = field(default_factory=dict)
    tokens: int = 512
    drawing: tuple[int, float] = (28, 3.5)

    @property
    def known(self) -> Architecture:
        """What the rest of Kindred knows of such bases."""
        return by_name(self.architecture, "a random base")

    @cached_property
    def layout(self) -> NetworkLayout:
        """The network's layers, by its class's configuration; making it takes a second."""
        with torch.device("meta"):
            return self.known.layout(class_of(self)(**self.network).config)

    @property
    def passes(self) -> int:
        """Of the network for a step of drawing: two with guidance by a second pass."""
        return 2 if self.known.guidance({}, self.network) == "cfg" else 1

    def resized(self, **settings: Any) -> Shape:
        """With other settings of the network."""
        return replace(self, network={**self.network, **settings})


def _sixteen(widths: tuple[int, ...]) -> dict[str, Any]:
    """Settings of an AutoencoderKL of FLUX.1's kind; Z-Image has it too."""
    return {
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "block_out_channels": widths,
        "layers_per_block": 2,
        "latent_channels": 16,
        "norm_num_groups": min(32, widths[0] // 2),
        "scaling_factor": 0.3611,
        "shift_factor": 0.1159,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
    }


def _published(architecture: str, model: str) -> dict[str, Any]:
    return dict(by_name(architecture, "").published[f"black-forest-labs/{model}"])


def _klein(size: str) -> Shape:
    known = _published("klein", f"FLUX.2-klein-{size}")
    return Shape(
        "klein",
        128,
        {"qwen3": (known["joint_attention_dim"],)},
        {
            **known,
            "patch_size": 1,
            "in_channels": 128,
            "timestep_guidance_channels": 256,
            "mlp_ratio": 3.0,
            "axes_dims_rope": (32, 32, 32, 32),
            "rope_theta": 2000,
        },
        {},
        {"shift": 3.0, "use_dynamic_shifting": True},
        drawing=(50, 4.0),
    )


DYNAMIC = {"shift": 3.0, "use_dynamic_shifting": True}
SMALL_VAE = {
    "block_out_channels": (8, 8, 8, 8),
    "layers_per_block": 1,
    "latent_channels": 4,
    "norm_num_groups": 4,
}
SHAPES = {
    "flux-dev": Shape(
        "flux1",
        16,
        {"t5": (4096,)},
        {**_published("flux1", "FLUX.1-dev"), "axes_dims_rope": (16, 56, 56)},
        _sixteen((128, 256, 512, 512)),
        DYNAMIC,
        {"clip": 768},
    ),
    "klein-4b": _klein("4B"),
    "klein-9b": _klein("9B"),
    "z-image": Shape(
        "z-image",
        16,
        {"qwen3": (2560,)},
        {},  # the class's own
        _sixteen((128, 256, 512, 512)),
        {"shift": 6.0},
        tokens=64,
        drawing=(50, 5.0),
    ),
    "krea-2": Shape(
        "krea2",
        16,
        {"qwen3vl": (12, 2560)},
        {},  # the class's own
        {},
        {"use_dynamic_shifting": True, "max_image_seq_len": 6400},
        tokens=64,
        drawing=(28, 4.5),
    ),
    "tiny": Shape(
        "flux1",
        16,
        {"t5": (64,)},
        {
            "num_layers": 2,
            "num_single_layers": 2,
            "num_attention_heads": 2,
            "attention_head_dim": 32,
            "joint_attention_dim": 64,
            "pooled_projection_dim": 64,
            "guidance_embeds": True,
            "axes_dims_rope": (8, 12, 12),
        },
        _sixteen((8, 8, 16, 16)),
        DYNAMIC,
        {"clip": 64},
        16,
    ),
    "tiny-klein": Shape(
        "klein",
        16,
        {"qwen3": (96,)},
        {
            "in_channels": 16,
            "num_layers": 2,
            "num_single_layers": 2,
            "attention_head_dim": 16,
            "num_attention_heads": 2,
            "joint_attention_dim": 96,
            "timestep_guidance_channels": 32,
            "axes_dims_rope": (4, 4, 4, 4),
            "guidance_embeds": False,
        },
        SMALL_VAE,
        DYNAMIC,
        tokens=16,
        drawing=(4, 4.0),
    ),
    "tiny-z-image": Shape(
        "z-image",
        16,
        {"qwen3": (32,)},
        {
            "in_channels": 16,
            "dim": 48,
            "n_layers": 2,
            "n_refiner_layers": 1,
            "n_heads": 2,
            "n_kv_heads": 2,
            "cap_feat_dim": 32,
            "axes_dims": [8, 8, 8],
            "axes_lens": [1024, 64, 64],
        },
        _sixteen((8, 8, 16, 16)),
        {"shift": 6.0},
        tokens=16,
        drawing=(4, 5.0),
    ),
    "tiny-krea-2": Shape(
        "krea2",
        4,
        {"qwen3vl": (3, 32)},
        {
            "in_channels": 16,
            "num_layers": 2,
            "attention_head_dim": 16,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "intermediate_size": 64,
            "timestep_embed_dim": 32,
            "text_hidden_dim": 32,
            "num_text_layers": 3,
            "text_num_attention_heads": 2,
            "text_num_key_value_heads": 2,
            "text_intermediate_size": 48,
            "num_layerwise_text_blocks": 1,
            "num_refiner_text_blocks": 1,
            "axes_dims_rope": (4, 6, 6),
        },
        {
            "base_dim": 8,
            "z_dim": 4,
            "dim_mult": [1, 1, 1, 1],
            "num_res_blocks": 1,
            "temperal_downsample": [False, True, True],
            "latents_mean": [0.1, -0.2, 0.3, 0.0],
            "latents_std": [1.5, 2.0, 1.2, 0.9],
        },
        {"use_dynamic_shifting": True, "max_image_seq_len": 6400},
        tokens=16,
        drawing=(4, 4.5),
    ),
}
SPREAD = 0.02  # standard deviation of weights: activations stay of a size that bfloat16 holds


def transformer(
    shape: str,
    device: torch.device | str,
    quantization: str | None = None,
    dtype: torch.dtype = torch.bfloat16,
    seed: int = 0,
    in_main_memory: bool = False,
) -> Any:
    """A frozen transformer of this shape on `device`, its linear layers in `quantization` (None,
    'nf4', 'nf4-double', 'int8') as a loaded base's are; with `in_main_memory` left there.

    4-bit layers wait in main memory for the last one: what they were made of would leave holes
    between them on the GPU, which loading from a file does not, and which a capped process could
    not fill. (LLM int8 weights that come back are quantized a second time.)
    """
    four_bit = quantization in ("nf4", "nf4-double")
    waits = torch.device(device).type == "cuda" and (four_bit or in_main_memory)
    with torch.device("meta"):
        net = class_of(SHAPES[shape])(**SHAPES[shape].network)
    note(net, SHAPES[shape].known)
    layout = SHAPES[shape].known.layout(net.config)
    kept = {layer.name for layer in layout.layers if layer.kept}
    precise = tuple(net._keep_in_fp32_modules or ())
    source = torch.Generator(device).manual_seed(seed)
    for name, part in list(net.named_modules()):
        for key, value in part.named_parameters(recurse=False):
            own_dtype = torch.float32 if name.rpartition(".")[2] in precise else dtype
            drawn = _drawn(key, value.shape, device, own_dtype, source)
            setattr(part, key, torch.nn.Parameter(drawn, requires_grad=False))
        if quantization and isinstance(part, torch.nn.Linear) and name not in kept:
            parent, _, own = name.rpartition(".")
            plain, part = part, quantize(part, quantization, dtype, device)
            plain.weight = None  # which the list of modules would hold
            setattr(net.get_submodule(parent), own, part)
        if waits and not any(part.children()):
            torch.nn.Module.to(part, "cpu")
    net.is_loaded_in_4bit = four_bit
    net.is_loaded_in_8bit = quantization == "int8"
    if waits:
        torch.cuda.empty_cache()
        torch.nn.Module.to(net, "cpu" if in_main_memory else device)
    return net.eval()


def _drawn(
    key: str,
    size: torch.Size,
    device: torch.device | str,
    dtype: torch.dtype,
    source: torch.Generator,
) -> torch.Tensor:
    if key == "bias":
        return torch.zeros(size, device=device, dtype=dtype)
    if len(size) == 1:  # the scale of a norm
        return torch.ones(size, device=device, dtype=dtype)
    return torch.randn(size, device=device, dtype=dtype, generator=source) * SPREAD


def quantize(
    layer: torch.nn.Linear, kind: str, dtype: torch.dtype, device: torch.device | str
) -> torch.nn.Module:
    """bitsandbytes' layer of this kind in place of a linear one."""
    import bitsandbytes as bnb

    outputs, inputs = layer.weight.shape
    has_bias = layer.bias is not None
    with torch.device("meta"):
        if kind == "int8":
            # The threshold of outliers is the one that transformers and diffusers load with.
            new = bnb.nn.Linear8bitLt(
                inputs, outputs, has_bias, has_fp16_weights=False, threshold=6.0
            )
        else:
            new = bnb.nn.Linear4bit(inputs, outputs, has_bias, dtype, quant_type="nf4")
    new.weight = quantized_weights.packed(layer.weight.data, kind).to(device)
    new.bias = layer.bias
    return new.requires_grad_(False)


def class_of(shape: Shape) -> Any:
    """The class of diffusers that a base's network has."""
    return getattr(diffusers, shape.known.parts.network.class_name)


def vae(shape: str, device: torch.device | str, dtype: torch.dtype) -> Any:
    """A frozen autoencoder of the base's shape with random weights."""
    with torch.device(device):
        net = getattr(diffusers, SHAPES[shape].known.parts.vae.class_name)(**SHAPES[shape].vae)
    for parameter in net.parameters():
        parameter.data = parameter.data.to(dtype)
    return net.eval().requires_grad_(False)


def scheduler(shape: str) -> FlowMatchEulerDiscreteScheduler:
    """The base's."""
    return FlowMatchEulerDiscreteScheduler(**SHAPES[shape].scheduler)


def text(shape: str, tokens: int) -> Embeddings:
    """A text as it is stored, of random states, in bfloat16 on the CPU."""
    asked = SHAPES[shape]
    rows = {name: torch.randn(tokens, *size) for name, size in asked.text.items()}
    found = rows | {name: torch.randn(size) for name, size in asked.vectors.items()}
    return {name: value.bfloat16() for name, value in found.items()}
