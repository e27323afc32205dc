"""A base of FLUX.1-dev's own classes with random weights, far under 2 MB, for tests.

Knows how each component is shaped and written; knows nothing of what tests do with it. It draws
noise, but every program runs on it as on a real base: `FluxPipeline.from_pretrained(build(path))`.
"""

from __future__ import annotations

import string
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

TEXT_TOKENS = 56
WORDS = """a an the and of in on at with is are to by photo portrait headshot picture card christmas
family man woman child boy girl adult small smiling laughing sad surprised beach park garden house
kitchen snow forest city street school red green blue yellow white black brown shirt dress coat hat
hair beard glasses left right next stands sits walks looking wearing long short three two people
person""".split()  # noqa: SIM905


def build(path: Path | str, seed: int = 0) -> Path:
    """Write the pipeline folder and return its path. The same seed gives the same weights."""
    path = Path(path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        t5_tokenizer, clip_tokenizer = _t5_tokenizer(), _clip_tokenizer()
        pipeline = FluxPipeline(
            scheduler=_scheduler(),
            vae=_vae(),
            text_encoder=_clip(len(clip_tokenizer)),
            tokenizer=clip_tokenizer,
            text_encoder_2=_t5(len(t5_tokenizer)),
            tokenizer_2=t5_tokenizer,
            transformer=_transformer(),
        )
    pipeline.save_pretrained(path)
    return path


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        latent_channels=16,
        norm_num_groups=4,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def _transformer() -> FluxTransformer2DModel:
    return FluxTransformer2DModel(
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=24,
        guidance_embeds=True,
        axes_dims_rope=(4, 6, 6),
    )


def _scheduler() -> FlowMatchEulerDiscreteScheduler:
    return FlowMatchEulerDiscreteScheduler(
        shift=3.0,
        use_dynamic_shifting=True,
        base_shift=0.5,
        max_shift=1.15,
        base_image_seq_len=256,
        max_image_seq_len=4096,
    )


def _t5(vocabulary: int) -> T5EncoderModel:
    return T5EncoderModel(
        T5Config(
            vocab_size=vocabulary,
            d_model=32,
            d_kv=8,
            d_ff=64,
            num_layers=2,
            num_heads=4,
            feed_forward_proj="gated-gelu",
        )
    )


def _clip(vocabulary: int) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=24,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=77,
            projection_dim=24,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )


def _t5_tokenizer() -> T5Tokenizer:
    """Unigram: known words whole, anything else in ASCII by single characters, names too."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -4.0)]
    pieces += [(character, -6.0) for character in string.printable.strip()]
    pieces += [(f"▁{word}", -3.0) for word in WORDS if len(word) > 1]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


def _clip_tokenizer() -> CLIPTokenizer:
    """Byte pairs in lower case: single characters, and merges that build the known words."""
    characters = [c for c in string.printable.strip() if not c.isupper()]
    pieces = ["<|startoftext|>", "<|endoftext|>"]
    pieces += characters + [f"{character}</w>" for character in characters]
    merges = []
    for word in WORDS:
        left = word[0]
        for index in range(1, len(word)):
            right = word[index] + ("</w>" if index == len(word) - 1 else "")
            merges.append((left, right))
            left += right
            pieces.append(left)
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    merges = list(dict.fromkeys(merges))
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)


def answer(net: FluxTransformer2DModel) -> torch.Tensor:
    """The network's output for one fixed made-up input: equal networks answer alike."""
    source = torch.Generator().manual_seed(1)
    with torch.no_grad():
        return net(
            hidden_states=torch.randn(1, 6, 64, generator=source),
            encoder_hidden_states=torch.randn(1, 5, 32, generator=source),
            pooled_projections=torch.randn(1, 24, generator=source),
            timestep=torch.tensor([0.5]),
            guidance=torch.tensor([3.5]),
            img_ids=torch.zeros(6, 3),
            txt_ids=torch.zeros(5, 3),
        ).sample
