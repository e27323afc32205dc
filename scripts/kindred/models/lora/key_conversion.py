"""LoRA files in other tools' layouts -> diffusers' names, one layer at a time.

Knows files' keys and how fused layers come apart; which layers there are is the architecture's.
Importing this module does not import torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.models import architectures
from kindred.models.architectures.interface import Architecture, FusedLayer
from kindred.models.lora.lora_config import scale_of
from kindred.models.lora.prefixes import bare_names, is_of_text_encoder

if TYPE_CHECKING:
    import torch

PREFIX = "transformer."  # of the transformer's keys in a file of diffusers
# Behind the adapter's part of a key peft may write the adapter's own name.
KEY = re.compile(
    r"^(.+?)\.(?:lora(?:_linear_layer)?[._](down|up|A|B)(?:\.[\w-]+)?\.weight"
    r"|(alpha)|lora_(magnitude)_vector(?:\.[\w-]+)*)$"
)
ROLES = {"A": "down", "B": "up"}
IN_DIFFUSERS = re.compile(r"transformer\..+\.lora_(?:[AB]\.weight|magnitude_vector)")


def layer_of(name: str, architecture: Architecture) -> FusedLayer | None:
    """What a LoRA module's name means, whatever prefixes stand before it; None when no network of
    this architecture has such a layer."""
    names = architecture.adapter_keys
    known = (names.layer_of(bare) for bare in bare_names(name)) if names else ()
    return next((layer for layer in known if layer), None)


def is_in_diffusers_layout(keys: Iterable[str]) -> bool:
    """Whether all keys of the transformer are as diffusers writes them, without alphas."""
    return all(IN_DIFFUSERS.fullmatch(key) for key in keys if not is_of_text_encoder(key))


def modules_of(keys: Iterable[str]) -> dict[str, dict[str, str]]:
    """Module name -> {'down', 'up', 'alpha', 'magnitude': key}; keys of text encoders and what is
    no LoRA key are left out."""
    found: dict[str, dict[str, str]] = {}
    for key in keys:
        match = KEY.match(key)
        if match and not is_of_text_encoder(key):
            role = match[3] or match[4] or ROLES.get(match[2], match[2])
            found.setdefault(match[1], {})[role] = key
    return found


def refusal(keys: Iterable[str], architecture: Architecture) -> tuple[str, str]:
    """Why a file can't be read as a LoRA of this architecture, with the cure; empty when it can."""
    keys = [key for key in keys if not is_of_text_encoder(key)]
    if any(key.endswith(".dora_scale") for key in keys):
        return (
            "is a DoRA in kohya's layout, whose magnitudes diffusers ignores",
            "save it in diffusers' layout, or merge it into a plain LoRA",
        )
    if any(re.search(r"\.lokr_", key) for key in keys):
        return "is a LoKr (LyCORIS), but a LoRA is needed here", "give a LoRA"
    if any(re.search(r"\.(?:hada_|oft_|boft_|glora_)", key) for key in keys):
        what = "is a LyCORIS file (LoHa, OFT ...), neither a LoRA nor a LoKr"
        return what, "extract a LoRA from it"
    modules = modules_of(keys)
    pairs = {name: roles for name, roles in modules.items() if {"down", "up"} <= roles.keys()}
    if not pairs:
        return "contains no LoRA weights", "give a LoRA file"
    title = architecture.title
    if architecture.adapter_keys is None:
        what = f"comes from another tool, and Kindred can't read such files for {title} yet"
        return what, "use one that Kindred trained"
    layers = {name: layer for name in pairs if (layer := layer_of(name, architecture))}
    other = model_of_layers(pairs, architecture) if len(layers) < len(pairs) else None
    if other or not layers:
        known = f"is a LoRA of {other}, but the base is {title}" if other else ""
        what = f"is a LoRA of a model other than {title}"
        first = f"(its layers: {sorted(pairs.keys() - layers.keys())[0]}, ...)"
        return f"{known or what} {first}", "set `base:` to the model that it was trained on"
    lost = sorted((pairs.keys() - layers.keys()) | (modules.keys() - pairs.keys()))
    lost += [key for key in keys if not KEY.match(key)]
    if lost:
        what = f"has {counted(len(lost), 'part')} that no {title} LoRA has, e.g. {lost[0]}"
        return what, "save it again"
    return _twice(keys, modules, layers) or ("", "")


