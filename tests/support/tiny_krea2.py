"""A base of Krea 2's own classes with random weights, for tests.

Knows how each component is shaped and written; knows nothing of what tests do with it. Every
program runs on it as on a real base: `Krea2Pipeline.from_pretrained(build(path))`.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    Krea2Pipeline,
    Krea2Transformer2DModel,
)
from tiny_klein import byte_tokenizer
from transformers import Qwen3VLConfig, Qwen3VLModel

# Each a token of the real tokenizer, with the space in front.
TEMPLATE_WORDS = (
    *("system", "user", "assistant", "Describe", " the", " image", " by", " detailing", " color"),
    *(" shape", " size", " texture", " quantity", " text", " spatial", " relationships", " of"),
    *(" objects", " and", " background"),
)


def build(path: Path | str, seed: int = 0, turbo: bool = False) -> Path:
    """Write the pipeline folder and return its path. The same seed gives the same weights."""
    path = Path(path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pipeline = Krea2Pipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(
                use_dynamic_shifting=True, max_image_seq_len=6400
            ),
            vae=_vae(),
            text_encoder=_qwen(),
            tokenizer=byte_tokenizer(*TEMPLATE_WORDS),
            transformer=transformer(),
            is_distilled=turbo,
        )
    pipeline.save_pretrained(path)
    return path


def _vae() -> AutoencoderKLQwenImage:
    """Means and deviations that are nobody's default."""
    vae = AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.3, -0.2, 0.1, 0.5],
        latents_std=[1.5, 0.7, 2.0, 1.1],
    )
    return vae.eval()


def transformer() -> Krea2Transformer2DModel:
    """Norms and tables are zeros in a new network, and would hide what they do."""
    network = Krea2Transformer2DModel(
        in_channels=16,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        timestep_embed_dim=32,
        text_hidden_dim=32,
        num_text_layers=12,
        text_num_attention_heads=2,
        text_num_key_value_heads=2,
        text_intermediate_size=48,
        num_layerwise_text_blocks=1,
        num_refiner_text_blocks=1,
        axes_dims_rope=(4, 6, 6),
    )
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "norm" in name or "table" in name:
                parameter.normal_(0, 0.2)
    return network.eval()


def _qwen() -> Qwen3VLModel:
    """More layers than the twelve states need: what is behind them is dropped, and what sees."""
    text = {
        "vocab_size": 512,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 37,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 1024,
        "tie_word_embeddings": True,
        "rope_scaling": {"rope_type": "default", "mrope_section": [2, 1, 1]},
    }
    sees = {
        "depth": 1,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_heads": 2,
        "out_hidden_size": 32,
        "deepstack_visual_indexes": [0],
    }
    return Qwen3VLModel(Qwen3VLConfig(text_config=text, vision_config=sees)).eval()
