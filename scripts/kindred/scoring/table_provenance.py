"""Which code made a table of scores, in a small JSON beside its CSV: <table>.json for <table>.csv.

Beside, because a table's bytes follow from pictures and judge alone, and later steps are stale only
when they change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError
from kindred.common.files import read_json, write_json
from kindred.common.versions import UNRECORDED, code_revision
from kindred.rendering.manifest import Manifest


def beside(table: Path) -> Path:
    """Where the provenance of a table lies."""
    return table.with_suffix(".json")


def write_stored(table: Path) -> None:
    """Note for a table in the store, scored just now, the revision of the code that runs."""
    write_json(beside(table), {"code_revision": code_revision()})


def write_beside(table: Path, stored: Path, manifest: Manifest) -> None:
    """Note for a table copied from the store who scored it, and who drew its pictures."""
    told = read_provenance(stored)
    write_json(
        beside(table),
        {"code_revision": told["code_revision"], "pictures": manifest.code_revisions},
    )


def read_provenance(table: Path) -> dict[str, Any]:
    """What stands beside a table; UNRECORDED where there is nothing."""
    try:
        found = read_json(beside(table))
    except KindredError:
        found = {}
    return {"code_revision": UNRECORDED, "pictures": [UNRECORDED], **found}


def code_revisions(
    tables: Iterable[Path], trainings: Mapping[str, Iterable[Mapping[str, Any]]]
) -> dict[str, list[str]]:
    """Revisions of the code by what they made: adapters (variant -> its runs' lora.json), pictures,
    scores; each list sorted."""
    told = [read_provenance(table) for table in tables]
    adapters = [one for runs in trainings.values() for one in runs]
    return {
        "adapters": sorted({one.get("code_revision", UNRECORDED) for one in adapters}),
        "pictures": sorted({revision for one in told for revision in one["pictures"]}),
        "scores": sorted({one["code_revision"] for one in told}),
    }
