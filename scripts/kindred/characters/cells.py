"""Names of cells: which characters occur together in one photo.

A cell is written with its letters in the order of the alphabet, joined by '+': 'J', 'A+J'.
"""

from __future__ import annotations

from collections.abc import Iterable

from kindred.common.errors import KindredError


def cell_name(letters: Iterable[str]) -> str:
    """'A+J' for {'J', 'A'}; '' for nobody."""
    return "+".join(sorted(set(letters)))


def parse_cell(text: str, known: Iterable[str]) -> str:
    """The cell that a person wrote as 'J+A', 'J, A' or, where every letter is one character, 'JA'.

    Raises KindredError when it names nobody or someone who is not in `known`.
    """
    known = set(known)
    parts = [part.strip() for part in text.replace(",", "+").split("+") if part.strip()]
    if len(parts) == 1 and parts[0] not in known and set(parts[0]) <= known:
        parts = list(parts[0])
    unknown = [part for part in parts if part not in known]
    if unknown or not parts:
        raise KindredError(
            f"no character {', '.join(repr(part) for part in unknown) or 'named'}",
            f"cell '{text}'",
            f"write letters joined by '+'; known letters: {', '.join(sorted(known))}",
        )
    return cell_name(parts)
