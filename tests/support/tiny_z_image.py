"""A base of Z-Image's own classes with random weights, for tests.

Knows how each component is shaped and written; knows nothing of what tests do with it. Every
program runs on it as on a real base: `ZImagePipeline.from_pretrained(build(path))`.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from tiny_klein import byte_tokenizer
from transformers import Qwen3Config, Qwen3Model

SHIFT, TURBO_SHIFT = 6.0, 3.0


def build(path: Path | str, seed: int = 0, shift: float = SHIFT) -> Path:
    """Write the pipeline folder and return its path. The same seed gives the same weights."""
    path = Path(path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pipeline = ZImagePipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(shift=shift),
            vae=_vae(),
            text_encoder=_qwen(),
            tokenizer=byte_tokenizer(),
            transformer=transformer(),
        )
    pipeline.save_pretrained(path)
    return path


def transformer() -> ZImageTransformer2DModel:
    """Its learned tokens are random, where the class begins with zeros."""
    network = ZImageTransformer2DModel(
        in_channels=4,
        dim=48,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=32,
        axes_dims=[8, 8, 8],
        axes_lens=[1024, 64, 64],
    )
    torch.nn.init.normal_(network.x_pad_token)
    torch.nn.init.normal_(network.cap_pad_token)
    return network.eval()


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=128,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
    ).eval()


def _qwen() -> Qwen3Model:
    config = Qwen3Config(
        vocab_size=512,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    )
    model = Qwen3Model(config)
    torch.nn.init.uniform_(model.norm.weight, 0.5, 2.0)
    return model.eval()
