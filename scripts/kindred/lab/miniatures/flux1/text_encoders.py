"""The lab's text side: T5 and CLIP tokenizers made from the world's words, and small encoders.

Words are whole tokens. Names are spelled from short pieces (`JBaker` = J + Bak + er), so a name
never seen is made of pieces that were, and initials tell people of one surname apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from kindred.common.files import writing
from kindred.lab.miniatures.caption_words import LETTERS, name_pieces, words_of
from kindred.lab.settings import TextSettings

PUNCTUATION = ".,:;!?'\"-()&"


def t5_tokenizer(words: Iterable[str], surnames: Iterable[str], tokens: int) -> T5Tokenizer:
    """A Unigram tokenizer: its cheapest spelling has words whole, names by initial and pieces."""
    pieces: dict[str, float] = {"<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0, "▁": -4.0}
    for mark in PUNCTUATION:
        pieces.setdefault(mark, -1.0)
    for piece in name_pieces(surnames):
        pieces.setdefault(piece, -3.0 if len(piece) == 2 else -3.5)
    for letter in LETTERS:
        pieces.setdefault(letter, -6.0)
        pieces.setdefault("▁" + letter, -2.0)
    for word in words:
        if len(word) > 1:
            pieces.setdefault("▁" + word, -1.0)
    return T5Tokenizer(vocab=list(pieces.items()), extra_ids=0, model_max_length=tokens)


def clip_tokenizer(
    words: Iterable[str], surnames: Iterable[str], size: int, tokens: int
) -> CLIPTokenizer:
    """A byte-level BPE with `</w>` word ends, trained on the words and on the surnames' pieces."""
    begin, end = "<|startoftext|>", "<|endoftext|>"
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=end))
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[begin, end],
        end_of_word_suffix="</w>",
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    lower = [word.lower() for word in words for _ in range(4)]
    trained.train_from_iterator(lower + [s.lower()[-3:] for s in surnames], trainer)
    model = json.loads(trained.to_str())["model"]
    vocabulary, merges = dict(model["vocab"]), [tuple(pair) for pair in model["merges"]]
    for symbol in sorted(pre_tokenizers.ByteLevel.alphabet()):
        for token in (symbol, symbol + "</w>"):
            vocabulary.setdefault(token, len(vocabulary))
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=tokens)


def t5_encoder(settings: TextSettings, vocabulary: int) -> T5EncoderModel:
    """An untrained T5 v1.1 encoder (gated GELU, as FLUX's)."""
    return T5EncoderModel(
        T5Config(
            vocab_size=vocabulary,
            d_model=settings.t5_width,
            d_kv=settings.t5_width // settings.t5_heads,
            d_ff=settings.t5_ff,
            num_layers=settings.t5_layers,
            num_heads=settings.t5_heads,
            feed_forward_proj="gated-gelu",
            dropout_rate=0.0,
            is_encoder_decoder=False,
            use_cache=False,
        )
    )


def clip_encoder(settings: TextSettings, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """An untrained CLIP text encoder; its pooled output is read at the end-of-text token."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=settings.clip_width,
            intermediate_size=2 * settings.clip_width,
            projection_dim=settings.clip_width,
            num_hidden_layers=settings.clip_layers,
            num_attention_heads=4,
            max_position_embeddings=settings.tokens,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def save_tokenizers(folder: Path, captions: list[str], surnames: list[str], text: TextSettings):
    """Make both tokenizers from captions and surnames; saved where FluxPipeline looks for them."""
    words = words_of(captions)
    t5 = t5_tokenizer(words, surnames, text.tokens)
    clip = clip_tokenizer(words, surnames, text.clip_vocabulary, text.tokens)
    with writing(folder):
        t5.save_pretrained(folder / "tokenizer_2")
        clip.save_pretrained(folder / "tokenizer")


def load_tokenizers(folder: Path) -> dict[str, CLIPTokenizer | T5Tokenizer]:
    """'clip' and 't5' of a base directory."""
    return {
        "clip": CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        "t5": T5Tokenizer.from_pretrained(folder / "tokenizer_2"),
    }
