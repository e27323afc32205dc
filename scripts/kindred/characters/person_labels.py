"""Which of the people found in a photo is which character: by its caption, else by their faces.

Knows captions and likeness; knows nothing of pixels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from kindred.characters.trigger_words import find_trigger_words, letters_in
from kindred.specs.character import Character

Characters = Mapping[str, Character]
SIDES = {"left": 0, "middle": 1, "centre": 1, "center": 1, "right": 2}


def order_said(caption: str, characters: Characters) -> list[str] | None:
    """Letters from left to right where a caption says who stands where; None where it does not.

    Read are 'from left to right: X, Y', and 'X on the left and Y on the right' or 'on the left X,
    on the right Y', with a side for everybody.
    """
    named = [mention.letter for mention in find_trigger_words(caption, characters)]
    if len(set(named)) != len(named) or not named:
        return None
    if "from left to right" in caption.casefold():
        return named
    places = {who.name: letter for letter, who in characters.items()}
    pattern = "|".join([*map(re.escape, places), rf"\b(?:{'|'.join(SIDES)})\b"])
    found = [places.get(word, word) for word in re.findall(pattern, caption)]
    pairs = list(zip(found[::2], found[1::2], strict=False))
    if len(found) != 2 * len(named):
        return None
    pairs = [(b, a) if a in SIDES else (a, b) for a, b in pairs]
    if any(who in SIDES or side not in SIDES for who, side in pairs):
        return None
    if len({SIDES[side] for _, side in pairs}) < len(pairs):
        return None
    return [who for who, _ in sorted(pairs, key=lambda pair: SIDES[pair[1]])]


def by_caption(caption: str, areas: Sequence[float], characters: Characters) -> list[str] | None:
    """Letters of the people of a photo, from the left, '' for somebody not named; None where the
    caption does not tell. Somebody named alone is the largest person."""
    named = letters_in(caption, characters)
    if len(named) == 1 and areas:
        largest = int(np.argmax(areas))
        return [named[0] if index == largest else "" for index in range(len(areas))]
    ordered = order_said(caption, characters)
    return ordered if ordered and len(ordered) == len(areas) else None


def by_faces(
    named: Sequence[str],
    faces: Sequence[np.ndarray | None],
    known: Mapping[str, np.ndarray],
) -> list[str]:
    """Letters of a photo's people, '' for somebody else, by mean cosine with faces known for sure
    (letter -> [R, D]) in the one-to-one assignment of the largest sum (Hungarian)."""
    columns = [letter for letter in named if letter in known]
    rows = [index for index, face in enumerate(faces) if face is not None]
    result = [""] * len(faces)
    if len(columns) == len(named) and rows:
        table = np.array([[float((known[x] @ faces[i]).mean()) for x in columns] for i in rows])
        for row, column in zip(*linear_sum_assignment(-table), strict=True):
            result[rows[row]] = columns[column]
    return result
