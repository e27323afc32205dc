"""docs/reference/measures.md: every measure and every other figure, written from its record.

What a base without training reads is taken from one published study. Knows the records and the
tables of that study; knows nothing of experiments.
"""

from __future__ import annotations

from pathlib import Path

from kindred.report.published_figures import figure_of, read_table
from kindred.specs.cast_figures import CAST_FIGURES, CastFigure
from kindred.specs.family_figures import FIGURES as FAMILY_FIGURES
from kindred.specs.measures import MEASURES, Measure
from kindred.specs.report_figures import REPORT_FIGURES, ReportFigure

BETTER = {"more": "more", "less": "less", "neither": "neither"}
# Whose figures stand beside what chance reads, and in which of the study's variants.
STUDY = "strangers"
TABLE = f"../findings/{STUDY}/runs.csv"
ARMS = {
    "BASE": "base alone",
    "scrambled": "captions on the wrong photos",
    "strangers": "captions on the right photos",
}
HEAD = """# Measures

What a hypothesis may name as its `measure`, and what the report's tables show: each with its
formula, what chance reads, and where it is computed. Written by `python scripts/config_schema.py`
from `scripts/kindred/specs/measures.py`, `cast_figures.py` and `report_figures.py` beside it:
edit it there. How figures get their intervals stands in [statistics](statistics.md).

| measure | what it says | better | a base that learned nobody | needs |
|---|---|---|---|---|
"""
SYMBOLS_HEAD = """
## What the symbols mean

| symbol | meaning | shape, unit |
|---|---|---|
"""
# Symbol, meaning, shape or unit.
SYMBOLS = (
    ("[ … ]", "1 where it is so, 0 where it isn't", ""),
    ("i, j", "a picture: a prompt with a seed, by one run of a variant", ""),
    ("A, |A|", "the characters that the prompt names, and how many", "letters"),
    ("s", "people asked for who are no characters; 0 but in prompt sets made of casts", "heads"),
    ("k = |A| + s", "how many people the prompt asks for", "heads"),
    ("n", "how many people, or faces, the judge finds", "heads"),
    ("e(p)", "what the judge makes of the face or person p that it found", "unit vector [D]"),
    ("R(x)", "the same of the reference photos of character x", "unit vectors [r, D]"),
    ("sim(p, x)", "mean over r of e(p) · R(x)[r]", "cosine, −1 to 1, [n, characters]"),
    (
        "σ",
        "mean cosine of strangers: the judge's own figure; of a population of strangers with these "
        "references; or of photos of different characters",
        "cosine",
    ),
    (
        "τ(x)",
        "mean cosine of two different reference photos of x; of a single photo the judge's figure",
        "cosine",
    ),
    (
        "id(p, x)",
        "identity or likeness: (sim(p, x) − σ) / (τ(x) − σ); of judges of photos means are of "
        "values cut to 0 to 1",
        "0 a stranger, 1 another photo, [n, characters]",
    ),
    (
        "ρ(x)",
        "the identity from which x is recognised: `recognised`, unset 0.5; of judges of photos "
        "no lower than (x's threshold − σ) / (τ(x) − σ), 1 at most",
        "identity",
    ),
    (
        "F(x)",
        "how many of the n people are recognised as x: of all characters that reach their ρ, x "
        "has the largest identity",
        "people",
    ),
    ("F(stranger)", "how many reach nobody's ρ", "people"),
    (
        "m(x)",
        "the person assigned to x: one to one to those asked for, with the largest Σ id(m(x), x) "
        "(Kuhn 1955)",
        "a person",
    ),
    (
        "a",
        "what the judge says of the prompt's words beside names: the lab's judge the probability "
        "of the place and of the hair that it names, multiplied; judges of photos the cosine of "
        "picture and text",
        "",
    ),
    (
        "v(i)",
        "the judge's vector of the whole picture, where it has a model for it (`similarity`)",
        "unit vector [W]",
    ),
    (
        "d(i, j)",
        "1 − v(i) · v(j); without such a model the root of the mean squared difference of both "
        "pictures at 24 × 24 pixels, colours 0 to 1",
        "0 is equal",
    ),
    ("z(…)", "the inverse of the normal distribution", "standard deviations"),
)
NO_VALUE = """
Of people who can't be told (too small, turned away, covered, between two names) nothing is claimed.
While they could be those who lack, nobody is missing, and `cast`, `success` and `identity` have no
value. The three have none either where somebody asked for has no reference photo, and without
`success` there is no `missing`, `duplicated` or `strangers`. A picture without a value is left out
of the mean.

A variant's figure is the mean over all its pictures and runs. In `cast` it is the mean over casts
of the mean within each.
"""
CHANCE = """
## What chance reads, measured

The trio of the study [{study}](../findings/{study}/README.md); of `cast` its twelve casts. One
run of the base, five of captions on the wrong photos, ten of composites with strangers. A measure
that reads the same in the second column and in the third does not tell who is who.

| measure | {heads} |
|---|{rules}|
"""
EACH = "\n## Each measure\n"
COLUMNS = """
## Columns of reports

What stands over the figures of a report's tables, and of published pages.

| column | what it says |
|---|---|
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

A prompt set made of `casts` is read by these figures as well; they stand in the report under
“Does it know who is who?” and in `summary.json` under `casts`. Pictures of a family of three: 7
casts of members alone and 5 with strangers, each on every shape of picture. Accuracy, also by
shape and wording, has the interval of the measure `cast`. Detection, order, garments, count,
products and looks are computed in each run; the figure is the mean over runs with Student's t.
The others are of all runs together.
"""
DRAWERS = """
## The lines beside it

A drawer that can't read names draws the same for all prompts that look the same to it. For each
prompt set the report prints the most that such a drawer could reach: one that sees only the
picture's shape, one that also sees how many people are asked for, and one that also reads class
nouns such as “a woman”.

```text
line = Σ over what the drawer can see of
       max over outcomes o of  Σ w over the prompts that look so and whose right outcome is o
o = (A, k),   w = pictures of the prompt / pictures of its cast / number of casts
```

With the twelve casts on two shapes the first reaches 1/12, the second 3/12. BASE is the base
without an adapter, SCRAMBLED an adapter trained with captions on the wrong photos, CEILING the
lab's own drawings of the same casts, through the autoencoder, judged. Code:
`evidence/drawers_without_names.py`: `best_accuracy`.
"""
OTHERS = "\n## Other figures of the report\n"
FAMILIES = """
## Over families

These figures of one experiment are compared over families ([families](../guide/families.md)).
Code: `specs/family_figures.py`: `FIGURES`.

| figure | heading | what it is |
|---|---|---|
"""


