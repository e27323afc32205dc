"""docs/pictures/casts.svg: cast accuracy of every recipe that was published by it.

Drawn from the tables of casts, so that equal tables give equal bytes. Knows these tables and how
arms are called; knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from kindred.evidence.drawers_without_names import SeenPrompt, drawers
from kindred.report.published_figures import read_table
from kindred.specs.casts import cast_prompts
from kindred.specs.character import Character

FILE = "docs/pictures/casts.svg"
# Study -> heading, and variant -> how the figure calls it.
STUDIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "casts-coverage": (
        "Photos alone, 24 of them",
        {
            "solos": "everybody alone",
            "had-pairs": "and two of three pairs",
            "all-pairs": "and all three pairs",
            "with-trio": "and all three together",
            "pairs-only": "pairs and nobody alone",
            "trio-only": "all three together and nothing else",
            "scrambled": "all pairs, captions on the wrong photos",
        },
    ),
    "casts-alike": (
        "A family’s 25 photos, and composites of the family",
        {
            "family": "the photos alone",
            "any-heads": "composites of A+J and A+C+J",
            "alone-heads": "and of each alone",
            "scrambled": "composites, captions on the wrong photos",
        },
    ),
    "strangers": (
        "The same photos, and strangers in composites",
        {
            "family": "the photos alone",
            "linked": "composites of the family",
            "pairs": "and of every pair",
            "strangers": "and strangers in half of those of 1 and 2",
            "shapes": "and on every shape",
            "null": "with strangers, trained again with other seeds",
            "scrambled": "with strangers, captions on the wrong photos",
            "BASE": "the base without any LoRA",
        },
    ),
}
PANELS = {"family": "casts of the family alone", "others": "casts with strangers"}
COLOURS = {"family": "#2a5db0", "others": "#b0582a"}
INK, QUIET, RULE, PAPER = "#1c1c1c", "#6a6a6a", "#dddddd", "#ffffff"
WIDTH, NAMES, PANEL, GAP, ROW, TOP = 880, 316, 232, 52, 21, 74
LINE = f'stroke="{RULE}" stroke-width="1"'


def casts_svg(findings: Path) -> str:
    """The figure as SVG. findings: docs/findings, with a folder for each study. Raises KindredError
    where a table is missing."""
    rows = list(_rows(findings))
    height = TOP + ROW * len(rows) + 46
    lines = without_names()
    parts = [f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>']
    parts.append(
        _text(16, 26, "How often exactly the people asked for are drawn", INK, 15, bold=True)
    )
    for number, (kind, heading) in enumerate(PANELS.items()):
        left = NAMES + number * (PANEL + GAP)
        parts += _panel(left, heading, height - 40, lines[kind])
        parts += [_dot(left, n, row, kind) for n, (_, row) in enumerate(rows) if row]
    parts += [_label(n, name, not row) for n, (name, row) in enumerate(rows)]
    said = "Bars: 95 % intervals. In brackets: trainings. Dashed: the most without reading a name."
    parts.append(_text(16, height - 14, said, QUIET, 11))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" font-family="Helvetica, Arial, sans-serif">\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def without_names() -> dict[str, float]:
    """Kind of cast -> the most of a drawer that sees the picture's shape and the number of people
    asked for."""
    names = {"A": "ARussell", "C": "CRussell", "J": "JRussell"}
    people = {letter: Character(name=name, noun="man") for letter, name in names.items()}
    prompts = cast_prompts(names, [(144, 128), (192, 96)], 4)
    seen = [SeenPrompt(one.cast, one.text) for one in prompts.values()]
    return drawers(seen, people)["number"]


def _rows(findings: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Label and line of the table, {} for a study's heading."""
    for study, (heading, arms) in STUDIES.items():
        table = {row["variant"]: row for row in read_table(findings / study / "casts.csv")}
        yield heading, {}
        for variant, label in arms.items():
            yield f"{label} ({table[variant]['runs']})", table[variant]


def _panel(left: int, heading: str, bottom: int, most: float) -> Sequence[str]:
    parts = [_text(left, 52, heading, INK, 12, bold=True)]
    for share in (0, 0.25, 0.5, 0.75, 1):
        x = left + share * PANEL
        parts.append(f'<path d="M{x:g} {TOP - 6}V{bottom}" {LINE}/>')
        parts.append(_text(x, bottom + 12, f"{share:.0%}".replace("%", " %"), QUIET, 10, "middle"))
    x = left + most * PANEL
    dashed = f'stroke="{QUIET}" stroke-dasharray="4 3"'
    return [*parts, f'<path d="M{x:.1f} {TOP - 6}V{bottom}" {dashed}/>']


def _dot(left: int, number: int, row: Mapping[str, str], kind: str) -> str:
    """A share with its interval."""
    mean, low, high = (left + float(row[f"{kind}{end}"]) * PANEL for end in ("", " low", " high"))
    y, colour = TOP + ROW * number + 10, COLOURS[kind]
    share = f"{100 * float(row[kind]):.0f} %"
    beside, anchor = (low - 6, "end") if mean > left + 0.5 * PANEL else (high + 6, "start")
    return (
        f'<path d="M{low:.1f} {y}H{high:.1f}" stroke="{colour}" stroke-width="2"/>'
        f'<circle cx="{mean:.1f}" cy="{y}" r="4" fill="{colour}"/>'
        + _text(beside, y + 4, share, INK, 11, anchor)
    )


def _label(number: int, name: str, heading: bool) -> str:
    y = TOP + ROW * number + 14
    return _text(16, y, name, INK, 12, bold=True) if heading else _text(28, y, name, INK, 12)


def _text(
    x: float, y: float, text: str, colour: str, size: int, anchor: str = "start", bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:g}" fill="{colour}" font-size="{size}" text-anchor="{anchor}"'
        f"{weight}>{escape(text)}</text>"
    )
