"""What is wrong in pictures of casts, over several families: counts, by how many were asked for.

Knows rows of scores and casts of summary.json; knows nothing of claims.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from kindred.evidence.family_copies import Rows

KEYS = ("arm", "prompt_set", "members", "strangers", "canvas", "wording")
COUNTS = (
    *("pictures", "right", "other_number", "missing", "twice", "unasked"),
    *("too_few_strangers", "too_many_strangers"),
)
HEADINGS = (*KEYS, *COUNTS)
LETTERS = {"missing": "missing", "duplicated": "twice", "unasked": "unasked"}
Json = Mapping[str, Any]


def mistakes(
    families: Iterable[tuple[Json, Rows]], arms: Collection[str]
) -> Iterator[dict[str, Any]]:
    """A row for each arm, prompt set, number of members and strangers asked for, canvas and
    wording: pictures of all families, how many are right, and in how many of the wrong ones
    another number of people is seen, somebody asked for is missing or seen twice, somebody of the
    family is there unasked, or fewer or more heads are strangers' than were asked for. One picture
    may have several of these. Copies count. families: of each its summary.json and its scores."""
    found: dict[tuple[Any, ...], Counter[str]] = {}
    for summary, rows in families:
        asked = {
            (prompt_set, cast["name"]): (cast["heads"] - cast["strangers"], cast["strangers"])
            for prompt_set, told in summary.get("casts", {}).items()
            for cast in told["casts"]
        }
        for row in rows:
            if row["kind"] == "image" and row["cast_right"] and row["variant"] in arms:
                people = asked[row["prompt_set"], row["cast"]]
                _, canvas, wording = row["prompt"].split(".")
                place = (row["variant"], row["prompt_set"], *people, canvas, wording)
                found.setdefault(place, Counter()).update(_counted(row))
    for place in sorted(found):
        counts = {name: found[place][name] for name in COUNTS}
        yield {**dict(zip(KEYS, place, strict=True)), **counts}


def _counted(row: Mapping[str, str]) -> list[str]:
    if float(row["cast_right"]):
        return ["pictures", "right"]
    wrong = [name for column, name in LETTERS.items() if row[column]]
    more = int(row["strangers"] or 0) - int(row["strangers_asked"] or 0)
    if more:
        wrong.append("too_many_strangers" if more > 0 else "too_few_strangers")
    return ["pictures", *(["other_number"] if float(row["count"] or 0) != 1 else []), *wrong]
