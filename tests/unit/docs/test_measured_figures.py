"""Every figure in pages that people write has a source: a link to its table, a block that a program
writes, or a line 'Measured once, ...' that says on what and at which revision.

The revision is the commit that wrote the figures down. Decisions are dated, so one line at the head
of a page is enough for all of its entries. Settings, limits and advice are no measurements:
`CHOSEN` says where they stand.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kindred.report.doc_figures import FIGURE

ROOT = Path(__file__).parents[3]
NUMBER = r"(?<![\w.,/×-])[−+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)"
UNIT = r"%|points?\b|ms\b|s\b|seconds?\b|min\b|minutes?\b|hours?\b|[kMG]i?B\b|TFLOP|times as|dB\b"
WITH_UNIT = re.compile(rf"{NUMBER}(?: (?:to|or|and|of|–) [−+]?[\d.,]+)? ?(?:{UNIT})")
DECIMAL = re.compile(r"(?<![\w.,/×-])[−+]?\d?\.\d+(?![\w.]*\d)")
MEASURED = re.compile(
    r"^\*Measured once, (?:on|with|by) [^*]+, at (?:revision `(?P<revision>[0-9a-f]{12})` of "
    r"(?P<date>\d{4}-\d\d-\d\d)|the revisions of the entries' dates)\.\*$",
    re.M,
)
DATED = re.compile(r"^- \*\*Context\*\* \(\d{4}-\d\d-\d\d\):", re.M)
GENERATED = {"commands.md", "configuration.md", "measures.md", "messages.md", "hypotheses.md"}
# (page, heading) -> why no line says where its figures come from. '' stands for every heading.
SETTINGS = "settings, limits or sizes, not measured"
RULES = "rules of the statistics"
CHOSEN = {
    ("README.md", "Install"): SETTINGS,
    ("docs/findings/README.md", "What has been found out"): "labels of the pages below",
    ("docs/findings/answers.md", "Every experiment in detail"): "labels of the tables below",
    ("docs/findings/answers.md", "What was asked, and answered"): "labels of the tables below",
    ("docs/findings/answers.md", "How to read the figures"): RULES,
    ("docs/findings/answers.md", "Are they as alike together as alone?"): "what was to be reached",
    ("docs/findings/answers.md", "What else was asked"): "labels of published verdicts",
    ("docs/findings/names.md", "Does it know who is who?"): "by counting, in test_casts_figure.py",
    ("docs/findings/photo-judge.md", "What it answers"): SETTINGS,
    ("docs/findings/settings.md", ""): "labels, and spreads of the table in answers.md",
    ("docs/findings/together.md", ""): "said of the figures beside it",
    ("docs/guide/cluster.md", ""): SETTINGS,
    ("docs/guide/confirmation.md", ""): "predictions, margins, and factors of the table of hours",
    ("docs/guide/face-detail.md", "What is done"): SETTINGS,
    ("docs/guide/families.md", ""): SETTINGS,
    ("docs/guide/live.md", ""): "words of a picture",
    ("docs/guide/own-photos.md", ""): SETTINGS,
    ("docs/guide/platforms.md", ""): SETTINGS,
    ("docs/guide/reading-the-report.md", ""): RULES,
    ("docs/guide/variants.md", "How many trainings?"): "the printed lines above it",
    ("docs/guide/which-step.md", ""): SETTINGS,
    ("docs/reference/audit.md", "Tokens of captions"): SETTINGS,
    ("docs/reference/recipe.md", ""): SETTINGS,
    ("docs/reference/statistics.md", "Statistics"): "said of the table below",
    ("docs/reference/statistics.md", "Labels"): RULES,
    ("docs/decisions/documentation.md", ""): SETTINGS,
    ("docs/decisions/drawing.md", ""): SETTINGS,
    ("docs/decisions/report.md", ""): SETTINGS,
    ("lab/README.md", "What is here"): "sizes of files",
    ("lab/README.md", "The same in klein's shape"): SETTINGS,
    ("lab/cards/captioner.md", ""): "sizes of files",
    ("lab/cards/judge.md", ""): "sizes of files",
}


def pages() -> list[Path]:
    """Those that people write; experiments are published by a program, with their tables."""
    rooms = ("", "guide", "findings", "reference", "decisions")
    found = [path for room in rooms for path in sorted((ROOT / "docs" / room).glob("*.md"))]
    found += sorted((ROOT / "lab").rglob("*.md"))
    return [ROOT / "README.md", *(path for path in found if path.name not in GENERATED)]


def without_sources(text: str) -> str:
    """A page without linked figures, written blocks, code and addresses."""
    text = re.sub(r"<!-- (\w+): written.*?<!-- end of \1 -->", "", FIGURE.sub("", text), flags=re.S)
    text = re.sub(r"^ {4}\S.*$", "", text, flags=re.M)
    return re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`\n]*`", "", MEASURED.sub("", text)))


def sections(text: str) -> Iterator[tuple[list[str], str]]:
    """(the headings that a section stands under, the outermost first and its own last, its text)"""
    above: list[str] = []
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    parts = re.split(r"^(#{1,4}) (.+)$", text, flags=re.M)
    for marks, heading, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        above = [*above[: len(marks) - 1], heading]
        yield above, body


def unsourced(page: Path) -> Iterator[str]:
    """Headings of a page whose figures have no source, with the first of these."""
    name, text = page.relative_to(ROOT).as_posix(), page.read_text(encoding="utf-8")
    said = {" > ".join(above) for above, body in sections(text) if MEASURED.search(body)}
    for above, body in sections(text):
        plain = without_sources(body)
        found = WITH_UNIT.search(plain) or DECIMAL.search(plain)
        if not found or (name, "") in CHOSEN or (name, above[-1]) in CHOSEN:
            continue
        ways = {" > ".join(above[:depth]) for depth in range(1, len(above) + 1)}
        if not said & ways:
            yield f"{above[-1]}: {found[0]}"


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_figure_has_a_source(page):
    advice = "link its table, or write a line as MEASURED has it, or add it to CHOSEN"
    assert list(unsourced(page)) == [], advice


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_was_measured_once_is_said_in_one_form(page):
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"^\W*(?:was |were )?measured once", text, re.I | re.M)
    assert len(lines) == len(MEASURED.findall(text))
    for line in MEASURED.finditer(text):
        assert (line["revision"] is None) == (page.parent.name == "decisions"), line[0]
    if page.parent.name == "decisions" and MEASURED.search(text):
        entries = [(above, body) for above, body in sections(text) if len(above) == 2]
        named = [a[-1] for a, body in entries if not DATED.search(body) and "yet" not in a[-1]]
        assert named == [], "an entry without a date"


def test_revisions_are_there():
    known = subprocess.run(
        ["git", "log", "--format=%H %as"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    if len(known) < 100:
        pytest.skip("no history of this repository")
    days = {line[:12]: line[41:] for line in known}
    for page in pages():
        for line in MEASURED.finditer(page.read_text(encoding="utf-8")):
            if line["revision"]:
                assert days.get(line["revision"]) == line["date"], (page, line[0])


def test_what_is_chosen_is_there():
    headings = {
        (page.relative_to(ROOT).as_posix(), heading)
        for page in pages()
        for above, _ in sections(page.read_text(encoding="utf-8"))
        for heading in (above[-1], "")
    }
    assert set(CHOSEN) <= headings


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# A\nIt is 5 % right.\n", ["A: 5 %"]),
        ('# A\nIt is [5 %](a/runs.csv "a trio success") right.\n', []),
        ("# A\n## B\n| x | .93 |\n\n## C\n*Measured once, on a card, at revision `0123456789ab` "
         "of 2026-11-29.*\n\n### D\n3 s\n", ["B: .93"]),
        ("# A\nMeasured once, on a card: 5 s.\n\n    printed 5 s\n", ["A: 5 s"]),
    ],
)  # fmt: skip
def test_figures_without_a_source_are_found(tmp_path, monkeypatch, text, found):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    page = tmp_path / "a.md"
    page.write_text(text, encoding="utf-8")
    assert list(unsourced(page)) == found
