"""Z-Image and Z-Image-Turbo: what holds for both, and where what computes lies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kindred.models.architectures.comfyui import ComfyNodes
from kindred.models.architectures.interface import (
    DIFFUSERS,
    TRANSFORMERS,
    Architecture,
    BatchedInputs,
    Conditioning,
    Denoiser,
    Embeddings,
    Guidance,
    LoadPart,
    Part,
    Parts,
    Shapes,
    TextEncoding,
    TextTensor,
    Tokenizer,
)
from kindred.models.architectures.layout import NetworkLayout
from kindred.models.architectures.z_image import text_padding
from kindred.models.architectures.z_image.layer_shapes import ACTIVATIONS, layout
from kindred.models.architectures.z_image.lora_keys import ZImageAdapterKeys
from kindred.models.architectures.z_image.text_padding import STATES

if TYPE_CHECKING:
    import torch

    from kindred.models.architectures.latent_coding import LatentCoding

OPENING = "<|im_start|>user\n"  # of Qwen3's chat template; what is behind the text may be cut


class ZImageText(TextEncoding):
    """States of Qwen3's last layer but one: [L, D], of a text's own tokens."""

    tokenizers = (Tokenizer("tokenizer", "Qwen3", None, content=True, before=OPENING),)
    tensors = (TextTensor(STATES),)
    sequence = STATES
    key = {"layer": -2, "thinking": True}

    def encoder(self, name: str, load: LoadPart, tokens: int) -> Callable[[str], torch.Tensor]:
        """As `TextEncoding.encoder`."""
        from kindred.models.architectures.z_image import text_encoder

        tokenizer = load("tokenizer")
        model = text_encoder.trimmed(load("text_encoder"))
        return lambda text: text_encoder.encode(tokenizer, model, text, tokens)

    def collate(self, texts: Sequence[Embeddings], rows: int | None = None) -> Conditioning:
        """As `TextEncoding.collate`."""
        return text_padding.collate(texts, rows)

    def length(self, shapes: Shapes) -> int:
        """As `TextEncoding.length`, with what fills the text up."""
        return text_padding.filled(super().length(shapes))


class ZImage(Architecture):
    """Z-Image: one kind of block over picture and text as one sequence, with refiners for each
    before them, over Qwen3's states and 2 x 2 patches of a 16-channel VAE."""

    name, version, title = "z-image", 1, "Z-Image"
    licence = "Apache-2.0"
    pipelines = ("ZImagePipeline",)
    parts = Parts(
        image=(Part("vae", DIFFUSERS, "AutoencoderKL"),),
        text=(
            Part("tokenizer", TRANSFORMERS, "Qwen2Tokenizer"),
            Part("text_encoder", TRANSFORMERS, "Qwen3Model", quantized=True, blocks=""),
        ),
        picture=(
            Part("transformer", DIFFUSERS, "ZImageTransformer2DModel", quantized=True),
            Part("scheduler", DIFFUSERS, "FlowMatchEulerDiscreteScheduler"),
        ),
    )
    size_multiple, patch = 16, 2  # 8 pixels a latent, 2 x 2 latents a token
    default_guidance = 5.0
    lora_targets = {
        "attention": re.compile(r"layers\.\d+\.attention\.(?:to_[qkv]|to_out\.0)"),
        # The refiners stay as they are, as in the trainers that people use.
        "all-linear": re.compile(
            r"layers\.\d+\.(?:attention\.(?:to_[qkv]|to_out\.0)|feed_forward\.w[123])"
        ),
    }
    never_quantized = (
        "t_embedder",
        "cap_embedder",
        "all_x_embedder",
        "all_final_layer",
        "adaLN_modulation",
    )
    text = ZImageText()
    adapter_keys = ZImageAdapterKeys()
    activations = ACTIVATIONS
    comfyui = ComfyNodes("lumina2", "EmptySD3LatentImage", shift=3.0)

    def guidance(self, index: Mapping[str, Any], config: Mapping[str, Any]) -> Guidance:
        """A second pass over the empty text; Turbo is drawn at scale 0, which is none."""
        return "cfg"

    def cfg_scale(self, guidance_scale: float) -> float:
        """As `Architecture.cfg_scale`: its pipeline adds g times the difference to the prompt's
        velocity."""
        return 1.0 + guidance_scale

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
        """The scheduler's own factor, whatever the picture's size: 6 for Z-Image, 3 for Turbo."""
        return float(scheduler.get("shift", 1.0))

    def latent_coding(self, vae: Any) -> LatentCoding:
        """As `Architecture.latent_coding`."""
        from kindred.models.architectures.latent_coding import ScaledLatents

        return ScaledLatents(vae)

    def denoiser(
        self, network: Any, call: Callable[..., tuple[torch.Tensor]] | None = None
    ) -> Denoiser:
        """As `Architecture.denoiser`."""
        from kindred.models.architectures.z_image.denoiser import ZImageDenoiser

        return ZImageDenoiser(network, call)

    def fast_attention(self, network: Any, device: torch.device) -> None:
        """cuDNN's kernels, on GPUs where they are faster."""
        from kindred.models.architectures.z_image.attention import use_turned_attention
        from kindred.models.architectures.z_image.sequences import Sequences

        Sequences.of(network)  # which gives it torch's
        use_turned_attention(network, device)

    def batched_inputs(self, network: Any) -> BatchedInputs:
        """Positions worked out before, for every sample its own."""
        from kindred.models.architectures.z_image.batched import ZImageBatchedInputs

        return ZImageBatchedInputs(network)


Z_IMAGE = ZImage()
