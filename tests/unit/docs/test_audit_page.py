"""docs/reference/audit.md names every kind of finding that the audit can make, with its level."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from kindred.data import audit, prompt_syntax
from kindred.data.audit import caption_findings, findings, photo_warnings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "audit.md").read_text(encoding="utf-8")
MODULES = sorted(Path(audit.__path__[0]).glob("*.py"))


def kinds_in_calls() -> set[str]:
    """The first argument of each `Finding(...)`, where it is no variable of a loop."""
    found = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(first.value)
                elif isinstance(first, ast.Name) and first.id.isupper():
                    found.add(getattr(findings, first.id))
    return found


def rows() -> dict[str, str]:
    """Kind -> its level, as the page has them."""
    lines = re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", PAGE, re.M)
    return {kind: level for kinds, level in lines for kind in re.findall(r"`([^`]+)`", kinds)}


def test_every_kind_of_finding_is_on_the_page_and_no_other():
    made = kinds_in_calls() | set(photo_warnings.ROW_KINDS) | set(findings.MADE)
    made |= set(caption_findings.PHRASES) | {f"syntax-{one.kind}" for one in prompt_syntax.KINDS}
    assert len(made) > 40 and set(rows()) == made


def test_levels_are_those_of_the_audit():
    told = rows()
    for kind, (level, *_) in caption_findings.PHRASES.items():
        assert told[kind] == level
    for kind in photo_warnings.ROW_KINDS:
        assert told[kind] == ("note" if kind in photo_warnings.NOTES else "warning")
    for one in prompt_syntax.KINDS:
        assert told[f"syntax-{one.kind}"] == ("warning" if one.certain else "note")
