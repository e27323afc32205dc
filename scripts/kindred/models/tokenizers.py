"""What the base's text encoders make of captions and trigger names, in tokens.

Loads tokenizers through transformers, and nothing else of the base.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError, first_line_of
from kindred.specs.character import Character


def load_tokenizer(name: str) -> Any:
    """A tokenizer by local directory, or as `owner/name/subfolder`, also with `@revision` behind.

    Raises KindredError when it can't be found.
    """
    from transformers import AutoTokenizer

    try:
        folder = Path(name).expanduser()
        if folder.is_dir():
            return AutoTokenizer.from_pretrained(folder)
        place, _, revision = name.partition("@")
        owner, repository, *rest = place.split("/")
        return AutoTokenizer.from_pretrained(
            f"{owner}/{repository}", subfolder="/".join(rest), revision=revision or None
        )
    except (OSError, ValueError) as error:
        raise KindredError(
            f"can't be loaded ({first_line_of(error)})",
            f"tokenizer {name}",
            "check the base's `model`; for gated models accept their licence and log in",
        ) from error


def too_long(tokenizer: Any, limit: int, captions: Mapping[str, str]) -> dict[str, Any]:
    """Token counts, special tokens included, of captions by image id.

    Returns {limit, longest, cut: [{id, tokens, lost}]} where `lost` is the text beyond the limit.
    """
    counts = {name: _count(tokenizer, text) for name, text in captions.items()}
    cut = [
        {"id": name, "tokens": count, "lost": _lost(tokenizer, limit, captions[name])}
        for name, count in counts.items()
        if count > limit
    ]
    return {"limit": limit, "longest": max(counts.values(), default=0), "cut": cut}


def trigger_tokens(tokenizer: Any, characters: Mapping[str, Character]) -> dict[str, list[str]]:
    """The pieces that each trigger name is read as, by letter; a bare word-start mark is none."""
    return {
        letter: [piece for piece in tokenizer.tokenize(who.name) if piece not in {"▁", "Ġ"}]
        for letter, who in sorted(characters.items())
    }


def shared_tokens(pieces: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """For every two names: the pieces both have, and their share of the shorter name."""
    result = []
    letters = sorted(pieces)
    for index, one in enumerate(letters):
        for other in letters[index + 1 :]:
            common = Counter(pieces[one]) & Counter(pieces[other])
            shorter = min(len(pieces[one]), len(pieces[other]))
            if common and shorter:
                share = round(common.total() / shorter, 3)
                shared = _in_order(pieces[one], common)
                result.append({"letters": [one, other], "shared": shared, "share": share})
    return result


def _count(tokenizer: Any, text: str) -> int:
    return len(tokenizer(text, verbose=False).input_ids)


def _in_order(pieces: Sequence[str], common: Counter[str]) -> list[str]:
    left = common.copy()
    kept = []
    for piece in pieces:
        if left[piece]:
            left[piece] -= 1
            kept.append(piece)
    return kept


def _lost(tokenizer: Any, limit: int, caption: str) -> str:
    """The words of a caption that do not fit: the shortest tail whose removal makes it fit."""
    words = caption.split()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        fits = _count(tokenizer, " ".join(words[:middle])) <= limit
        low, high = (middle, high) if fits else (low, middle - 1)
    return " ".join(words[low:])
