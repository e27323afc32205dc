"""A base of FLUX.2 klein's own classes with random weights, for tests.

Knows how each component is shaped and written; knows nothing of what tests do with it. Every
program runs on it as on a real base: `Flux2KleinPipeline.from_pretrained(build(path))`.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
)
from transformers import Qwen2TokenizerFast, Qwen3Config, Qwen3ForCausalLM
from transformers.convert_slow_tokenizer import bytes_to_unicode

from kindred.lab.miniatures.klein.tokenizer import CHAT, MARKS, PADDING

SPECIAL = (PADDING, *MARKS)


def build(path: Path | str, seed: int = 0, distilled: bool = False) -> Path:
    """Write the pipeline folder and return its path. The same seed gives the same weights."""
    path = Path(path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pipeline = Flux2KleinPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
            vae=_vae(),
            text_encoder=_qwen(),
            tokenizer=byte_tokenizer(),
            transformer=_transformer(),
            is_distilled=distilled,
        )
    pipeline.save_pretrained(path)
    return path


def _vae() -> AutoencoderKLFlux2:
    vae = AutoencoderKLFlux2(
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=128,
    )
    vae.bn.running_mean.normal_()
    vae.bn.running_var.uniform_(0.5, 2.0)
    return vae.eval()


def _transformer() -> Flux2Transformer2DModel:
    return Flux2Transformer2DModel(
        in_channels=16,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=96,
        timestep_guidance_channels=32,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    ).eval()


def _qwen() -> Qwen3ForCausalLM:
    """More layers than the three states need: what is behind them is dropped."""
    config = Qwen3Config(
        vocab_size=512,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=30,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    )
    return Qwen3ForCausalLM(config).eval()


def byte_tokenizer(*words: str) -> Qwen2TokenizerFast:
    """A token a byte, the marks of a chat, and a token for each of `words`, whose space in front is
    part of it."""
    pieces, merges = list(bytes_to_unicode().values()), []
    for word in words:
        left = word[0].replace(" ", "Ġ")
        for letter in word[1:]:
            merges.append((left, letter))
            left += letter
            pieces.append(left)
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Qwen2TokenizerFast(vocab=vocabulary, merges=merges, pad_token="<|endoftext|>")
    tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL[1:])})
    tokenizer.chat_template = CHAT
    return tokenizer