def model_of_layers(names: Iterable[str], but: Architecture) -> str | None:
    """What people call the first other architecture that has all these layers."""
    names = list(names)
    for architecture in architectures.every():
        known = architecture is not but and architecture.adapter_keys is not None
        if known and all(layer_of(name, architecture) for name in names):
            return architecture.title
    return None


def _twice(
    keys: list[str], modules: Mapping[str, Mapping[str, str]], layers: Mapping[str, FusedLayer]
) -> tuple[str, str] | None:
    """Why what a file holds of one layer can't be told apart or taken apart."""
    used = {key for roles in modules.values() for key in roles.values()}
    if lost := sorted(set(keys) - used):
        what = f"contains several adapters under different names, e.g. {lost[0]}"
        return what, "save each in a file of its own"
    owners: dict[str, str] = {}
    for name, layer in layers.items():
        for part in layer.parts:
            if (other := owners.setdefault(part, name)) != name:
                return f"changes {part} twice, by {other} and by {name}", "save it again"
        if "magnitude" in modules[name] and (len(layer.parts) > 1 or layer.swapped):
            what = f"is a DoRA over several layers at once ({name}), which can't be separated"
            return what, "save it in diffusers' layout, or merge it into a plain LoRA"
    return None


def to_diffusers(
    state: Mapping[str, torch.Tensor],
    architecture: Architecture,
    where: str,
    config: Mapping[str, Any] | None = None,
) -> dict[str, torch.Tensor]:
    """The transformer's LoRA under diffusers' names, in float32, alphas multiplied into B: those
    of the file's tensors, or else of `config`, peft's configuration out of its header.

    A fused layer [sum of heights, width] is cut into its parts; each keeps only those of the
    fused rank's columns in which its rows are not all zero, so a file made by stacking separate
    LoRAs comes apart into just these. A part without any is left out. Raises KindredError
    at `where` for what is no LoRA of this architecture.
    """
    why, cure = refusal(state, architecture)
    if why:
        raise KindredError(why, where, cure)
    found: dict[str, torch.Tensor] = {}
    for name, roles in modules_of(state).items():
        layer = layer_of(name, architecture)
        assert layer is not None  # refusal() has seen to it
        down, up = (state[roles[role]].float().flatten(1) for role in ("down", "up"))
        rank = down.shape[0]
        if up.shape[1] != rank:
            what = f"{name} has two ranks at once, {rank} and {up.shape[1]}"
            raise KindredError(what, where, "download the file again")
        if "alpha" in roles:
            up = up * (state[roles["alpha"]].item() / rank)
        elif config:
            up = up * scale_of(name, rank, config)
        if layer.swapped:
            up = up.roll(up.shape[0] // 2, 0)
        for part, a, b in _split(layer, down, up, where, architecture.title):
            found[f"{PREFIX}{part}.lora_A.weight"] = a
            found[f"{PREFIX}{part}.lora_B.weight"] = b
        if "magnitude" in roles:
            magnitude = state[roles["magnitude"]].float().flatten()
            found[f"{PREFIX}{layer.parts[0]}.lora_magnitude_vector"] = magnitude
    return found


def _split(
    layer: FusedLayer, down: torch.Tensor, up: torch.Tensor, where: str, title: str
) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
    """(part, A [rank, width], B [height, rank]) of every part that has an effect."""
    if len(layer.parts) == 1:
        return [(layer.parts[0], down, up)]
    heights = layer.heights(down.shape[1])
    if sum(heights) != up.shape[0]:
        raise KindredError(
            f"{layer.original} has {up.shape[0]} rows, but {sum(heights)} in {title} of this "
            f"width ({down.shape[1]}); it belongs to another model",
            where,
            "set `base:` to the model that it was trained on",
        )
    found = []
    for part, rows in zip(layer.parts, up.split(heights), strict=True):
        used = (rows != 0).any(0)
        if used.any():
            found.append((part, down[used].contiguous(), rows[:, used].contiguous()))
    return found
