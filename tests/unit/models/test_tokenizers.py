"""Names and texts as tokenizers read them, by token ids."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_klein
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from kindred.models.architectures.klein.facts import KLEIN
from kindred.models.tokenizers import (
    NameTokens,
    load_tokenizer,
    read_name,
    shared_tokens,
    special_marks,
    too_long,
    unknown_tokens,
)

LAB = Path(__file__).parents[3] / "lab" / "base"


def named(*pieces, unknown_id=None):
    """A name of these pieces, each with an id of its own spelling."""
    ids = [unknown_id if piece == "<unk>" else hash(piece) for piece in pieces]
    own = tuple(((number,), piece) for number, piece in zip(ids, pieces, strict=True))
    return NameTokens(own, tuple(ids), "ж" if unknown_id in ids else "", unknown_id)


def shown(name):
    return [piece for _, piece in name.pieces]


def test_shared_tokens_are_a_share_of_the_shorter_name():
    names = {"A": named("a", "russell"), "J": named("j", "russell"), "X": named("ohwx")}
    (row,) = shared_tokens(names)
    assert row == {"letters": ["A", "J"], "shared": ["russell"], "share": 0.5}


def test_unknown_tokens_are_shared_by_nobody():
    names = {"A": named("a", "<unk>", unknown_id=2), "J": named("j", "<unk>", unknown_id=2)}
    assert shared_tokens(names) == []


def test_a_name_is_unknown_known_or_neither(base):
    t5 = load_tokenizer(str(base / "tokenizer_2"))
    unknown, known, spelt = (read_name(t5, name) for name in ("Ада", "beach", "JRussell"))
    assert unknown.unknown == "Ада" and not unknown.is_known_word and len(unknown.ids) == 1
    assert known.is_known_word and not known.unknown
    assert not spelt.is_known_word and not spelt.unknown and "".join(shown(spelt)) == "JRussell"
    assert unknown.reads_like(read_name(t5, "Бен")) and not unknown.reads_like(spelt)
    assert read_name(t5, "Zoë").unknown == "ë"


@pytest.mark.parametrize("folder", ["tokenizer", "tokenizer_2"])
def test_the_labs_tokenizers_spell_its_names(folder):
    tokenizer = load_tokenizer(str(LAB / folder))
    names = {name: read_name(tokenizer, name) for name in ("JRussell", "ARussell", "CRussell")}
    assert all(len(one.ids) > 1 and not one.unknown for one in names.values())
    assert len({one.ids for one in names.values()}) == 3


def test_bytes_are_known_and_whole_letters_are_shown():
    tokenizer = tiny_klein.byte_tokenizer(" Ada", "Ben")
    cyrillic = read_name(tokenizer, "Ада")
    assert not cyrillic.unknown and len(cyrillic.ids) == 6 and shown(cyrillic) == ["А", "д", "а"]
    # They have the first byte of each letter in common, and no letter.
    assert shared_tokens({"A": cyrillic, "B": read_name(tokenizer, "Бен")}) == []
    assert not cyrillic.reads_like(read_name(tokenizer, "Аза"))
    # With a space in front it is a word of the vocabulary; at the beginning of a text the other is.
    assert shown(read_name(tokenizer, "Ada")) == ["▁Ada"]
    assert read_name(tokenizer, "Ada").is_known_word and read_name(tokenizer, "Ben").is_known_word
    assert not read_name(tokenizer, "Cy").is_known_word
    assert unknown_tokens(tokenizer, {"p": "Ada стоит у стены 👩‍🦰"}) == []


def test_a_tokenizer_that_falls_back_to_bytes_or_has_no_unknown_token():
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"ofABCdan"]
    model = models.BPE({piece: n for n, piece in enumerate(pieces)}, [], byte_fallback=True)
    made = Tokenizer(model)
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    for marks in ({}, {"unk_token": "<unk>"}):
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, **marks)
        names = {name: read_name(tokenizer, name) for name in ("Ada", "Ада", "Бен")}
        assert shown(names["Ada"]) == ["A", "d", "a"] and shown(names["Ада"]) == ["А", "д", "а"]
        assert shared_tokens(names) == [] and not any(one.unknown for one in names.values())
        assert unknown_tokens(tokenizer, {"p": "Ada стоит"}) == []


def test_unknown_tokens_are_counted_without_marks_of_words_starts(base):
    t5 = load_tokenizer(str(base / "tokenizer_2"))
    texts = {"p": "a man on the beach", "q": "a man у стены", "r": "у стены"}
    assert unknown_tokens(t5, texts) == [
        {"id": "r", "tokens": 2, "unknown": 2, "words": ["у", "стены"]},
        {"id": "q", "tokens": 4, "unknown": 2, "words": ["у", "стены"]},
    ]


def test_what_a_template_puts_before_a_text_counts():
    tokenizer = tiny_klein.byte_tokenizer()
    (reader,) = KLEIN.text.tokenizers
    chat = tokenizer.apply_chat_template([{"role": "user", "content": "one two"}], tokenize=False)
    assert chat.startswith(f"{reader.before}one two")
    whole = len(tokenizer(f"{reader.before}one two").input_ids)
    assert whole > len("one two")
    assert too_long(tokenizer, whole, {"p": "one two"}, reader.before)["cut"] == []
    (cut,) = too_long(tokenizer, whole - 1, {"p": "one two"}, reader.before)["cut"]
    assert cut == {"id": "p", "tokens": whole, "lost": "two"}


def test_a_tokenizers_own_marks_in_a_text(base):
    clip = load_tokenizer(str(base / "tokenizer"))
    texts = {"p": "a man<|endoftext|>", "q": "a man"}
    assert special_marks(clip, texts) == {"p": ["<|endoftext|>"]}
    # The same token stands for unknown letters.
    assert unknown_tokens(clip, texts) == []
