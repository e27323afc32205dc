"""What the base's text encoders make of captions and trigger names, in tokens.

What is known, unknown and shared is asked of token ids: two pieces that look different may be the
same unknown token. Loads tokenizers through transformers, and nothing else of the base.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError, first_line_of
from kindred.models import hub

WORD_STARTS = ("▁", "Ġ")
BYTE = re.compile("<0x[0-9A-F]{2}>")  # how some tokenizers call a byte
BEFORE = "of"  # a name is read as it stands in a sentence, behind a word
Piece = tuple[tuple[int, ...], str]  # token ids, and how they are shown
MOST_WORDS = 5  # unknown words that are shown of a text


def load_tokenizer(name: str, quickly: bool = False) -> Any:
    """A tokenizer by local directory, or as `owner/name/subfolder`, also with `@revision` behind.
    quickly: of a repository only what is cached, where the hub does not answer within seconds.

    Raises KindredError when it can't be found.
    """
    from transformers import AutoTokenizer

    try:
        folder = Path(name).expanduser()
        if folder.is_dir():
            return AutoTokenizer.from_pretrained(folder)
        place, _, revision = name.partition("@")
        owner, repository, *rest = place.split("/")
        model = f"{owner}/{repository}"
        commit = revision or hub.known_commit(model, None)  # as the base's other parts
        return AutoTokenizer.from_pretrained(
            model,
            subfolder="/".join(rest),
            revision=commit,
            local_files_only=quickly and not hub.answers(),
        )
    except (OSError, ValueError) as error:
        raise KindredError(
            f"can't be loaded ({first_line_of(error)})",
            f"tokenizer {name}",
            "check the base's `model`; if it is gated, accept its licence and run `hf auth login`",
        ) from error


def too_long(
    tokenizer: Any, limit: int, captions: Mapping[str, str], before: str = "", uncounted: int = 0
) -> dict[str, Any]:
    """Token counts, special tokens included, of captions by image id. before: what the encoder's
    template puts before each; uncounted: as `Tokenizer` of the architecture says.

    Returns {limit, longest, cut: [{id, tokens, lost}]} where `lost` is the text beyond the limit.
    """
    counts = {name: _count(tokenizer, before + text) - uncounted for name, text in captions.items()}
    room = limit + uncounted
    cut = [
        {"id": name, "tokens": count, "lost": _lost(tokenizer, room, captions[name], before)}
        for name, count in counts.items()
        if count > limit
    ]
    return {"limit": limit, "longest": max(counts.values(), default=0), "cut": cut}


def word_positions(
    tokenizer: Any, text: str, words: Sequence[str], before: str = ""
) -> list[list[int]]:
    """For each word: the places in a text's tokens, special ones counted, of all that it is written
    with there, whole words only; none where it doesn't stand. before: as `too_long`."""
    spans = tokenizer(before + text, return_offsets_mapping=True)["offset_mapping"]
    found = []
    for word in words:
        there = [
            (match.start() + len(before), match.end() + len(before))
            for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text)
        ]
        found.append(
            [
                place
                for place, (start, end) in enumerate(spans)
                if any(start < stop and end > begin for begin, stop in there)
            ]
        )
    return found


@dataclass(frozen=True)
class NameTokens:
    """A name as a tokenizer reads it behind another word, without a bare mark of a word's start.

    pieces: (token ids, the piece to show) each; several ids where a letter falls to bytes. begins:
    the ids where a text begins with the name, which differ in byte-level tokenizers. unknown: its
    letters that the tokenizer has no token for; '' for none. unknown_id: what stands for them.
    """

    pieces: tuple[Piece, ...]
    begins: tuple[int, ...] = ()
    unknown: str = ""
    unknown_id: int | None = None

    @property
    def ids(self) -> tuple[int, ...]:
        """All token ids, in order."""
        return tuple(number for ids, _ in self.pieces for number in ids)

    @property
    def is_known_word(self) -> bool:
        """Whether it is a single token that stands for nothing else."""
        return not self.unknown and 1 in (len(self.ids), len(self.begins))

    def reads_like(self, other: NameTokens) -> bool:
        """Whether nothing tells the two names apart, at least somewhere in a text."""
        return self.ids == other.ids or (bool(self.begins) and self.begins == other.begins)

    def known(self) -> Counter[Piece]:
        """How often each piece is there, without what stands for unknown letters."""
        return Counter(piece for piece in self.pieces if piece[0] != (self.unknown_id,))


def read_name(tokenizer: Any, name: str) -> NameTokens:
    """How the tokenizer reads a name. A tokenizer of bytes knows every letter."""
    ids = _inside(tokenizer, name)
    unknown_id = tokenizer.unk_token_id
    unknown = ""
    if unknown_id in ids:
        letters = [x for x in dict.fromkeys(name) if unknown_id in _inside(tokenizer, x)]
        unknown = "".join(letters) or name
    begins = tuple(_ids(tokenizer, name))
    return NameTokens(tuple(_pieces(tokenizer, ids)), begins, unknown, unknown_id)


