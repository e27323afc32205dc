"""Where every number came from: models, versions, hashes, settings.

Knows which facts name a file or a folder of the person's own, and leaves those out of a page that
is to be shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from kindred.report.report_data import ReportData

SHOWN_DIGITS = 12


def provenance(data: ReportData, share: bool) -> dict[str, Any]:
    """Facts in the order of the page; hashes are cut to their first digits."""
    trainings = list(data.trainings.values())
    judge = data.summary["judge"]
    return {
        "judge": _model(str(judge["identity"]), share),
        "judge_hash": str(judge["hash"])[:SHOWN_DIGITS],
        "bases": sorted(
            {_model(str(s["base"]), share) for s in data.settings.values() if s.get("base")}
        ),
        "drawing": _drawing(data),
        "versions": _versions(trainings),
        "revisions": revisions(data.summary.get("code_revisions") or {}),
        "devices": sorted({str(one["device"]) for one in trainings if one.get("device")}),
        "adapters": [
            {
                "variant": variant,
                "run": run,
                **{
                    key: str(one.get(key, ""))[:SHOWN_DIGITS]
                    for key in ("spec_hash", "dataset_hash")
                },
                "code_revision": str(one.get("code_revision", "")),
                "photos": sum((one.get("photos_per_cell") or {}).values()),
                "steps": one.get("steps"),
                "final_loss": one.get("final_loss"),
            }
            for (variant, run), one in data.trainings.items()
        ],
        "photos_per_cell": {
            variant: one.get("photos_per_cell") or {}
            for (variant, run), one in data.trainings.items()
            if run == data.variants[variant]["runs"][0]
        },
    }


def revisions(found: Mapping[str, Sequence[str]]) -> str:
    """One line when results of several revisions of the code stand side by side, else ''."""
    if len({revision for of_kind in found.values() for revision in of_kind}) < 2:
        return ""
    told = "; ".join(f"{kind}: {', '.join(found[kind])}" for kind in found if found[kind])
    return f"Results of several revisions of the code stand side by side ({told})."


def _model(identity: str, share: bool) -> str:
    """`id@revision`, the revision cut; of a folder only its own name where that is private."""
    name, _, revision = identity.rpartition("@")
    name, revision = (name, revision) if name else (revision, "")
    local = PurePath(name).is_absolute() or name.startswith(("~", ".."))
    shown = PurePath(name).name if share and local else name
    return f"{shown}@{revision[:SHOWN_DIGITS]}" if revision else shown


def _drawing(data: ReportData) -> str:
    settings = next(iter(data.settings.values()), {})
    wanted = {"steps": "steps", "guidance": "guidance", "dtype": "", "quantization": ""}
    said = [
        f"{label} {settings[key]}".strip() for key, label in wanted.items() if settings.get(key)
    ]
    return ", ".join(said)


def _versions(trainings: list[Mapping[str, Any]]) -> dict[str, str]:
    """Library -> version, all of them where trainings differ."""
    found: dict[str, set[str]] = {}
    for one in trainings:
        for library, version in (one.get("versions") or {}).items():
            found.setdefault(library, set()).add(str(version))
    return {library: " / ".join(sorted(versions)) for library, versions in sorted(found.items())}
