"""docs/reference/measures.md: every measure and every figure of casts, written from its record.

Knows the records alone; knows nothing of experiments.
"""

from __future__ import annotations

from kindred.specs.cast_figures import CAST_FIGURES, CastFigure
from kindred.specs.measures import MEASURES, Measure

BETTER = {"more": "more", "less": "less", "neither": "–"}
HEAD = """# Measures

What a hypothesis may name as its `measure`, and what the report's tables show. Written by
`python scripts/config_schema.py` from `scripts/kindred/specs/measures.py` and
`scripts/kindred/specs/cast_figures.py`: edit it there.

| measure | what it says | better | a base that learned nobody | needs |
|---|---|---|---|---|
"""
NAMES = """
## Which of them need names

Only a measure that needs names can say that an adapter knows who is who. The others can be high for
an adapter that was trained on the wrong captions, so the report puts the scrambled control's figure
by the same measure beside each of them.

| measure | needs names | why |
|---|---|---|
"""
CASTS = """
## Beside cast accuracy

A prompt set made of `casts` is read by these figures as well; they stand in the report under “Does
it know who is who?” and in `summary.json` under `casts`. Pictures of a family of three: 7 casts of
members alone and 5 with strangers, each on every shape of picture. z is the inverse of the normal
distribution. Accuracy, also by shape and wording, has the interval of the measure `cast`; all
others have Student's t over training runs.

| figure | what it says | how it is computed | without names |
|---|---|---|---|
"""
DRAWERS = """
## The lines beside it

A drawer that can't read names draws the same for all prompts that look the same to it. For each
prompt set the report prints the most that such a drawer could reach: one that sees only the
picture's shape, one that also sees how many people are asked for, and one that also reads class
nouns such as “a woman”. They are computed from the prompts: wherever a drawer sees the same, the
outcome that pays best is taken. With the twelve casts on two shapes the first reaches 1/12, the
second 3/12. BASE is the base without an adapter, SCRAMBLED an adapter trained with captions on the
wrong photos, CEILING the lab's own drawings of the same casts, through the autoencoder, judged.
"""


def measures_page() -> str:
    """The text of docs/reference/measures.md."""
    measures = MEASURES.values()
    parts = [HEAD, *map(_line, measures), NAMES, *map(_names, measures)]
    return "".join([*parts, CASTS, *map(_figure, CAST_FIGURES.values()), DRAWERS])


def _line(one: Measure) -> str:
    says = one.says.format(counts="people")
    cells = (f"`{one.name}`", says, BETTER[one.better], one.chance, ", ".join(one.needs))
    return f"| {' | '.join(cells)} |\n"


def _names(one: Measure) -> str:
    return f"| `{one.name}` | {'yes' if one.needs_names else 'no'} | {one.names} |\n"


def _figure(one: CastFigure) -> str:
    return f"| `{one.name}` | {one.says} | {one.definition} | {one.without_names} |\n"