def shared_tokens(names: Mapping[str, NameTokens]) -> list[dict[str, Any]]:
    """For every two names: the pieces both have, by their ids, and their share of the shorter name.
    Unknown letters are no piece, and of names that are read alike nothing is said."""
    result = []
    for one, other in combinations(sorted(names), 2):
        if names[one].reads_like(names[other]):
            continue
        common = names[one].known() & names[other].known()
        shorter = min(len(names[one].pieces), len(names[other].pieces))
        if common and shorter:
            share = round(common.total() / shorter, 3)
            shared = [piece for _, piece in _in_order(names[one].pieces, common)]
            result.append({"letters": [one, other], "shared": shared, "share": share})
    return result


def unknown_tokens(tokenizer: Any, texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Texts with words that the tokenizer has no token for, the largest share of them first.

    Returns [{id, tokens, unknown, words}]: tokens without special ones and bare marks of a word's
    start, how many of them stand for something unknown, and up to `MOST_WORDS` of the words.
    """
    unknown_id, result = tokenizer.unk_token_id, []
    for name, text in texts.items():
        ids = _ids(tokenizer, _without_marks(tokenizer, text))
        if unknown_id is not None and (count := ids.count(unknown_id)):
            words = [word for word in dict.fromkeys(text.split()) if _is_unknown(tokenizer, word)]
            row = {"id": name, "tokens": len(ids), "unknown": count, "words": words[:MOST_WORDS]}
            result.append(row)
    return sorted(result, key=lambda row: -row["unknown"] / row["tokens"])


def special_marks(tokenizer: Any, texts: Mapping[str, str]) -> dict[str, list[str]]:
    """The tokenizer's own marks, such as that of a text's end, that are written in a text, by id of
    the texts that have any: it reads them as marks and not as words."""
    marks = [mark for mark in tokenizer.all_special_tokens if len(mark) > 1]
    found = {name: [mark for mark in marks if mark in text] for name, text in texts.items()}
    return {name: own for name, own in found.items() if own}


def _ids(tokenizer: Any, text: str) -> list[int]:
    """Token ids without special tokens and bare marks of a word's start."""
    ids = list(tokenizer(text, add_special_tokens=False, verbose=False).input_ids)
    pieces = tokenizer.convert_ids_to_tokens(ids)
    return [n for n, piece in zip(ids, pieces, strict=True) if piece not in WORD_STARTS]


def _inside(tokenizer: Any, word: str) -> list[int]:
    """Ids of a word as it stands behind another one."""
    before, both = _ids(tokenizer, BEFORE), _ids(tokenizer, f"{BEFORE} {word}")
    fits = both[: len(before)] == before
    return both[len(before) :] if fits else _ids(tokenizer, word)


def _pieces(tokenizer: Any, ids: Sequence[int]) -> Iterator[Piece]:
    """Token ids with the piece to show for them; bytes of one letter are one piece."""
    waiting: list[int] = []
    for number in ids:
        token: str = tokenizer.convert_ids_to_tokens(number)
        known = token.removeprefix(WORD_STARTS[0]).isascii() and not BYTE.fullmatch(token)
        if known or number == tokenizer.unk_token_id:
            yield from _single(tokenizer, waiting)
            waiting = []
            yield (number,), token
            continue
        waiting.append(number)
        text: str = tokenizer.decode(waiting)
        if text.strip() and "\ufffd" not in text:
            shown = text.rstrip()
            begins = shown.startswith(" ")
            yield tuple(waiting), WORD_STARTS[0] + shown[1:] if begins else shown
            waiting = []
    yield from _single(tokenizer, waiting)


def _single(tokenizer: Any, ids: Sequence[int]) -> Iterator[Piece]:
    """Bytes that make no letter, each a piece."""
    return (((number,), tokenizer.convert_ids_to_tokens(number)) for number in ids)


def _is_unknown(tokenizer: Any, word: str) -> bool:
    return tokenizer.unk_token_id in _ids(tokenizer, _without_marks(tokenizer, word))


def _without_marks(tokenizer: Any, text: str) -> str:
    """A text without the tokenizer's own marks, of which one may stand for the unknown too."""
    for mark in special_marks(tokenizer, {"": text}).get("", []):
        text = text.replace(mark, " ")
    return text


def _count(tokenizer: Any, text: str) -> int:
    return len(tokenizer(text, verbose=False).input_ids)


def _in_order(pieces: Sequence[Piece], common: Counter[Piece]) -> list[Piece]:
    left = common.copy()
    kept = []
    for piece in pieces:
        if left[piece]:
            left[piece] -= 1
            kept.append(piece)
    return kept


def _lost(tokenizer: Any, limit: int, caption: str, before: str) -> str:
    """The words of a caption that do not fit: the shortest tail whose removal makes it fit."""
    words = caption.split()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        fits = _count(tokenizer, before + " ".join(words[:middle])) <= limit
        low, high = (middle, high) if fits else (low, middle - 1)
    return " ".join(words[low:])
