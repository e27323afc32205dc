"""A BLIP captioner of transformers' own classes with random weights, for tests: it writes nonsense,
but other nonsense for other pictures, and the same each time."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PLAIN = "a man woman girl in the snow at beach with red blue hat and coat"
WORDS = [*SPECIAL, *PLAIN.split()]


def build(path: Path | str, seed: int = 0) -> Path:
    """Write the model folder and return its path."""
    path = Path(path)
    shared = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
    shared |= {"intermediate_size": 32, "projection_dim": 16, "initializer_range": 1.0}
    config = BlipConfig(
        vision_config={**shared, "image_size": 32, "patch_size": 8},
        text_config={
            **shared,
            "encoder_hidden_size": 16,
            "vocab_size": len(WORDS),
            "max_position_embeddings": 64,
            "pad_token_id": 0,
            "bos_token_id": 2,
            "sep_token_id": 3,
            "eos_token_id": 3,
        },
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BlipForConditionalGeneration(config).save_pretrained(path)
    tokenizer = BertTokenizer(vocab={word: index for index, word in enumerate(WORDS)})
    tokenizer.save_pretrained(path)
    processor = {"image_processor_type": "BlipImageProcessor", "size": {"height": 32, "width": 32}}
    (path / "preprocessor_config.json").write_text(json.dumps(processor))
    return path
