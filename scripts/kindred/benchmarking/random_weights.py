"""A transformer of FLUX.1-dev's shape with random weights, for measuring without the real ones.

Built layer by layer on the device in its final precision: main memory never holds more than one
layer. Memory and speed are those of the real model; pictures are noise. Knows shapes and
bitsandbytes' layers; knows nothing of training, rendering or files.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel

from kindred.models import quantized_weights

SHAPES: dict[str, dict[str, Any]] = {
    "flux-dev": {
        "num_layers": 19,
        "num_single_layers": 38,
        "num_attention_heads": 24,
        "attention_head_dim": 128,
        "joint_attention_dim": 4096,
        "pooled_projection_dim": 768,
        "guidance_embeds": True,
        "axes_dims_rope": (16, 56, 56),
    },
    "tiny": {
        "num_layers": 2,
        "num_single_layers": 2,
        "num_attention_heads": 2,
        "attention_head_dim": 32,
        "joint_attention_dim": 64,
        "pooled_projection_dim": 64,
        "guidance_embeds": True,
        "axes_dims_rope": (8, 12, 12),
    },
}
VAE_WIDTHS = {"flux-dev": (128, 256, 512, 512), "tiny": (8, 8, 16, 16)}
SPREAD = 0.02  # standard deviation of weights: activations stay of a size that bfloat16 holds


def transformer(
    shape: str,
    device: torch.device | str,
    quantization: str | None = None,
    dtype: torch.dtype = torch.bfloat16,
    seed: int = 0,
    in_main_memory: bool = False,
) -> FluxTransformer2DModel:
    """A frozen FluxTransformer2DModel on `device`, its linear layers in `quantization`
    (None, 'nf4', 'nf4-double', 'int8') as a loaded base's are; with `in_main_memory` left there.

    4-bit layers wait in main memory for the last one: what they were made of would leave holes
    between them on the GPU, which loading from a file does not, and which a capped process could
    not fill. (LLM int8 weights that come back are quantized a second time.)
    """
    four_bit = quantization in ("nf4", "nf4-double")
    waits = torch.device(device).type == "cuda" and (four_bit or in_main_memory)
    with torch.device("meta"):
        net = FluxTransformer2DModel(**SHAPES[shape])
    source = torch.Generator(device).manual_seed(seed)
    for name, part in list(net.named_modules()):
        for key, value in part.named_parameters(recurse=False):
            drawn = _drawn(key, value.shape, device, dtype, source)
            setattr(part, key, torch.nn.Parameter(drawn, requires_grad=False))
        if quantization and isinstance(part, torch.nn.Linear):
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


def vae(shape: str, device: torch.device | str, dtype: torch.dtype) -> AutoencoderKL:
    """A frozen AutoencoderKL of FLUX.1's shape with random weights."""
    widths = VAE_WIDTHS[shape]
    with torch.device(device):
        net = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=widths,
            layers_per_block=2,
            latent_channels=16,
            norm_num_groups=min(32, widths[0] // 2),
            scaling_factor=0.3611,
            shift_factor=0.1159,
            use_quant_conv=False,
            use_post_quant_conv=False,
        )
    for parameter in net.parameters():
        parameter.data = parameter.data.to(dtype)
    return net.eval().requires_grad_(False)


def scheduler() -> FlowMatchEulerDiscreteScheduler:
    """FLUX.1-dev's."""
    return FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True)
