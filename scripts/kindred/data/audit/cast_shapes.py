"""Whether a picture's shape tells who is in it: a table of casts by shape, and its information.

What the shape tells, the model need not learn from names: an adapter that was trained where wide
pictures show the whole family draws the whole family on every wide canvas. Knows rows of images and
captions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from kindred.characters.unnamed_people import unnamed_people
from kindred.data.audit.findings import Finding
from kindred.specs.character import Character

Table = dict[str, dict[str, int]]  # cast -> shape -> pictures
MOST_BITS = 0.25  # more of them are worth a word


def casts_by_shape(
    photos: Sequence[Mapping[str, Any]], characters: Mapping[str, Character]
) -> Table:
    """Pictures of every cast in every shape, both in order. A cast is a cell and how many other
    people the caption says, as in 'A+J+1'; a shape is width : height in smallest numbers."""
    counts: Counter[tuple[str, Fraction]] = Counter()
    for photo in photos:
        image, caption = photo["image"], photo["caption"]["caption"]
        named = image.get("named", ())
        others = unnamed_people(caption, characters, named) + len(named)
        cast = "+".join(filter(None, [photo["cell"], str(others or "")])) or "nobody"
        counts[cast, Fraction(image["width"], image["height"])] += 1
    shapes = sorted({shape for _, shape in counts})
    casts = sorted({cast for cast, _ in counts}, key=lambda cast: (cast.count("+"), cast))
    return {
        cast: {f"{s.numerator}:{s.denominator}": counts[cast, s] for s in shapes} for cast in casts
    }


def bits(table: Table) -> float:
    """Mutual information of cast and shape, bits: what a shape tells of who is in the picture.

    Of few pictures it comes out too large by chance; the expectation of that is taken off (Miller
    1955, "Note on the bias of information estimates"), and nothing below 0 is told.
    """
    total = sum(sum(row.values()) for row in table.values())
    casts = {cast: sum(row.values()) for cast, row in table.items()}
    shapes = Counter[str]()
    for row in table.values():
        shapes.update(row)
    told = sum(
        count / total * math.log2(count * total / (casts[cast] * shapes[shape]))
        for cast, row in table.items()
        for shape, count in row.items()
        if count
    )
    cells = sum(count > 0 for row in table.values() for count in row.values())
    used = sum(count > 0 for count in shapes.values())
    chance = (cells - len(casts) - used + 1) / (2 * total * math.log(2))
    return max(0.0, told - max(0.0, chance))


def entropy(table: Table) -> float:
    """Bits that say who is in a picture, when nothing else tells."""
    sums = [sum(row.values()) for row in table.values()]
    return -sum(n / sum(sums) * math.log2(n / sum(sums)) for n in sums if n)


def shape_findings(table: Table) -> list[Finding]:
    """A note where shapes tell who is in a picture."""
    told = bits(table)
    if told <= MOST_BITS:
        return []
    rows = [
        f"{cast}: {', '.join(f'{n} on {s}' for s, n in row.items() if n)}"
        for cast, row in table.items()
    ]
    return [
        Finding(
            "shapes",
            "note",
            f"a picture's shape tells {told:.1f} of the {entropy(table):.1f} bits that say who is "
            "in it",
            "the model may learn this from the shape instead of the names: for one person on a "
            "wide canvas it may draw everybody whom wide pictures showed (in the lab's trials "
            "this mattered little once composites had strangers)",
            "make composites with strangers or in every shape: `compose: {strangers: ..., "
            "canvas: any, ...}`",
            rows,
        )
    ]
