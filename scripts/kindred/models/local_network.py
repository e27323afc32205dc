"""A base's transformer by its config.json, where that is on this computer.

For planning: nothing is fetched, and neither torch nor the hub's own library is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.models import hub
from kindred.models.architectures.interface import Architecture
from kindred.models.architectures.layout import NetworkLayout


@dataclass(frozen=True)
class LocalNetwork:
    """A transformer by its configuration: its layers, and whether it takes guidance as an input."""

    layout: NetworkLayout
    takes_guidance: bool


def local_network(
    model: str, revision: str | None, architecture: Architecture, root: Path
) -> LocalNetwork | None:
    """A base's transformer.

    None where its config.json is neither in a local folder (relative ones count from `root`) nor
    in the hub's cache, or is that of no such transformer: loading the base says so.
    """
    file = small_file(model, revision, f"{architecture.parts.network.folder}/config.json", root)
    return file and _by_file(file, file.stat().st_mtime_ns, architecture)


@cache
def _by_file(file: Path, changed: int, architecture: Architecture) -> LocalNetwork | None:
    try:
        config = read_json(file)
        # The index tells only the other kinds of guidance apart.
        takes = architecture.guidance({}, config) == "embedded"
        return LocalNetwork(architecture.layout(config), takes)
    except (KindredError, AttributeError, TypeError):
        return None


def small_file(model: str, revision: str | None, name: str, root: Path) -> Path | None:
    """A base's file `name`, in its local folder or in the hub's cache; None where it is neither."""
    file = root / Path(model).expanduser() / name
    if file.is_file():
        return file
    if not hub.is_repository(model):
        return None
    commit = hub.known_commit(model, revision)
    if commit is None:
        return None
    file = hub.cached(model) / "snapshots" / commit / name
    return file if file.is_file() else None
