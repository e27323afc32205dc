"""The audit as one page: coverage as a picture, findings in plain words, tables behind them.

Self-contained, light and dark. It names files and, without `hide_photos`, shows photos.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from kindred.common.commands import complete, snakemake
from kindred.common.sentences import counted
from kindred.config.amounts_told import FIRST_LOOK
from kindred.data.audit.findings import FIRST_SCREEN, MISFIT
from kindred.report.audit_photos import (
    EACH,
    AuditPhoto,
    by_cell,
    of_lines,
    of_person,
    with_photos,
)
from kindred.report.coverage_chart import coverage_svg
from kindred.report.templates import fill

# What would be trained otherwise than meant: all of FIRST_SCREEN but settings.
NOT_READY = frozenset(FIRST_SCREEN) - {MISFIT}
STEPS = 3  # that are told at once


def readiness(audit: Mapping[str, Any]) -> dict[str, Any]:
    """{ready, said, next}: whether to train on this, in a sentence, and what to do first."""
    warnings, stops = _warnings(audit), _stops(audit)
    first = _first_findings(audit)
    if stops:
        said = (
            f"Not ready. {counted(len(stops), 'warning')}: the training would learn something else "
            "than you mean."
        )
    elif warnings:
        said = f"You can train on it. {counted(len(warnings), 'warning')} may cost quality."
    else:
        said = "Ready to train on."
    steps = [f"{one['what']}: {one['cure']}" for one in first[:STEPS]]
    return {"ready": not stops, "said": said, "next": steps, "more": len(first) - len(steps)}


def _warnings(audit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in audit["findings"] if one["level"] == "warning"]


def _stops(audit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in _warnings(audit) if one["kind"] in NOT_READY]


def _first_findings(audit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What is to be done first: what stops, or else all warnings."""
    return _stops(audit) or _warnings(audit)


def render(
    audit: Mapping[str, Any],
    photos: Sequence[AuditPhoto] = (),
    experiment: str = "ours",
    folder: str = "FOLDER",
) -> str:
    """HTML of an audit as `scripts/audit.py` writes it. photos: to show, none to show none.
    experiment, folder: whose audit it is, and where its photos lie, for commands."""
    findings = [
        one | {"cure": complete(one["cure"], experiment, folder)} for one in audit["findings"]
    ]
    audit = {**audit, "findings": findings}
    names = {letter: who["name"] for letter, who in audit["characters"].items()}
    shown = {photo.source: photo for photo in photos}
    cards = [one | {"rows": with_photos(one["items"], shown)} for one in audit["findings"]]
    first: dict[str, list[Mapping[str, Any]]] = {}
    for finding in cards:
        if heading := FIRST_SCREEN.get(finding["kind"]):
            first.setdefault(heading, []).append(finding)
    return fill(
        "audit.html",
        {
            "state": readiness(audit) | {"photos": _beside_steps(audit, shown)},
            "audit": audit,
            "names": names,
            "picture": Markup(coverage_svg(audit["cells"], names)),
            "first": first,
            "others": [one for one in cards if one["kind"] not in FIRST_SCREEN],
            "people": {letter: of_person(letter, photos) for letter in names},
            "photos": [photo for photo in photos if photo.small],
            "cells": by_cell(photos),
            "train": snakemake(experiment.removesuffix(FIRST_LOOK)),
            "naming": f"make who PHOTOS={shlex.quote(folder)}",
        },
    )


def _beside_steps(
    audit: Mapping[str, Any], shown: Mapping[str, AuditPhoto]
) -> list[list[AuditPhoto]]:
    """Some photos for each step of `readiness`."""
    return [of_lines(one["items"], shown)[:EACH] for one in _first_findings(audit)[:STEPS]]
