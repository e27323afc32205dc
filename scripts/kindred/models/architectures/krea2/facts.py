"""Krea 2, Raw and Turbo: what holds for both, and where what computes lies."""

from __future__ import annotations

import math
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
    TextEncoding,
    TextTensor,
    Tokenizer,
)
from kindred.models.architectures.krea2.layer_shapes import ACTIVATIONS, BEFORE, layout
from kindred.models.architectures.krea2.lora_keys import Krea2AdapterKeys
from kindred.models.architectures.layout import NetworkLayout

if TYPE_CHECKING:
    import torch

    from kindred.models.architectures.latent_coding import LatentCoding

LAYERS = tuple(range(2, 36, 3))  # whose states of Qwen3-VL the network fuses
# Qwen-Image's template, which Krea 2 was trained with.
OPENING = (
    "<|im_start|>system\nDescribe the image by detailing the color, shape, size, texture, "
    "quantity, text, spatial relationships of the objects and background:<|im_end|>\n"
    "<|im_start|>user\n"
)
CLOSING = "<|im_end|>\n<|im_start|>assistant\n"
# Tokens of both: states of the first are left out, the last count in a text's length.
OPENING_TOKENS, CLOSING_TOKENS = 34, 5
TURBO_MU = 1.15  # of the distilled model, for pictures of any size


class Krea2Text(TextEncoding):
    """States of twelve layers of Qwen3-VL, side by side: [L, 12, D] of a text's own length."""

    tokenizers = (
        Tokenizer(
            "tokenizer",
            "Qwen3-VL",
            None,
            content=True,
            before=OPENING,
            uncounted=OPENING_TOKENS - CLOSING_TOKENS,
        ),
    )
    tensors = (TextTensor("qwen3vl"),)
    sequence = "qwen3vl"
    key = {"layers": list(LAYERS), "template": "qwen-image"}

    def encoder(self, name: str, load: LoadPart, tokens: int) -> Callable[[str], torch.Tensor]:
        """As `TextEncoding.encoder`."""
        import torch

        from kindred.models.architectures.krea2 import text_encoder

        tokenizer = load("tokenizer")
        lengths = OPENING_TOKENS, CLOSING_TOKENS
        behind = text_encoder.template_ids(tokenizer, (OPENING, CLOSING), lengths)
        model = text_encoder.trimmed(load("text_encoder"), LAYERS)
        most = tokens + OPENING_TOKENS - CLOSING_TOKENS

        def encode(text: str) -> torch.Tensor:
            states = text_encoder.encode(
                tokenizer, model, OPENING, behind, text, most, OPENING_TOKENS
            )
            return torch.stack([states[layer] for layer in LAYERS], dim=1).cpu()

        return encode

    def collate(self, texts: Sequence[Embeddings], rows: int | None = None) -> Conditioning:
        """As `TextEncoding.collate`; mask [B, L]: which rows are a text's own."""
        import torch

        states = [text[self.sequence] for text in texts]
        lengths = torch.tensor([len(one) for one in states])
        longest = rows or int(lengths.max())
        filled = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)
        missing = longest - filled.shape[1]
        filled = torch.nn.functional.pad(filled, (0, 0, 0, 0, 0, missing))
        if rows is None and bool((lengths == longest).all()):
            return {self.sequence: filled}
        return {self.sequence: filled, "mask": torch.arange(longest) < lengths[:, None]}


class Krea2(Architecture):
    """Krea 2: blocks over text and picture as one sequence, with one shared modulation, over fused
    states of Qwen3-VL and 2 x 2 patches of Qwen-Image's 16-channel VAE."""

    name, version, title = "krea2", 1, "Krea 2"
    licence = "Krea 2 Community License, gated; who offers it to others has to filter content"
    pipelines = ("Krea2Pipeline",)
    parts = Parts(
        image=(Part("vae", DIFFUSERS, "AutoencoderKLQwenImage"),),
        text=(
            Part("tokenizer", TRANSFORMERS, "Qwen2TokenizerFast"),
            Part(
                "text_encoder",
                TRANSFORMERS,
                "Qwen3VLModel",
                quantized=True,
                blocks="language_model",
            ),
        ),
        picture=(
            Part("transformer", DIFFUSERS, "Krea2Transformer2DModel", quantized=True),
            Part("scheduler", DIFFUSERS, "FlowMatchEulerDiscreteScheduler"),
        ),
    )
    size_multiple, patch = 16, 2  # 8 pixels a latent, 2 x 2 latents a token
    default_guidance = 3.5  # of Raw, as Krea's own code draws: cond + 3.5 (cond - uncond)
    lora_targets = {
        # Krea advises it for long trainings.
        "attention": re.compile(r"transformer_blocks\.\d+\.attn\.(?:to_[qkv]|to_gate|to_out\.0)"),
        "all-linear": re.compile(r"transformer_blocks\.\d+\..+"),
    }
    # What is outside the blocks fuses texts and carries time: 1.2 GiB in half precision. The last
    # layer stays whole too.
    never_quantized = (*(name for name in BEFORE if name != "rotary_emb"), "final_layer")
    text = Krea2Text()
    adapter_keys = Krea2AdapterKeys()
    activations = ACTIVATIONS
    # mu's line through 256 and 6400 tokens, at 4096: 0.5 + 0.65 x 3840 / 6144.
    comfyui = ComfyNodes("krea2", "EmptyLatentImage", mu_by_size=(0.5, 0.90625))

    def guidance(self, index: Mapping[str, Any], config: Mapping[str, Any]) -> Guidance:
        """Raw: a second pass over the empty text. Turbo goes without."""
        return "none" if index.get("is_distilled") else "cfg"

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
        """e^mu, mu linear in the tokens between the scheduler's anchors (0.5 at 256, 1.15 at 6400).

        Turbo draws pictures of any size by the last; in training levels are moved by the tokens
        there too.
        """
        if steps is not None and (index or {}).get("is_distilled"):
            return math.exp(TURBO_MU)
        return math.exp(mu(tokens, scheduler))

    def latent_coding(self, vae: Any) -> LatentCoding:
        """As `Architecture.latent_coding`."""
        from kindred.models.architectures.krea2.latents import Krea2Latents

        return Krea2Latents(vae)

    def denoiser(
        self, network: Any, call: Callable[..., tuple[torch.Tensor]] | None = None
    ) -> Denoiser:
        """As `Architecture.denoiser`."""
        from kindred.models.architectures.krea2.denoiser import Krea2Denoiser

        return Krea2Denoiser(network, call)

    def batched_inputs(self, network: Any) -> BatchedInputs:
        """Rotary embeddings worked out before, for every sample its own."""
        from kindred.models.architectures.krea2.batched import Krea2BatchedInputs

        return Krea2BatchedInputs(network)


def mu(tokens: int, scheduler: Mapping[str, Any]) -> float:
    """mu of the time shift of a picture of so many tokens, drawn by Raw."""
    low, high = scheduler.get("base_image_seq_len", 256), scheduler.get("max_image_seq_len", 6400)
    at_low, at_high = scheduler.get("base_shift", 0.5), scheduler.get("max_shift", 1.15)
    return at_low + (at_high - at_low) * (tokens - low) / (high - low)


KREA2 = Krea2()
