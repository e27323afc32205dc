"""Sections of a report in the short form that published pages have.

Tables by the same columns become one, what every page would say again is said once elsewhere, and a
dataset's audit is counted. Knows the Markdown of report.md; computes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kindred.common.sentences import counted

NUMBERS, MATRICES, PARTS, PHOTOS, NEXT, TAKE = (
    "The variants in numbers",
    "Who is taken for whom",
    "Is a group harder than its parts?",
    "Photos",
    "What to try next",
    "Which LoRA to take",
)
LEGEND = "What the columns say: [measures](../../reference/measures.md#columns-of-reports)."
TAKEN = (
    "How often, in percent, the judge found in the place of the person above: {found}. "
    "Rows: who draws."
)
WHOLE = (
    "By prompt set, in percent: how often everyone is right / the product of how often each part "
    "alone is."
)
WARNED = "What the audit warns of is on the page `audit.html` of each dataset."
TABLE = re.compile(r"^\|.*\|\n\|[-:|]+\|\n(?:\|.*\|(?:\n|\Z))+", re.MULTILINE)
CELL, RULE = re.compile(r"(?<!\\)\|"), re.compile(r"\|[-:|]+\|")


def in_short(sections: Mapping[str, str]) -> list[str]:
    """The sections of a page, each beginning with its heading. sections: heading -> section, as a
    report has them. Advice is left out: the study is over, and its LoRAs are not published."""
    named = {name.partition(": ")[2]: name for name in sections if name.startswith(f"{PHOTOS}: ")}
    photos = {dataset: body_of(sections[name]) for dataset, name in named.items()}
    found = []
    for name, part in sections.items():
        if name == NUMBERS:
            found.append(f"{name}\n\n{without_legend(body_of(part))}")
        elif name == MATRICES:
            found.append(f"{name}\n\n{taken(body_of(part))}")
        elif name == PARTS:
            found.append(f"{name}\n\n{by_prompt_set(body_of(part))}")
        elif name == next(iter(named.values()), None):
            found.append(f"{PHOTOS}\n\n{photos_of(photos)}")
        elif name not in (NEXT, TAKE, *named.values()):
            found.append(part.strip())
    return found


def body_of(section: str) -> str:
    """A section without its heading."""
    return section.partition("\n")[2].strip()


def without_legend(body: str) -> str:
    """The table of variants with a link in place of what its columns say."""
    table = TABLE.search(body)
    if table is None:
        return body
    legend = re.compile(r"\n(?:- .*\n?)+")
    rest = legend.sub("\n", body[table.end() :], count=1).strip()
    parts = (f"{body[: table.start()].strip()} {LEGEND}", table[0].strip(), rest)
    return "\n\n".join(part for part in parts if part)


def taken(body: str) -> str:
    """All matrices in one table: a row a variant, a column for each person asked for; another
    table where others are asked for. What is no such section stays as it is."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[str, list[str]]]] = {}
    for table in map(cells_of, TABLE.findall(body)):
        (variant, *found), *rows = table
        shares = [" / ".join(cell.removesuffix(" %") for cell in row[1:]) for row in rows]
        place = tuple(found), tuple(row[0] for row in rows)
        alike.setdefault(place, []).append((variant, shares))
    parts = []
    for (found, asked), lines in alike.items():
        heading = f"| variant | {' | '.join(asked)} |\n|---|{'---:|' * len(asked)}"
        rows = [f"| {variant} | {' | '.join(shares)} |" for variant, shares in lines]
        parts.append(TAKEN.format(found=" / ".join(found)) + "\n\n" + "\n".join([heading, *rows]))
    return "\n\n".join(parts) or body


def by_prompt_set(body: str) -> str:
    """The table of groups and their parts: a row a variant, a column a prompt set. What is no such
    table stays as it is."""
    table = TABLE.search(body)
    if table is None:
        return body
    rows: dict[str, dict[str, str]] = {}
    for variant, prompt_set, whole, product, _ in cells_of(table[0])[1:]:
        read = f"{whole} / {product}".replace(" %", "")
        rows.setdefault(variant, {})[prompt_set] = read
    sets = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = [f"| variant | {' | '.join(sets)} |", f"|---|{'---:|' * len(sets)}"]
    for variant, row in rows.items():
        lines.append(f"| {variant} | {' | '.join(row.get(name, '–') for name in sets)} |")
    return f"{WHOLE}\n\n" + "\n".join(lines)


def cells_of(table: str) -> list[list[str]]:
    """The cells of a table in Markdown, without its line of rules."""
    lines = table.strip().splitlines()
    cells = [CELL.split(line)[1:-1] for line in lines if not RULE.fullmatch(line)]
    return [[cell.strip() for cell in row] for row in cells]


def photos_of(bodies: Mapping[str, str]) -> str:
    """A line a dataset: how many photos of whom, and how much its audit warns of."""
    lines = []
    for name, body in bodies.items():
        first, *rest = body.splitlines()
        warnings = sum(line.startswith("- ") for line in rest)
        lines.append(f"- {name}: {first}; {counted(warnings, 'warning')}")
    return "\n".join([WARNED, "", *lines])
