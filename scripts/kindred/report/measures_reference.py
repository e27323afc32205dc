"""docs/measures.md: every measure, written from its record.

Knows the records alone; knows nothing of experiments.
"""

from __future__ import annotations

from kindred.specs.measures import MEASURES, Measure

BETTER = {"more": "more", "less": "less", "neither": "–"}
HEAD = """# Measures

What a hypothesis may name as its `measure`, and what the report's tables show. Written by
`python scripts/config_schema.py` from `scripts/kindred/specs/measures.py`: edit it there.

| measure | what it says | better | a base that learned nobody | needs |
|---|---|---|---|---|
"""


def measures_page() -> str:
    """The text of docs/measures.md."""
    return HEAD + "".join(_line(one) for one in MEASURES.values())


def _line(one: Measure) -> str:
    says = one.says.format(counts="people")
    cells = (f"`{one.name}`", says, BETTER[one.better], one.chance, ", ".join(one.needs))
    return f"| {' | '.join(cells)} |\n"