def measures_page(root: Path) -> str:
    """The text of docs/reference/measures.md. root: holds docs/, with the study's tables."""
    measures = MEASURES.values()
    parts = [HEAD, *map(_line, measures), SYMBOLS_HEAD, *map(_symbol, SYMBOLS), NO_VALUE]
    parts += [_chance(root), EACH, *map(_measure, measures)]
    parts += [COLUMNS, *map(_column, measures)]
    parts += [NAMES, *map(_names, measures), CASTS, *map(_figure, CAST_FIGURES.values()), DRAWERS]
    parts += [OTHERS, *map(_other, REPORT_FIGURES), FAMILIES]
    parts += [f"| `{x.name}` | {x.heading} | {x.says} |\n" for x in FAMILY_FIGURES.values()]
    return "".join(parts)


def _line(one: Measure) -> str:
    says = one.says.format(counts="people")
    cells = (f"`{one.name}`", says, BETTER[one.better], one.chance, ", ".join(one.needs))
    return f"| {' | '.join(cells)} |\n"


def _symbol(cells: tuple[str, str, str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _column(one: Measure) -> str:
    return f"| {one.heading} | {one.hint} (`{one.name}`) |\n"


def _names(one: Measure) -> str:
    return f"| `{one.name}` | {'yes' if one.needs_names else 'no'} | {one.names} |\n"


def _chance(root: Path) -> str:
    """What untrained and wrongly trained variants of the study read, of the measures it has."""
    rows = read_table(root / "docs/reference" / TABLE)
    lines = [
        CHANCE.format(study=STUDY, heads=" | ".join(ARMS.values()), rules="|".join(["---:"] * 3))
    ]
    for name in MEASURES:
        if name in rows[0]:
            prompts = "casts" if name == "cast" else "trio"
            whats = [f"{arm} {prompts} {name}" for arm in ARMS]
            cells = [f'[{figure_of(rows, what)}]({TABLE} "{what}")' for what in whats]
            lines.append(f"| `{name}` | {' | '.join(cells)} |\n")
    return "".join(lines)


def _measure(one: Measure) -> str:
    chance = one.chance if one.derived in one.chance else f"{one.chance} ({one.derived})"
    told = {
        "Number": one.kind.says,
        "Better": BETTER[one.better],
        "Chance": chance,
        "Needs": ", ".join(one.needs),
    }
    says = one.says.format(counts="people")
    return _section(one.name, f"{says[0].upper()}{says[1:]}.", one.formula, told, one.code)


def _figure(one: CastFigure) -> str:
    told = {"In words": one.definition, "Number": one.unit, "Without names": one.without_names}
    return _section(one.name, one.says, one.formula, told, one.code)


def _other(one: ReportFigure) -> str:
    told = {"Where": f"`{one.file}`", "Number": one.unit, "Chance": one.chance}
    says = f"{one.says[0].upper()}{one.says[1:]}."
    return _section(one.name, says, one.formula, told, one.code)


def _section(name: str, says: str, formula: str, told: dict[str, str], code: str) -> str:
    lines = [f"- {key}: {text}." for key, text in told.items()]
    pairs = (place.partition(": ") for place in code.split("; "))
    lines.append("- Code: " + ", ".join(f"`{file}`: `{what}`" for file, _, what in pairs) + ".")
    block = f"```text\n{formula}\n```"
    return "\n".join(["", f"### `{name}`", "", says, "", block, "", *lines, ""])
