"""FLUX.2 [klein], base and distilled, 4B and 9B: what holds for all, and what computes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kindred.models.architectures.comfyui import ComfyNodes
from kindred.models.architectures.interface import (
    DIFFUSERS,
    TRANSFORMERS,
    Architecture,
    BatchedInputs,
    Denoiser,
    Guidance,
    LoadPart,
    Part,
    Parts,
    TextEncoding,
    TextTensor,
    Tokenizer,
)
from kindred.models.architectures.klein.layer_shapes import ACTIVATIONS, AFTER, BEFORE, layout
from kindred.models.architectures.klein.lora_keys import KleinAdapterKeys
from kindred.models.architectures.layout import NetworkLayout

if TYPE_CHECKING:
    import torch

    from kindred.models.architectures.latent_coding import LatentCoding

LAYERS = (9, 18, 27)  # whose states of Qwen3 are joined; diffusers' training script is behind
OPENING = "<|im_start|>user\n"  # of Qwen3's chat template; what is behind the text may be cut
USUAL_STEPS = 50  # of drawing by the base; training is shifted as that is
# mu by tokens at 10 and at 200 steps, linear in steps between (Black Forest Labs' sampling code).
AT_10, AT_200 = (8.73809524e-05, 1.89833333), (0.00016927, 0.45666666)
LONG = 4300  # tokens from which on only the second counts


# Blocks, heads and features of a text's token, by size.
PUBLISHED = {
    size: {
        "num_layers": double,
        "num_single_layers": single,
        "attention_head_dim": 128,
        "num_attention_heads": heads,
        "joint_attention_dim": text,
        "guidance_embeds": False,
    }
    for size, double, single, heads, text in (("4B", 5, 20, 24, 7680), ("9B", 8, 24, 32, 12288))
}


class KleinText(TextEncoding):
    """States of three layers of Qwen3, joined: [L, 3 D], padding included and unmasked."""

    tokenizers = (Tokenizer("tokenizer", "Qwen3", None, content=True, before=OPENING),)
    tensors = (TextTensor("qwen3"),)
    sequence = "qwen3"
    key = {"layers": list(LAYERS)}

    def encoder(self, name: str, load: LoadPart, tokens: int) -> Callable[[str], torch.Tensor]:
        """As `TextEncoding.encoder`."""
        from kindred.models.architectures.klein import text_encoder

        tokenizer = load("tokenizer")
        model = text_encoder.trimmed(load("text_encoder"), LAYERS)
        return lambda text: text_encoder.encode(tokenizer, model, text, tokens, LAYERS)


class Klein(Architecture):
    """FLUX.2 klein: double and single blocks with shared modulation over Qwen3's states and
    patchified latents, normalised by batch statistics."""

    name, version, title = "klein", 1, "FLUX.2 klein"
    licence = "4B: Apache-2.0; 9B: FLUX Non-Commercial License, gated"
    pipelines = ("Flux2KleinPipeline",)
    parts = Parts(
        image=(Part("vae", DIFFUSERS, "AutoencoderKLFlux2"),),
        text=(
            Part("tokenizer", TRANSFORMERS, "Qwen2TokenizerFast"),
            Part("text_encoder", TRANSFORMERS, "Qwen3ForCausalLM", quantized=True, blocks="model"),
        ),
        picture=(
            Part("transformer", DIFFUSERS, "Flux2Transformer2DModel", quantized=True),
            Part("scheduler", DIFFUSERS, "FlowMatchEulerDiscreteScheduler"),
        ),
    )
    size_multiple, patch = 16, 1  # 8 pixels a latent of the VAE, 2 x 2 of them one of the network's
    default_guidance = 4.0
    reference_area = 1024 * 1024
    published = {
        f"black-forest-labs/FLUX.2-klein-{kind}{size}": PUBLISHED[size]
        for kind in ("base-", "")
        for size in PUBLISHED
    }
    in_headers = re.compile(r"flux[._ -]?2", re.IGNORECASE)
    models = {3072: "FLUX.2 klein 4B", 4096: "FLUX.2 klein 9B", 6144: "FLUX.2 dev"}
    lora_targets = {
        # A single block's attention can't be trained apart from its feed-forward.
        "attention": re.compile(
            r"transformer_blocks\.\d+\.attn\.(?:to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)"
            r"|single_transformer_blocks\.\d+\.attn\.(?:to_qkv_mlp_proj|to_out)"
        ),
        "all-linear": re.compile(r"(?:single_)?transformer_blocks\.\d+\..+"),
    }
    # Files of other tools have its halves swapped, and readers differ in whether they swap back.
    never_trained = re.compile(r"norm_out\..+")
    never_quantized = tuple(name for name in (*BEFORE, *AFTER) if name != "pos_embed")
    text = KleinText()
    adapter_keys = KleinAdapterKeys()
    activations = ACTIVATIONS
    comfyui = ComfyNodes("flux2", "EmptyFlux2LatentImage", own_scheduler="Flux2Scheduler")

    def guidance(self, index: Mapping[str, Any], config: Mapping[str, Any]) -> Guidance:
        """A second pass over the empty text; distilled models go without."""
        return "none" if index.get("is_distilled") else "cfg"

    def layout(self, config: Mapping[str, Any]) -> NetworkLayout:
        """As `Architecture.layout`."""
        return layout(config)

    def shift(
        self,
        scheduler: Mapping[str, Any],
        tokens: int,
        steps: int | None,
        index: Mapping[str, Any] | None = None,
    ) -> float:
        """e^mu, mu by tokens and steps; the scheduler's own anchors are not asked."""
        return math.exp(mu(tokens, steps or USUAL_STEPS))

    def latent_coding(self, vae: Any) -> LatentCoding:
        """As `Architecture.latent_coding`."""
        from kindred.models.architectures.klein.latents import KleinLatents

        return KleinLatents(vae)

    def denoiser(
        self, network: Any, call: Callable[..., tuple[torch.Tensor]] | None = None
    ) -> Denoiser:
        """As `Architecture.denoiser`."""
        from kindred.models.architectures.klein.denoiser import KleinDenoiser

        return KleinDenoiser(network, call)

    def fast_attention(self, network: Any, device: torch.device) -> None:
        """cuDNN's kernels, on GPUs where they are faster."""
        from kindred.models.architectures.joint_attention import cudnn_is_faster
        from kindred.models.architectures.klein.attention import set_attention

        if cudnn_is_faster(network, device):
            set_attention(network, cudnn=True)

    def batched_inputs(self, network: Any) -> BatchedInputs:
        """Rotary embeddings worked out before, for every sample its own."""
        from kindred.models.architectures.klein.batched import KleinBatchedInputs

        return KleinBatchedInputs(network)


def mu(tokens: int, steps: int) -> float:
    """mu of the time shift of a picture of so many tokens, drawn in so many steps."""
    low, high = (slope * tokens + offset for slope, offset in (AT_10, AT_200))
    if tokens > LONG:
        return high
    slope = (high - low) / 190.0
    return slope * steps + high - 200.0 * slope


KLEIN = Klein()
