"""FLUX LoRA files in the layouts of other tools: which layers a key means, and their splitting.

diffusers keeps q, k, v and a single block's first feed-forward layer apart. The original FLUX.1
code has them as the rows of one matrix (`img_attn.qkv`, `linear1`), and ComfyUI and kohya's
sd-scripts name their LoRA layers after it. Knows names and shapes; knows nothing of files or of
loaded models. Importing this module does not import torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindred.common.errors import KindredError

if TYPE_CHECKING:
    import torch

PREFIX = "transformer."  # of the transformer's keys in a file of diffusers

# Name in the original code -> its rows from top to bottom, as diffusers calls them.
DOUBLE = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "img_attn.proj": ("attn.to_out.0",),
    "img_mlp.0": ("ff.net.0.proj",),
    "img_mlp.2": ("ff.net.2",),
    "img_mod.lin": ("norm1.linear",),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "txt_attn.proj": ("attn.to_add_out",),
    "txt_mlp.0": ("ff_context.net.0.proj",),
    "txt_mlp.2": ("ff_context.net.2",),
    "txt_mod.lin": ("norm1_context.linear",),
}
SINGLE = {
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
    "linear2": ("proj_out",),
    "modulation.lin": ("norm.linear",),
}
OUTSIDE = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
    "final_layer.linear": "proj_out",
}
SWAPPED = "norm_out.linear"  # the original has shift above scale, diffusers scale above shift
BLOCKS = {
    "double_blocks": ("transformer_blocks", DOUBLE),
    "single_blocks": ("single_transformer_blocks", SINGLE),
}
MLP = 4  # a feed-forward layer is this many times as wide as the stream, in every FLUX.1

ORIGINAL_NAMES = re.compile(r"^(?:lora_unet_|diffusion_model\.)?(.+)$")
DIFFUSERS_NAMES = re.compile(r"^(?:lora_transformer_|transformer\.)?(.+)$")
TEXT_ENCODERS = ("lora_te", "text_encoder", "lora_clip")
KEY = re.compile(r"^(.+?)\.(?:lora[._](down|up|A|B)(?:\.default)?\.weight|(alpha))$")
ROLES = {"A": "down", "B": "up"}


@dataclass(frozen=True)
class Layer:
    """A LoRA's layer in some layout: the diffusers layers that are its rows, from top to bottom.

    `original` is its name in the original code; '' for one that a file keeps under diffusers' name
    although the original code has it fused with others.
    """

    original: str
    parts: tuple[str, ...]

    def heights(self, width: int) -> list[int]:
        """Rows of each part where the layer reads `width` features; of use when it is fused."""
        return [width * (MLP if part.endswith("proj_mlp") else 1) for part in self.parts]


def _flat(name: str) -> str:
    return name.replace(".", "_")


_INSIDE = {
    original: (diffusers, {_flat(name): (name, parts) for name, parts in table.items()})
    for original, (diffusers, table) in BLOCKS.items()
}
_ENDINGS = {
    diffusers: {_flat(part): part for parts in table.values() for part in parts}
    for diffusers, table in BLOCKS.values()
}
_OUTSIDE = {_flat(name): Layer(name, (part,)) for name, part in OUTSIDE.items()}
_OUTSIDE_PARTS = {_flat(part): part for part in OUTSIDE.values()}


def layer_of(name: str) -> Layer | None:
    """What a LoRA module's name means, dots or underscores, with or without a known prefix; None
    when no FLUX transformer has such a layer."""
    flat = _flat(ORIGINAL_NAMES.sub(r"\1", name))
    block = re.fullmatch(r"(double_blocks|single_blocks)_(\d+)_(.+)", flat)
    if block and block[3] in _INSIDE[block[1]][1]:
        stem = f"{_INSIDE[block[1]][0]}.{block[2]}"
        inner, parts = _INSIDE[block[1]][1][block[3]]
        return Layer(f"{block[1]}.{block[2]}.{inner}", tuple(f"{stem}.{p}" for p in parts))
    if flat in _OUTSIDE:
        return _OUTSIDE[flat]
    flat = _flat(DIFFUSERS_NAMES.sub(r"\1", name))
    block = re.fullmatch(r"((?:single_)?transformer_blocks)_(\d+)_(.+)", flat)
    if block and block[3] in _ENDINGS[block[1]]:
        return Layer("", (f"{block[1]}.{block[2]}.{_ENDINGS[block[1]][block[3]]}",))
    return Layer("", (_OUTSIDE_PARTS[flat],)) if flat in _OUTSIDE_PARTS else None


def fused_layer(part: str) -> Layer | None:
    """The layer of the original code that a diffusers layer belongs to."""
    block = re.fullmatch(r"((?:single_)?transformer_blocks)\.(\d+)\.(.+)", part)
    for original, (diffusers, table) in BLOCKS.items():
        if block and block[1] == diffusers:
            stem = f"{diffusers}.{block[2]}"
            for name, parts in table.items():
                if block[3] in parts:
                    whole = tuple(f"{stem}.{one}" for one in parts)
                    return Layer(f"{original}.{block[2]}.{name}", whole)
    outside = {layer: name for name, layer in OUTSIDE.items()}
    return Layer(outside[part], (part,)) if part in outside else None


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


def refusal(keys: Iterable[str]) -> str:
    """Why a file can't be read as a FLUX LoRA, in words with the cure; '' when it can."""
    keys = [key for key in keys if not key.startswith(TEXT_ENCODERS)]
    if any(key.endswith(".dora_scale") for key in keys):
        return (
            "is a DoRA in kohya's layout, whose magnitudes diffusers drops; save it in diffusers' "
            "layout, or merge it into a plain LoRA"
        )
    if any(re.search(r"\.(?:lokr_|hada_|oft_|boft_|glora_)", key) for key in keys):
        return "is a LyCORIS file (LoKr, LoHa, OFT ...) and no LoRA; extract a LoRA from it"
    modules = modules_of(keys)
    pairs = {name: roles for name, roles in modules.items() if {"down", "up"} <= roles.keys()}
    if not pairs:
        return "holds no LoRA weights; give a LoRA file"
    known = [name for name in pairs if layer_of(name)]
    if not known:
        return f"is a LoRA of another model than FLUX.1 (its layers: {sorted(pairs)[0]}, ...)"
    lost = sorted((pairs.keys() - known) | (modules.keys() - pairs.keys()))
    lost += [key for key in keys if not KEY.match(key)]
    if lost:
        return f"has {len(lost)} parts that no FLUX.1 LoRA has, e.g. {lost[0]}; save it again"
    return ""


