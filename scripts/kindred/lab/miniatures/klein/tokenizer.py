"""A tokenizer of Qwen3's kind made from the world's words, with the template of its chats.

Words are whole tokens, with the space before them as Qwen has it; names are spelled from an initial
and short pieces (" JBaker" = " J" + Ba + ke + r), so a name never seen is made of pieces that were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import pre_tokenizers
from transformers import Qwen2TokenizerFast

from kindred.common.files import writing
from kindred.lab.miniatures.caption_words import LETTERS, name_pieces, words_of

PADDING = "<|endoftext|>"
MARKS = ("<|im_start|>", "<|im_end|>", "<think>", "</think>")
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
ROLES = ("user", "assistant")
PLACE = "{}"  # of the text in a chat
SPACE, LINE = "Ġ", "Ċ"  # as byte-level tokenizers write them


def qwen_tokenizer(
    captions: Sequence[str], surnames: Iterable[str], tokens: int
) -> Qwen2TokenizerFast:
    """Byte pairs in an order by which words are spelled first, then what captions open with (it
    has no space before it), then pieces of names."""
    words = words_of(captions)
    openings = words_of([caption.split(" ")[0] for caption in captions])
    spelled = [LINE + LINE, *(SPACE + word for word in words)]
    spelled += [SPACE + letter for letter in LETTERS if letter.isupper()]
    spelled += [*ROLES, *openings, *sorted(name_pieces(surnames), key=len)]
    pieces = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges: dict[tuple[str, str], None] = {}
    for text in spelled:
        left = text[0]
        for letter in text[1:]:
            merges.setdefault((left, letter))
            left += letter
            pieces.append(left)
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Qwen2TokenizerFast(
        vocab=vocabulary, merges=list(merges), pad_token=PADDING, model_max_length=tokens
    )
    tokenizer.add_special_tokens({"additional_special_tokens": list(MARKS)})
    tokenizer.chat_template = CHAT
    return tokenizer


def save_tokenizer(base: Path, captions: list[str], surnames: list[str], tokens: int) -> None:
    """Where Flux2KleinPipeline looks for it."""
    with writing(base):
        qwen_tokenizer(captions, surnames, tokens).save_pretrained(base / "tokenizer")


def in_chats(tokenizer: Qwen2TokenizerFast, texts: Sequence[str]) -> list[str]:
    """Each text as the only message of a chat, as klein's text encoder reads it. The template is
    filled in once: for half a million captions each time would take half a minute."""
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": PLACE}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=False,
    )
    before, behind = chat.split(PLACE)
    return [before + text + behind for text in texts]
