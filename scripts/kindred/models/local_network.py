"""A base's transformer by its config.json, where that is on this computer.

For planning: nothing is fetched, and neither torch nor the hub's own library is imported.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.models.architectures.interface import Architecture
from kindred.models.architectures.layout import NetworkLayout

COMMIT = re.compile(r"[0-9a-f]{40}")


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
    if model.startswith((".", "/", "~")) or model.count("/") != 1:
        return None
    kept = hub_cache() / f"models--{model.replace('/', '--')}"
    commit = revision or "main"
    if not COMMIT.fullmatch(commit):
        try:
            commit = (kept / "refs" / commit).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
    file = kept / "snapshots" / commit / name
    return file if file.is_file() else None


def hub_cache() -> Path:
    """Where huggingface_hub keeps what it fetched, by the variables that it reads itself."""
    home = Path.home() / ".cache"
    base = os.environ.get("XDG_CACHE_HOME") or home
    own = os.environ.get("HF_HOME") or Path(base) / "huggingface"
    kept = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(os.path.expandvars(kept or Path(own) / "hub")).expanduser()
