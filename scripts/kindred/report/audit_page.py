"""The audit as one page: coverage as a picture, findings in plain words, tables behind them.

Self-contained, light and dark; shows names of files, never photos.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from kindred.data.audit.findings import FIRST_SCREEN
from kindred.report.coverage_chart import coverage_svg
from kindred.report.templates import fill


def render(audit: Mapping[str, Any]) -> str:
    """HTML of an audit as `scripts/audit.py` writes it."""
    names = {letter: who["name"] for letter, who in audit["characters"].items()}
    picture = Markup(coverage_svg(audit["cells"], names))
    first: dict[str, list[Mapping[str, Any]]] = {}
    for finding in audit["findings"]:
        if heading := FIRST_SCREEN.get(finding["kind"]):
            first.setdefault(heading, []).append(finding)
    others = [one for one in audit["findings"] if one["kind"] not in FIRST_SCREEN]
    content = {"audit": audit, "names": names, "picture": picture}
    return fill("audit.html", {**content, "first": first, "others": others})
