"""Counts what a dataset shows before anything is trained: cells, appearances, words, tokens.

Knows rows of images and captions; judges nothing (findings.py does) and loads no tokenizer.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from kindred.characters import trigger_words
from kindred.characters.cells import cell_name, parse_cell
from kindred.common.errors import KindredError, Problems
from kindred.specs.character import Character

Row = Mapping[str, Any]
Characters = Mapping[str, Character]
MOST_LISTED = 6  # characters up to which cells without a photo are all listed (2^6 - 1 = 63)
# Words that say nothing about a picture, and words for pictures themselves.
PLAIN = """
    a an the and or of in on at to with by for from as is are was his her their its it he she
    they this that one two three four front back next beside behind near under over into up down
    left right photo photograph picture image portrait headshot snapshot adult small young old
    wearing wears dressed standing stands sitting sits looking looks
"""
EVERYDAY = frozenset(PLAIN.split())


def photos_of(images: Sequence[Row], captions: Sequence[Row]) -> list[dict[str, Any]]:
    """One record a photo (several resolutions are one): image row, caption row, cell.

    Raises KindredError when an image has no caption row, or the other way round.
    """
    by_id = {row["id"]: row for row in captions}
    image_ids = {row["image_id"] for row in images}
    if odd := sorted(image_ids ^ set(by_id)):
        raise KindredError(
            f"images.json and captions.jsonl don't match: {', '.join(odd[:5])} "
            f"{'and more ' if len(odd) > 5 else ''}only in one",
            cure="delete the dataset's images.json and captions.jsonl and run `snakemake`",
        )
    first: dict[str, Row] = {}
    for row in images:
        first.setdefault(row["photo"], row)
    return [
        {
            "photo": photo,
            "image": image,
            "caption": by_id[image["image_id"]],
            "cell": cell_name(by_id[image["image_id"]]["characters"]),
        }
        for photo, image in first.items()
    ]


def coverage(cells: Iterable[str], characters: Characters) -> dict[str, int]:
    """Photos in each cell, smaller cells first. With up to 6 characters all 2^n - 1 cells are
    listed, beyond that single characters, pairs and whatever has a photo. '' is not a cell."""
    letters = sorted(characters)
    largest = len(letters) if len(letters) <= MOST_LISTED else 2
    listed = {
        cell_name(group) for size in range(1, largest + 1) for group in combinations(letters, size)
    }
    count = Counter(cell for cell in cells if cell)
    ordered = sorted(listed | set(count), key=lambda cell: (cell.count("+"), cell))
    return {cell: count[cell] for cell in ordered}


def check_cells(
    asked: Iterable[str], found: Mapping[str, int], characters: Characters, where: str = "cells"
) -> None:
    """Refuse cells that variants ask for and that no photo shows.

    `found`: photos in each cell, from `coverage`. Raises ProblemsError naming every such cell.
    """
    problems = Problems("variants ask for photos that the dataset does not have")
    have = ", ".join(f"{cell} {count}" for cell, count in found.items() if count) or "none"
    for text in dict.fromkeys(asked):
        try:
            cell = parse_cell(text, characters)
        except KindredError as error:
            problems.add_error(where, error)
            continue
        if not found.get(cell):
            who = " and ".join(characters[letter].name for letter in cell.split("+"))
            alone = "alone" if "+" not in cell else "together, and nobody else"
            problems.add(
                f"{where}: {cell}",
                f"no photo shows {who} {alone}",
                "add such photos, correct their captions, or remove the cell. The dataset has: "
                f"{have}",
            )
    problems.raise_if_any()


def appearances(found: Mapping[str, int], characters: Characters) -> dict[str, int]:
    """Photos in which each character is, alone or with others."""
    return {
        letter: sum(count for cell, count in found.items() if letter in cell.split("+"))
        for letter in sorted(characters)
    }


def co_occurrences(found: Mapping[str, int], characters: Characters) -> dict[str, dict[str, int]]:
    """Photos in which two characters are both; on the diagonal those of one of them alone."""
    table: dict[str, dict[str, int]] = {
        one: dict.fromkeys(sorted(characters), 0) for one in sorted(characters)
    }
    for cell, count in found.items():
        letters = [letter for letter in cell.split("+") if letter in table]
        for one in letters:
            for other in letters:
                if one != other or cell == one:
                    table[one][other] += count
    return table


def common_words(
    photos: Sequence[Row], characters: Characters, share: float, least: int
) -> list[dict[str, Any]]:
    """Words in at least `share` of a character's captions: letter, word, share, and the share among
    the captions without that character. Characters with fewer than `least` captions are left out.
    """
    plain = EVERYDAY | _words_for_people(characters)
    words = [
        (row["caption"]["characters"], _content_words(row["caption"]["caption"])) for row in photos
    ]
    result = []
    for letter in sorted(characters):
        own = [found - plain for letters, found in words if letter in letters]
        others = [found for letters, found in words if letter not in letters]
        if len(own) < least:
            continue
        for word, count in sorted(Counter(w for found in own for w in found).items()):
            if count >= share * len(own):
                elsewhere = sum(word in found for found in others)
                result.append(
                    {
                        "letter": letter,
                        "word": word,
                        "captions": count,
                        "of": len(own),
                        "share": round(count / len(own), 3),
                        "share_elsewhere": round(elsewhere / len(others), 3) if others else None,
                    }
                )
    return result


def noun_shares(photos: Sequence[Row], characters: Characters) -> dict[str, float | None]:
    """Share of each character's captions that say its class noun, or a word for a kind of it."""
    result: dict[str, float | None] = {}
    for letter, who in sorted(characters.items()):
        texts = [p["caption"]["caption"] for p in photos if letter in p["caption"]["characters"]]
        said = sum(trigger_words.says_noun(text, who.noun) for text in texts)
        result[letter] = round(said / len(texts), 3) if texts else None
    return result


def repeated_captions(photos: Sequence[Row]) -> list[list[str]]:
    """Groups of photos that have the very same caption. Nobody writes those of composites."""
    groups = defaultdict(list)
    for photo in photos:
        if "made" not in photo["image"]:
            groups[photo["caption"]["caption_hash"]].append(photo["image"]["source"])
    return [group for group in groups.values() if len(group) > 1]


def _content_words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", text.casefold()))


def _words_for_people(characters: Characters) -> set[str]:
    words = {word for line in trigger_words.SAYS.values() for word in line.split()} | set(
        trigger_words.SAYS
    )
    for who in characters.values():
        words |= _content_words(who.name) | {who.noun.casefold()}
    return words
