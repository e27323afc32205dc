"""What is wrong in pictures of casts, over several families: counts, by how many were asked for.

Knows rows of scores and casts of summary.json; knows nothing of claims.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from kindred.evidence.family_copies import Rows

KEYS = ("arm", "prompt_set", "members", "strangers", "canvas", "wording")
COUNTS = ("pictures", "right", "other_number", "missing", "twice", "unasked", "unknown")
HEADINGS = (*KEYS, *COUNTS)
# Column of scores -> what is counted: letters of people, or a number of heads.
TOLD = {
    "missing": "missing",
    "duplicated": "twice",
    "unasked": "unasked",
    "strangers": "unknown",
}
Json = Mapping[str, Any]


def mistakes(
    families: Iterable[tuple[Json, Rows]], arms: Collection[str]
) -> Iterator[dict[str, Any]]:
    """A row for each arm, prompt set, number of members and strangers asked for, canvas and
    wording: pictures of all families, how many are right, and in how many of the wrong ones
    another number of people is seen, somebody asked for is missing or seen twice, somebody
    of the family is there unasked, or a head is nobody's who was asked for. One picture may have
    several of these. Copies count. families: of each its summary.json and its rows of scores."""
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
    wrong = [name for column, name in TOLD.items() if row[column] not in ("", "0", "0.0")]
    return ["pictures", *(["other_number"] if float(row["count"] or 0) != 1 else []), *wrong]