def to_diffusers(state: Mapping[str, torch.Tensor], where: str) -> dict[str, torch.Tensor]:
    """The transformer's LoRA under diffusers' names, in float32, alphas multiplied into B.

    A fused layer [sum of heights, width] is cut into its parts; each keeps only those of the
    fused rank's columns in which its rows are not all zero, so a file made by stacking separate
    LoRAs comes apart into just these. A part without any is left out. Raises KindredError, which
    begins with `where`, for what is no FLUX LoRA.
    """
    why = refusal(state)
    if why:
        raise KindredError(f"{where}: {why}")
    found: dict[str, torch.Tensor] = {}
    for name, roles in modules_of(state).items():
        layer = layer_of(name)
        assert layer is not None  # refusal() has seen to it
        down, up = (state[roles[role]].float().flatten(1) for role in ("down", "up"))
        rank = down.shape[0]
        if up.shape[1] != rank:
            raise KindredError(f"{where}: {name} is of rank {rank} and {up.shape[1]} at once")
        if "alpha" in roles:
            up = up * (state[roles["alpha"]].item() / rank)
        if layer.original and layer.parts == (SWAPPED,):
            up = up.roll(up.shape[0] // 2, 0)
        for part, a, b in _split(layer, down, up, where):
            found[f"{PREFIX}{part}.lora_A.weight"] = a
            found[f"{PREFIX}{part}.lora_B.weight"] = b
    return found


def _split(
    layer: Layer, down: torch.Tensor, up: torch.Tensor, where: str
) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
    """(part, A [rank, width], B [height, rank]) of every part that has an effect."""
    if len(layer.parts) == 1:
        return [(layer.parts[0], down, up)]
    heights = layer.heights(down.shape[1])
    if sum(heights) != up.shape[0]:
        raise KindredError(
            f"{where}: {layer.original} has {up.shape[0]} rows where FLUX.1 of this width "
            f"({down.shape[1]}) has {sum(heights)}; it is of another model"
        )
    found = []
    for part, rows in zip(layer.parts, up.split(heights), strict=True):
        used = (rows != 0).any(0)
        if used.any():
            found.append((part, down[used].contiguous(), rows[:, used].contiguous()))
    return found
