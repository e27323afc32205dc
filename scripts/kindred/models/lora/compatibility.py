"""LoRA files trained elsewhere, looked at before anything runs: of this base and architecture?

Reads headers and a base's transformer/config.json only; imports no torch. What a file does is seen
when it is loaded (adapters.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.models.architectures.interface import Architecture
from kindred.models.lora import key_conversion


def incompatibility(
    path: Path, architecture: Architecture, layers: Mapping[str, int] | None
) -> tuple[str, str] | None:
    """(what is wrong, what to do) of a LoRA file for a base of this architecture with these layers;
    None: nothing is.

    `layers` is what `layers_of` gives, None where the base can't be looked at.
    """
    if not path.is_file():
        return "is no file", "correct the path (it counts from the folder of the Snakefile)"
    try:
        entries, _ = safetensors_files.header(path)
    except KindredError:
        return "is no whole safetensors file", "fetch it again, or convert it to safetensors"
    # Kinds that only diffusers can read, when it draws.
    if any(".processor." in key or key.startswith("base_model.") for key in entries):
        return None
    keys = [key for key in entries if "lora_magnitude_vector" not in key]
    what, cure = key_conversion.refusal(keys, architecture)
    if what:
        return what, cure
    return _misfit(entries, architecture, layers) if layers else None


def _misfit(
    entries: Mapping[str, Any], architecture: Architecture, layers: Mapping[str, int]
) -> tuple[str, str] | None:
    """What of a LoRA has no place on a base."""
    lost, other, count = [], [], 0
    for name, roles in key_conversion.modules_of(entries).items():
        layer = architecture.adapter_keys and architecture.adapter_keys.layer_of(name)
        width = entries[roles["down"]]["shape"][1]
        for part in layer.parts if layer else ():
            count += 1
            if part not in layers:
                lost.append(part)
            elif layers[part] != width:
                other.append(f"{part} reads {width} features, the base's {layers[part]}")
    cure = "set `base:` to the one it was trained on"
    if lost:
        return f"{len(lost)} of its {count} layers are not in this base, e.g. {min(lost)}", cure
    return (f"is of a base of another width ({min(other)})", cure) if other else None


def layers_of(
    model: str, revision: str | None, architecture: Architecture, root: Path
) -> dict[str, int] | None:
    """Name -> number of features read, of every linear layer of a base's transformer.

    None where its config.json is neither in a local folder (relative ones count from `root`) nor
    in the hub's cache; nothing is fetched.
    """
    name = f"{architecture.parts.network.folder}/config.json"
    file: Any = root / Path(model).expanduser() / name
    if not file.is_file():
        if model.startswith((".", "/", "~")) or model.count("/") != 1:
            return None
        from huggingface_hub import try_to_load_from_cache

        file = try_to_load_from_cache(model, name, revision=revision)
        if not isinstance(file, str):
            return None
    try:
        return architecture.layout(read_json(file)).inputs
    except KindredError:
        return None  # loading the base says so
