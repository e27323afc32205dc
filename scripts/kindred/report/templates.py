"""Templates under report/, filled in: text is escaped in HTML, and a misspelt name is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from kindred.common.commands import snakemake
from kindred.common.sentences import capital, counted
from kindred.report import formatting

FOLDER = Path(__file__).parents[3] / "report"


def fill(template: str, values: dict[str, Any]) -> str:
    """A template of report/ with values. Strings are escaped in .html unless they are Markup."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    """One for all pages: it keeps compiled templates."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "signed": formatting.signed,
        "number": formatting.number,
        "share": lambda value: "–" if value is None else formatting.share(value),
        "counted": counted,
        "sentence": lambda text: capital(text).rstrip("."),
        "one_line": lambda text: " ".join(str(text).split()).replace("|", "\\|"),
    }
    environment.globals["snakemake"] = snakemake
    environment.globals["source"] = lambda name: Markup(
        environment.loader.get_source(environment, name)[0]
    )
    return environment
