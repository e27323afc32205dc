"""FLUX.1 [dev] and [schnell]: what holds for both, and where what computes lies."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kindred.models.architectures.comfyui import ComfyNodes
from kindred.models.architectures.flux1.layer_shapes import ACTIVATIONS, layout
from kindred.models.architectures.flux1.lora_keys import Flux1AdapterKeys
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
from kindred.models.architectures.layout import NetworkLayout

if TYPE_CHECKING:
    import torch

    from kindred.models.architectures.latent_coding import LatentCoding


PUBLISHED = {
    "num_layers": 19,
    "num_single_layers": 38,
    "attention_head_dim": 128,
    "num_attention_heads": 24,
    "joint_attention_dim": 4096,
    "pooled_projection_dim": 768,
}


class Flux1Text(TextEncoding):
    """T5's states [L, D], padding included and unmasked, and CLIP's pooled vector [D]."""

    tokenizers = (
        Tokenizer("tokenizer", "CLIP", 77, content=False),
        Tokenizer("tokenizer_2", "T5", None, content=True),
    )
    # CLIP is never quantized, and reads as many tokens as its tokenizer says.
    tensors = (TextTensor("clip", ("encoder", "dtype")), TextTensor("t5"))
    sequence = "t5"

    def encoder(self, name: str, load: LoadPart, tokens: int) -> Callable[[str], torch.Tensor]:
        """As `TextEncoding.encoder`."""
        from kindred.models.architectures.flux1 import text_encoders

        if name == "clip":
            tokenizer, model = load("tokenizer"), load("text_encoder")
            return lambda text: text_encoders.encode_clip(tokenizer, model, text)
        tokenizer, model = load("tokenizer_2"), load("text_encoder_2")
        return lambda text: text_encoders.encode_t5(tokenizer, model, text, tokens)


class Flux1(Architecture):
    """FLUX.1: double and single blocks over T5's states and 2 x 2 patches of a 16-channel VAE."""

    name, version, title = "flux1", 1, "FLUX.1"
    licence = "[dev]: FLUX.1 [dev] Non-Commercial License, gated; [schnell]: Apache-2.0"
    pipelines = ("FluxPipeline",)
    parts = Parts(
        image=(Part("vae", DIFFUSERS, "AutoencoderKL"),),
        text=(
            Part("tokenizer", TRANSFORMERS, "CLIPTokenizer"),
            Part("text_encoder", TRANSFORMERS, "CLIPTextModel"),
            Part("tokenizer_2", TRANSFORMERS, "T5TokenizerFast"),
            Part(
                "text_encoder_2", TRANSFORMERS, "T5EncoderModel", quantized=True, blocks="encoder"
            ),
        ),
        picture=(
            Part("transformer", DIFFUSERS, "FluxTransformer2DModel", quantized=True),
            Part("scheduler", DIFFUSERS, "FlowMatchEulerDiscreteScheduler"),
        ),
    )
    size_multiple, patch = 16, 2  # 8 pixels a latent, 2 x 2 latents a token
    default_guidance = 3.5
    published = {
        f"black-forest-labs/FLUX.1-{name}": {**PUBLISHED, "guidance_embeds": name == "dev"}
        for name in ("dev", "schnell")
    }
    in_headers = re.compile(r"flux[._ -]?1", re.IGNORECASE)
    lora_targets = {
        # q, k, v and output of the image stream and the single blocks, as in diffusers' examples.
        "attention": re.compile(r"(?:.+\.)?attn\.to_(?:[qkv]|out\.0)"),
        # Every linear layer of the blocks that reads tokens; the modulations read the time step.
        "all-linear": re.compile(r"(?:single_)?transformer_blocks\.\d+\.(?!norm).+"),
    }
    text = Flux1Text()
    adapter_keys = Flux1AdapterKeys()
    activations = ACTIVATIONS
    comfyui = ComfyNodes(
        "flux",
        "EmptySD3LatentImage",
        embedded_guidance=True,
        mu_by_size=(0.5, 1.15),
        weighs_words=True,
    )

    def guidance(self, index: Mapping[str, Any], config: Mapping[str, Any]) -> Guidance:
        """[dev] takes it as an input, [schnell] not at all."""
        return "embedded" if config.get("guidance_embeds") else "none"

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
        """e^mu, mu linear in the tokens between the scheduler's anchors (0.5 at 256, 1.15 at 4096).

        A scheduler without dynamic shifting ([schnell]) draws by its own factor; in training levels
        are moved by the tokens there too.
        """
        if steps is not None and not scheduler.get("use_dynamic_shifting"):
            return float(scheduler.get("shift", 1.0))
        return math.exp(mu(tokens, scheduler))

    def latent_coding(self, vae: Any) -> LatentCoding:
        """As `Architecture.latent_coding`."""
        from kindred.models.architectures.latent_coding import ScaledLatents

        return ScaledLatents(vae)

    def denoiser(
        self, network: Any, call: Callable[..., tuple[torch.Tensor]] | None = None
    ) -> Denoiser:
        """As `Architecture.denoiser`."""
        from kindred.models.architectures.flux1.denoiser import Flux1Denoiser

        return Flux1Denoiser(network, call)

    def fast_attention(self, network: Any, device: torch.device) -> None:
        """cuDNN's kernels, on GPUs where they are faster."""
        from kindred.models.architectures.joint_attention import use_cudnn_attention

        use_cudnn_attention(network, device)

    def watched_attention(self, network: Any) -> Any:
        """That of the last double block, as FreeFuse (arXiv 2510.23515) found."""
        return network.transformer_blocks[-1].attn

    def batched_inputs(self, network: Any) -> BatchedInputs:
        """Rotary embeddings worked out before, for every sample its own."""
        from kindred.models.architectures.flux1.batched import Flux1BatchedInputs

        return Flux1BatchedInputs(network)


def mu(tokens: int, scheduler: Mapping[str, Any]) -> float:
    """mu of the time shift of a picture of so many tokens."""
    low, high = scheduler.get("base_image_seq_len", 256), scheduler.get("max_image_seq_len", 4096)
    at_low, at_high = scheduler.get("base_shift", 0.5), scheduler.get("max_shift", 1.15)
    return at_low + (at_high - at_low) * (tokens - low) / (high - low)


FLUX1 = Flux1()
