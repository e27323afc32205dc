"""Links between pages, tables and pictures lead somewhere, headings too."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINK = re.compile(r"\]\((?P<path>[^)\s\"#]*)(?:#(?P<heading>[^)\s\"]*))?(?: \"[^\"]*\")?\)")
ELSEWHERE = ("http://", "https://", "mailto:")


def pages() -> list[Path]:
    """Markdown that people read; templates of pages are none."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True)
    found = [ROOT / line for line in listed.stdout.splitlines() if not line.startswith("report/")]
    return [path for path in found if path.is_file()] or sorted(ROOT.glob("docs/**/*.md"))


def prose(page: Path) -> str:
    """Without code, in which brackets are no links."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    text = re.sub(r"^ {4}.*$", "", text, flags=re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings, the second of a name with -1."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        found.add(anchor if anchor not in found else f"{anchor}-1")
    return found


def broken(page: Path) -> Iterator[str]:
    """Links of a page that lead nowhere."""
    for match in LINK.finditer(prose(page)):
        if match[0][2:].startswith(ELSEWHERE):
            continue
        to = (page.parent / match["path"]) if match["path"] else page
        missing = not to.exists()
        if missing or (match["heading"] and match["heading"] not in anchors(to)):
            yield match[0]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert list(broken(page)) == []


def test_pictures_say_what_is_to_be_seen():
    for page in pages():
        for said in re.findall(r"!\[([^\]]*)\]\(", prose(page)):
            assert len(said.split()) > 2, (page, said)


def test_broken_links_are_seen(tmp_path):
    page = tmp_path / "a.md"
    page.write_text("# One `two`\n[x](b.md) [y](#one-two) [z](#three) `[c](d.md)`\n")
    assert list(broken(page)) == ["](b.md)", "](#three)"]
