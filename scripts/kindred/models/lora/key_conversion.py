"""LoRA files in other tools' layouts -> diffusers' names, one layer at a time.

Knows files' keys and how fused layers come apart; which layers there are is the architecture's.
Importing this module does not import torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from kindred.common.errors import KindredError
from kindred.models.architectures.interface import Architecture, FusedLayer

if TYPE_CHECKING:
    import torch

PREFIX = "transformer."  # of the transformer's keys in a file of diffusers
TEXT_ENCODERS = ("lora_te", "text_encoder", "lora_clip")
KEY = re.compile(r"^(.+?)\.(?:lora[._](down|up|A|B)(?:\.default)?\.weight|(alpha))$")
ROLES = {"A": "down", "B": "up"}


def modules_of(keys: Iterable[str]) -> dict[str, dict[str, str]]:
    """Module name -> {'down', 'up', 'alpha': key}; keys of text encoders and what is no LoRA key
    are left out."""
    found: dict[str, dict[str, str]] = {}
    for key in keys:
        match = KEY.match(key)
        if match and not key.startswith(TEXT_ENCODERS):
            role = match[3] or ROLES.get(match[2], match[2])
            found.setdefault(match[1], {})[role] = key
    return found


def refusal(keys: Iterable[str], architecture: Architecture) -> tuple[str, str]:
    """Why a file can't be read as a LoRA of this architecture, with the cure; empty when it can."""
    keys = [key for key in keys if not key.startswith(TEXT_ENCODERS)]
    if any(key.endswith(".dora_scale") for key in keys):
        return (
            "is a DoRA in kohya's layout, whose magnitudes diffusers drops",
            "save it in diffusers' layout, or merge it into a plain LoRA",
        )
    if any(re.search(r"\.(?:lokr_|hada_|oft_|boft_|glora_)", key) for key in keys):
        return "is a LyCORIS file (LoKr, LoHa, OFT ...) and no LoRA", "extract a LoRA from it"
    modules = modules_of(keys)
    pairs = {name: roles for name, roles in modules.items() if {"down", "up"} <= roles.keys()}
    if not pairs:
        return "holds no LoRA weights", "give a LoRA file"
    names, title = architecture.adapter_keys, architecture.title
    if names is None:
        what = f"is of another tool than Kindred, which reads none of those for {title} yet"
        return what, "give one that Kindred trained"
    known = [name for name in pairs if names.layer_of(name)]
    if not known:
        what = f"is a LoRA of another model than {title} (its layers: {sorted(pairs)[0]}, ...)"
        return what, "set `base:` to the one it was trained on"
    lost = sorted((pairs.keys() - known) | (modules.keys() - pairs.keys()))
    lost += [key for key in keys if not KEY.match(key)]
    if lost:
        return f"has {len(lost)} parts that no {title} LoRA has, e.g. {lost[0]}", "save it again"
    return "", ""


def to_diffusers(
    state: Mapping[str, torch.Tensor], architecture: Architecture, where: str
) -> dict[str, torch.Tensor]:
    """The transformer's LoRA under diffusers' names, in float32, alphas multiplied into B.

    A fused layer [sum of heights, width] is cut into its parts; each keeps only those of the
    fused rank's columns in which its rows are not all zero, so a file made by stacking separate
    LoRAs comes apart into just these. A part without any is left out. Raises KindredError
    at `where` for what is no LoRA of this architecture.
    """
    why, cure = refusal(state, architecture)
    names = architecture.adapter_keys
    if why or names is None:
        raise KindredError(why, where, cure)
    found: dict[str, torch.Tensor] = {}
    for name, roles in modules_of(state).items():
        layer = names.layer_of(name)
        assert layer is not None  # refusal() has seen to it
        down, up = (state[roles[role]].float().flatten(1) for role in ("down", "up"))
        rank = down.shape[0]
        if up.shape[1] != rank:
            what = f"{name} is of rank {rank} and {up.shape[1]} at once"
            raise KindredError(what, where, "get the file again")
        if "alpha" in roles:
            up = up * (state[roles["alpha"]].item() / rank)
        if layer.swapped:
            up = up.roll(up.shape[0] // 2, 0)
        for part, a, b in _split(layer, down, up, where, architecture.title):
            found[f"{PREFIX}{part}.lora_A.weight"] = a
            found[f"{PREFIX}{part}.lora_B.weight"] = b
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
            f"{layer.original} has {up.shape[0]} rows where {title} of this width "
            f"({down.shape[1]}) has {sum(heights)}; it is of another model",
            where,
            "set `base:` to the one it was trained on",
        )
    found = []
    for part, rows in zip(layer.parts, up.split(heights), strict=True):
        used = (rows != 0).any(0)
        if used.any():
            found.append((part, down[used].contiguous(), rows[:, used].contiguous()))
    return found
