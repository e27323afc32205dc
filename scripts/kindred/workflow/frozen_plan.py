"""A copy of the configuration as it was when Snakemake planned its jobs.

A Snakemake that a cluster starts for one job, minutes or days later, plans from this copy: what is
written into config/ meanwhile changes nothing of what was submitted. Copies lie in
.snakemake/kindred/plans, each under a hash of what is in it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError
from kindred.common.files import atomic_write
from kindred.common.hashing import canonical_json, sha256_bytes, spec_hash
from kindred.common.planned_config import VARIABLE, planned_config
from kindred.config.load_plan import load_plan
from kindred.config.plan import Plan

PLANS = Path(".snakemake/kindred/plans")
OVERRIDES = "overrides.json"
KEPT_S = 60 * 24 * 3600.0  # longer than jobs wait in queues


@dataclass(frozen=True)
class FrozenPlan:
    """Files of config/ by their names below it, and what `--config` said."""

    files: Mapping[str, bytes]
    overrides: Mapping[str, Any]

    @classmethod
    def take(cls, config: Path, overrides: Mapping[str, Any]) -> FrozenPlan:
        """What is there now, in memory. Raises KindredError where `--config` gave what can't be
        written down."""
        _check_overrides(overrides)
        found = (
            Path(place) / name
            for place, _, names in os.walk(config, followlinks=True)
            for name in names
            if name.endswith(".yaml")
        )
        paths = sorted(path for path in found if path.is_file())
        files = {path.relative_to(config).as_posix(): path.read_bytes() for path in paths}
        return cls(files, dict(overrides))

    def write(self, plans: Path = PLANS) -> Path:
        """Write it down unless it is there; remove copies that nobody can be waiting for. Returns
        its folder."""
        hashes = {name: sha256_bytes(content) for name, content in self.files.items()}
        folder = plans / spec_hash([hashes, self.overrides])[:16]
        for name, content in self.files.items():
            if not (folder / "config" / name).exists():
                with atomic_write(folder / "config" / name) as temporary:
                    temporary.write_bytes(content)
        with atomic_write(folder / OVERRIDES) as temporary:
            temporary.write_text(canonical_json(self.overrides), encoding="utf-8")
        os.utime(folder)
        for other in plans.iterdir():
            if time.time() - other.stat().st_mtime > KEPT_S:
                shutil.rmtree(other, ignore_errors=True)
        return folder


def _check_overrides(overrides: Mapping[str, Any]) -> None:
    """Raise KindredError for the first value that would not come back from its copy as it is."""
    for key, value in overrides.items():
        try:
            same = json.loads(canonical_json(value)) == value
        except (TypeError, ValueError, RecursionError):
            same = False
        if not same:
            raise KindredError(
                f"{value!r} can't be saved for jobs that start later",
                f"--config: {key}",
                "use texts, finite numbers, true or false, or lists and mappings of these",
            )


def load_frozen(root: Path, folder: Path) -> Plan:
    """The plan that a job was submitted with.

    Raises KindredError when its copy is gone, ProblemsError when photos or adapters that it names
    are.
    """
    try:
        overrides = json.loads((folder / OVERRIDES).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        raise KindredError(
            "the configuration with which this job was planned no longer exists, so the job did "
            "nothing",
            str(folder),
            "run `snakemake` again",
        ) from None
    return load_plan(root, overrides, folder / "config")


def planned(experiments: Sequence[str]) -> tuple[Plan, Path]:
    """The plan of experiments and the folder of their configuration: as Snakemake planned with
    them where it started this program, else as they are. Raises ProblemsError for mistakes."""
    config = planned_config()
    if os.environ.get(VARIABLE):
        return load_frozen(Path("."), config.parent), config
    return load_plan(Path("."), {"experiments": list(experiments)}), config
