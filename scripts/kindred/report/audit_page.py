"""The audit as one page: coverage as a picture, findings in plain words, tables behind them.

Self-contained, light and dark; shows names of files, never photos.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from kindred.data.audit.findings import FIRST_SCREEN, MISFIT
from kindred.report.coverage_chart import coverage_svg
from kindred.report.formatting import plural
from kindred.report.templates import fill

# What would be trained otherwise than meant, beside all of FIRST_SCREEN but settings.
NOT_READY = (frozenset(FIRST_SCREEN) - {MISFIT}) | {"unseen"}
STEPS = 3  # that are told at once


def readiness(audit: Mapping[str, Any]) -> dict[str, Any]:
    """{ready, said, next}: whether to train on this, in a sentence, and what to do first."""
    warnings = [one for one in audit["findings"] if one["level"] == "warning"]
    stops = [one for one in warnings if one["kind"] in NOT_READY]
    first = stops or warnings
    if stops:
        said = (
            f"Not ready: {plural(len(stops), 'warning')} would train something else than you mean."
        )
    elif warnings:
        said = f"It can be trained on. {plural(len(warnings), 'warning')} may cost quality."
    else:
        said = "Ready to train on."
    steps = [f"{one['what']}: {one['cure']}" for one in first[:STEPS]]
    return {"ready": not stops, "said": said, "next": steps, "more": len(first) - len(steps)}


def render(audit: Mapping[str, Any]) -> str:
    """HTML of an audit as `scripts/audit.py` writes it."""
    names = {letter: who["name"] for letter, who in audit["characters"].items()}
    picture = Markup(coverage_svg(audit["cells"], names))
    first: dict[str, list[Mapping[str, Any]]] = {}
    for finding in audit["findings"]:
        if heading := FIRST_SCREEN.get(finding["kind"]):
            first.setdefault(heading, []).append(finding)
    others = [one for one in audit["findings"] if one["kind"] not in FIRST_SCREEN]
    content = {"state": readiness(audit), "audit": audit, "names": names, "picture": picture}
    return fill("audit.html", {**content, "first": first, "others": others})
