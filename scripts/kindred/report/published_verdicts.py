"""The table of hypotheses on a published page: claim, label and effect first, what both arms read,
and what would decide the open ones.

Readings and advice are taken out of the paragraphs that report.md has of each hypothesis, or out of
an earlier table. Knows the form of both; labels are those of verdicts.csv.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kindred.evidence.labels import DECIDED
from kindred.report.formatting import effect
from kindred.report.published_labels import words_of
from kindred.report.published_sections import TABLE, cells_of
from kindred.report.published_tables import Line
from kindred.report.templates import fill

# "**Label: claim**", its sentence, and lines of warnings.
PARAGRAPH = re.compile(r"^\*\*[^*\n]+?: (?P<claim>.+)\*\*\n(?P<rest>(?:.+(?:\n|\Z))+)\n?", re.M)
READINGS = re.compile(r": (\S+(?: %)?) with \S+, (\S+(?: %)?) with \S+; ")
# The end of a verdict's sentence: what makes it its label.
REASON = re.compile(
    r"(?:training runs?(?: each)?(?:, compared one by one)?|nothing trained); .*?\.(?=\s|$)"
)
NOTE = re.compile(r"- (?:Note|Mind): (.*)")
HEADINGS = ("hypothesis", "variant", "compared with", "what would decide it")


@dataclass(frozen=True)
class Told:
    """What a report says of a hypothesis besides its label: what both arms read, advice."""

    reads: tuple[str, str] = ("", "")
    advice: str = ""


def told_of(words: str, lines: Sequence[Line]) -> tuple[dict[str, Told], str]:
    """Hypothesis -> what the section's paragraphs say of it, and the section without these
    paragraphs, with their warnings as a list. lines: of verdicts.csv."""
    names: dict[str, list[str]] = {}
    for line in lines:
        claim = " ".join(line["claim"].split()).replace("|", "\\|")
        names.setdefault(claim, []).append(line["hypothesis"])
    told: dict[str, Told] = {}
    notes: dict[str, list[str]] = {}

    def take(found: re.Match[str]) -> str:
        if not names.get(found["claim"]):
            return found[0]
        name = names[found["claim"]].pop(0)
        sentence, *rest = found["rest"].splitlines()
        told[name] = _told(sentence)
        for note in filter(None, map(NOTE.fullmatch, rest)):
            notes.setdefault(note[1], []).append(name)
        return ""

    left = PARAGRAPH.sub(take, words).strip()
    said = [f"- {', '.join(who)}: {note}" for note, who in notes.items()]
    return told, "\n\n".join(filter(None, ("\n".join(said), left)))


def _told(sentence: str) -> Told:
    reads, reason = READINGS.search(sentence), REASON.search(sentence)
    if reads is None or reason is None:
        return Told(advice=sentence)
    return Told((reads[1], reads[2]), sentence[reason.end() :].strip())


def verdict_table(lines: Sequence[Line], told: Mapping[str, Told]) -> str:
    """The table of all hypotheses, of lines of verdicts.csv; '' without any."""
    rows = []
    for one in lines:
        own = told.get(one["hypothesis"], Told())
        arms = [
            name + (f": {reads}" if reads else "")
            for name, reads in zip((one["variant"], one["against"]), own.reads, strict=True)
        ]
        advice = "" if one["label"] in DECIDED else own.advice
        more = {"said": said(one), "words": words_of(one), "arms": arms, "advice": advice}
        rows.append(one | more)
    return fill("verdict-table.md", {"verdicts": rows}).strip() if rows else ""


def told_before(table: str) -> dict[str, Told]:
    """The same as `told_of`, of a page's table."""
    heading, *rows = cells_of(table)
    name, *arms, advice = map(heading.index, HEADINGS)
    return {
        row[name]: Told(
            (row[arms[0]].partition(": ")[2], row[arms[1]].partition(": ")[2]), row[advice]
        )
        for row in rows
    }


def with_labels(words: str, lines: Sequence[Line]) -> str:
    """A section that begins with such a table, with the labels of these lines."""
    table = TABLE.search(words)
    if table is None:
        return words
    return f"\n{verdict_table(lines, told_before(table[0]))}\n{words[table.end() :]}"


def said(line: Line) -> str:
    """The effect of a line of verdicts.csv with its interval, in words."""
    value, low, high = (
        float(line[name]) if line[name] else None for name in ("effect", "low", "high")
    )
    return effect(value, low, high, line["measure"])
