"""Bases that a run would download to a computer without a GPU, told before anything is fetched.

Knows `device:`, the hub's cache and texts that name bases; nothing of Snakemake's own objects.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from kindred.common import commands
from kindred.common.backends import has_apple_gpu
from kindred.common.errors import KindredError, Problems
from kindred.common.sentences import listing
from kindred.compute.devices import gpus_visible
from kindred.config.config_files import ConfigFiles
from kindred.config.device_config import DeviceConfig
from kindred.models import hub
from kindred.models.identity import architecture_of, is_local
from kindred.specs.base_model import Base
from kindred.workflow.executors import PLACE


def check_downloads(
    device: DeviceConfig, bases: Mapping[str, Base], needed: Iterable[str], root: Path
) -> None:
    """Raise KindredError where jobs would begin with the download of a base that `kind: auto` then
    uses on the CPU. needed: the versions of bases that jobs need, 'id@revision' among other words;
    read only where some base is not here."""
    if device.kind != "auto" or gpus_visible():
        return
    absent = {name: base for name, base in bases.items() if not _is_here(base)}
    if not absent:
        return
    words = {word for text in needed for word in text.split()}
    models = {word.partition("@")[0] for word in words if "@" in word}
    if found := {base.model: name for name, base in absent.items() if base.model in models}:
        told = listing(_sizes(found.values(), root))
        raise KindredError(
            f"no GPU was found here, so this would download {told} and work on the CPU, where "
            "full-size bases take days",
            f"{PLACE}.kind",
            f"run it on a computer with a GPU, or try the lab (`make`), which needs "
            f"none; to go on anyway, run `{_command()} 'device={{kind: cpu}}'`, or set `device: "
            f"{{kind: cpu}}` in config/config.yaml{_on_apple()}",
        )


def _is_here(base: Base) -> bool:
    """Whether a base is a folder, or some of its network's files are in the hub's cache."""
    if is_local(base.model) or not hub.is_repository(base.model):
        return True
    return hub.is_cached(base.model, architecture_of(base).parts.network.folder, base.revision)


def _sizes(names: Iterable[str], root: Path) -> list[str]:
    """Each base with the size of its download, where its file says it."""
    files = ConfigFiles(root, Problems())
    sizes = {name: files.base(name, "") and files.downloads[name] for name in names}
    return [f"{name} ({size:g} GiB)" if size else name for name, size in sizes.items()]


def _on_apple() -> str:
    return "; to use Apple's GPU, set `device: {kind: mps}`" if has_apple_gpu() else ""


def _command() -> str:
    """The command that was given, as far as it is known."""
    asked = os.environ.get(commands.VARIABLE, "")
    return commands.snakemake(asked) if asked else "snakemake --config"
