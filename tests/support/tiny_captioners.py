"""Captioners of today's kinds, of transformers' own classes with tiny random weights, for tests:
they write nonsense, but the same each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    CLIPImageProcessorPil,
    Florence2Processor,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

PLAIN = "a man woman in the at beach with red blue hat and coat describe photo user assistant"
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }} {% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<image> {% else %}{{ c['text'] }} {% endif %}{% endfor %}"
    "{% endfor %}assistant "
)


def _tokenizer(words: list[str], **special: Any) -> PreTrainedTokenizerFast:
    vocabulary = {word: n for n, word in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names, **special)


def llava(path: Path) -> Path:
    """A LLaVA, the kind of JoyCaption, and its processor with a chat template."""
    words = [*PLAIN.split(), "<image>"]
    shared = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
    shared |= {"intermediate_size": 32}
    config = AutoConfig.for_model(
        "llava",
        vision_config={**shared, "model_type": "clip_vision_model", "image_size": 32,
                       "patch_size": 16},
        text_config={**shared, "model_type": "llama", "num_key_value_heads": 2,
                     "vocab_size": len(words) + len(SPECIAL), "pad_token_id": 0,
                     "bos_token_id": 1, "eos_token_id": 2},
        image_token_id=len(SPECIAL) + words.index("<image>"),
        vision_feature_layer=-1,
        pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        AutoModelForImageTextToText.from_config(config).save_pretrained(path)
    LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        _tokenizer(words, extra_special_tokens={"image_token": "<image>"}),
        patch_size=16,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(path)
    return path


def qwen3_vl(path: Path) -> Path:
    """A Qwen3-VL with its tokenizer, image processor's settings and chat template."""
    marks = ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"]
    words = [*PLAIN.split(), *marks]
    place = {word: len(SPECIAL) + n for n, word in enumerate(words)}
    config = AutoConfig.for_model(
        "qwen3_vl",
        vision_config={"depth": 1, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2,
                       "patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2,
                       "out_hidden_size": 16, "num_position_embeddings": 16,
                       "deepstack_visual_indexes": [0]},
        text_config={"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
                     "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8,
                     "vocab_size": len(words) + len(SPECIAL), "pad_token_id": 0,
                     "bos_token_id": 1, "eos_token_id": 2,
                     "rope_scaling": {"mrope_section": [2, 1, 1], "rope_type": "default"}},
        image_token_id=place["<|image_pad|>"],
        video_token_id=place["<|video_pad|>"],
        vision_start_token_id=place["<|vision_start|>"],
        vision_end_token_id=place["<|vision_end|>"],
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        AutoModelForImageTextToText.from_config(config).save_pretrained(path)
    tokenizer = _tokenizer(words, additional_special_tokens=marks)
    image = "<|vision_start|> <|image_pad|> <|vision_end|>"
    tokenizer.chat_template = TEMPLATE.replace("<image>", image)
    tokenizer.save_pretrained(path)
    settings = {"image_processor_type": "Qwen2VLImageProcessor", "patch_size": 16,
                "merge_size": 2, "temporal_patch_size": 2,
                "size": {"shortest_edge": 1024, "longest_edge": 4096}}  # fmt: skip
    (path / "preprocessor_config.json").write_text(json.dumps(settings))
    return path


def florence2(path: Path) -> Path:
    """A Florence-2 with its processor."""
    words = [*PLAIN.split(), "<image>"]
    shared = {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32}
    shared |= {"decoder_ffn_dim": 32, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    config = AutoConfig.for_model(
        "florence2",
        vision_config={"depths": [1, 1, 1, 1], "embed_dim": [8, 8, 8, 16],
                       "num_heads": [1, 1, 1, 2], "num_groups": [1, 1, 1, 2], "window_size": 2,
                       "projection_dim": 16, "max_position_embeddings": 8},
        text_config={**shared, "model_type": "bart", "d_model": 16, "pad_token_id": 0,
                     "max_position_embeddings": 64, "vocab_size": len(words) + len(SPECIAL),
                     "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2,
                     "forced_eos_token_id": 2},
        image_token_id=len(SPECIAL) + words.index("<image>"),
        is_encoder_decoder=True,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        AutoModelForImageTextToText.from_config(config).save_pretrained(path)
    images = CLIPImageProcessorPil(size={"height": 64, "width": 64}, do_center_crop=False)
    images.image_seq_length = 5
    tokenizer = _tokenizer(words, extra_special_tokens={"image_token": "<image>"})
    Florence2Processor(images, tokenizer, num_additional_image_tokens=1).save_pretrained(path)
    return path
