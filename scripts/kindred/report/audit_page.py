"""The audit as one page: coverage as a picture, findings in plain words, tables behind them.

Self-contained, light and dark; shows names of files, never photos.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kindred.report.coverage_chart import coverage_svg

TEMPLATES = Path(__file__).parents[3] / "report"


def render(audit: Mapping[str, Any]) -> str:
    """HTML of an audit as `scripts/audit.py` writes it."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = {letter: who["name"] for letter, who in audit["characters"].items()}
    picture = Markup(coverage_svg(audit["cells"], names))
    return environment.get_template("audit.html").render(audit=audit, names=names, picture=picture)
