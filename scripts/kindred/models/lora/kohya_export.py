"""A LoRA of ours in the layout that ComfyUI and kohya's tools read, with their metadata.

Knows fusing and headers; which layer is which is the architecture's.

diffusers trains q, k and v apart, each with an A of its own; there they are the rows of one layer,
whose LoRA has a single A. (B_q A_q; B_k A_k; B_v A_v) in general is of rank 3r, so it can't be
written with r: the three A are stacked, and the three B stand on the diagonal of a matrix that is
zero elsewhere. `linear1` of a single block has four parts and needs 4r. Nothing is lost by it, and
nothing gained in expression; only where all parts have the same A, as in a LoRA trained on the
fused layer, rank r is kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.models import architectures
from kindred.models.architectures.interface import (
    AdapterKeys,
    Architecture,
    FusedLayer,
    LoraLayout,
)
from kindred.models.lora import lokr_export, lokr_keys
from kindred.models.lora.adapters import OURS
from kindred.models.lora.key_conversion import PREFIX, layer_of, modules_of
from kindred.models.lora.lora_config import configuration, scale_of
from kindred.models.lora.prefixes import is_of_text_encoder

if TYPE_CHECKING:
    import torch

# Part of a LoRA: A [rank, width], B [height, rank], and the factor that their product is scaled by.
Part = tuple["torch.Tensor", "torch.Tensor", float]
TOOLS = ("kohya", "comfyui", "ai-toolkit")
WHICH_TOOL = (
    "write comfyui, ai-toolkit, or kohya for sd-scripts and musubi-tuner; diffusers reads "
    "lora.safetensors as it is"
)
DYNAMIC = "Dynamic"  # kohya's word for ranks that differ from layer to layer
PASSED_ON = ("spec_hash", "dataset_hash", "version", "code_revision", "run", "seed", "pairing")
# Of a local folder, whose name is nobody's business, the revision is a shorter hash.
REPOSITORY = re.compile(r"^[\w-][\w.-]*/[\w.-]+@(?:main|[0-9a-f]{40})$")


def architecture_of(header: Mapping[str, str], where: str) -> Architecture:
    """The architecture that a LoRA of ours is of: the header's `version` names it behind the step;
    where it says none, the first whose layers have names in that layout.

    Raises KindredError, which begins with `where`, for one of which none have.
    """
    told = {part.split()[0] for part in header.get("version", "").split(", ") if part}
    every = architectures.every()
    asked = [one for one in every if one.name in told] or every
    for one in asked:
        if one.adapter_keys is not None:
            return one
    raise KindredError(
        f"is a LoRA of {asked[0].title}, and Kindred can't write those for other tools yet",
        where,
        "use this file in diffusers",
    )


def fused(
    state: Mapping[str, torch.Tensor],
    config: Mapping[str, Any],
    architecture: Architecture,
    where: str,
    layout: LoraLayout = "kohya",
) -> dict[str, torch.Tensor]:
    """The LoRA under the original code's names, as the layout writes them.

    `config` is the LoRA configuration out of the file's header. Raises KindredError, which begins
    with `where`, for what the layouts can't hold.
    """
    _require_plain(state, config, architecture.title, where)
    found: dict[str, torch.Tensor] = {}
    for layer, parts in _by_layer(state, config, architecture, where).items():
        if layout == "diffusers":
            for name, part in parts.items():
                found |= _unscaled(f"{PREFIX}{name}", part)
            continue
        down, up, scale = _join(layer, parts, architecture.title, where)
        if layer.swapped:
            up = up.roll(up.shape[0] // 2, 0)
        if layout == "peft":
            found |= _unscaled(f"diffusion_model.{layer.original}", (down, up, scale))
            continue
        name = "lora_unet_" + layer.original.replace(".", "_")
        found[f"{name}.lora_down.weight"] = down
        found[f"{name}.lora_up.weight"] = up
        found[f"{name}.alpha"] = down.new_tensor(scale * down.shape[0]).float()
    return found


def _unscaled(name: str, part: Part) -> dict[str, torch.Tensor]:
    """A and B of a layer, for tools that know no alpha."""
    down, up, scale = part
    return {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up * scale}


def _names(architecture: Architecture) -> AdapterKeys:
    if architecture.adapter_keys is None:
        what = f"Kindred can't write LoRAs of {architecture.title} for other tools yet"
        raise KindredError(what, cure="use the file in diffusers")
    return architecture.adapter_keys


def _require_plain(
    state: Mapping[str, torch.Tensor], config: Mapping[str, Any], title: str, where: str
) -> None:
    """Raise KindredError for what is more than A and B by diffusers' names."""
    if config.get("use_dora") or any("magnitude" in key for key in state):
        raise KindredError(
            f"is a DoRA, and kohya's tools can't read DoRAs of {title}",
            where,
            "train the variant with `dora: false`, or use this file in diffusers",
        )
    if any(key.startswith(("lora_unet_", "diffusion_model.")) for key in state):
        raise lokr_export.in_other_layout(where)
    other = [key for key in state if not re.search(r"\.lora_[AB]\.weight$", key)]
    if other or not state:
        what = f"contains {other[0]}" if other else "is empty"
        raise KindredError(what, where, "give a lora.safetensors that train.py wrote")


def _require_known(state: Mapping[str, torch.Tensor], where: str) -> None:
    """Raise KindredError for a file of another tool none of whose layers any architecture has."""
    names = sorted(modules_of(key for key in state if not is_of_text_encoder(key)))
    known = [one for one in architectures.every() if one.adapter_keys is not None]
    if names and not any(layer_of(name, one) for one in known for name in names):
        raise KindredError(
            f"is of a model that Kindred doesn't know (its layers: {names[0]}, ...)",
            where,
            "use it in the tools that it was made for",
        )


def _by_layer(
    state: Mapping[str, torch.Tensor],
    config: Mapping[str, Any],
    architecture: Architecture,
    where: str,
) -> dict[FusedLayer, dict[str, Part]]:
    """Layer of the original code -> the parts of it that have a LoRA."""
    found: dict[FusedLayer, dict[str, Part]] = {}
    names = _names(architecture)
    for name, roles in sorted(modules_of(state).items()):
        layer = names.fused_layer(name.removeprefix(PREFIX))
        if layer is None or roles.keys() != {"down", "up"}:
            raise KindredError(
                f"{name} is no layer of {architecture.title} with an A and a B, and has no name "
                "in kohya's layout",
                where,
                "train the variant on other `targets`",
            )
        down, up = state[roles["down"]], state[roles["up"]]
        part = name.removeprefix(PREFIX)
        found.setdefault(layer, {})[part] = (down, up, scale_of(part, down.shape[0], config))
    return found


def _join(layer: FusedLayer, parts: Mapping[str, Part], title: str, where: str) -> Part:
    """One LoRA for the whole layer; rows of parts that have none are zero."""
    import torch

    given = [parts[name] for name in layer.parts if name in parts]
    first, _, scale = given[0]
    if len(layer.parts) == 1:
        return given[0]
    heights = dict(zip(layer.parts, layer.heights(first.shape[1]), strict=True))
    for name, (down, up, _) in parts.items():
        if down.shape[1] != first.shape[1] or up.shape[0] != heights[name]:
            raise KindredError(
                f"{name} goes from {down.shape[1]} to {up.shape[0]} features, but from "
                f"{first.shape[1]} to {heights[name]} in {title}, so that layout has no place for "
                "it",
                where,
                "use this file in diffusers",
            )
    shared = len(given) == len(layer.parts) and all(torch.equal(a, first) for a, _, _ in given)
    rank = first.shape[0] if shared else sum(down.shape[0] for down, _, _ in given)
    whole = first.new_zeros(sum(heights.values()), rank)
    row = column = 0
    for name in layer.parts:
        if name in parts:
            down, up, own = parts[name]
            columns = slice(0, rank) if shared else slice(column, column + down.shape[0])
            whole[row : row + heights[name], columns] = up * (own / scale)
            column += down.shape[0]
        row += heights[name]
    return first if shared else torch.cat([down for down, _, _ in given]), whole, scale


@dataclass(frozen=True)
class Shown:
    """What other tools show: a title, trigger names to mention, and the size that it is meant for;
    none where that is not known, as modelspec allows adapters: lora.json doesn't tell the sizes of
    a training."""

    title: str = "Kindred LoRA"
    triggers: Sequence[str] = ()
    resolution: str | None = None


def export(adapter: Path, out: Path, shown: Shown, dtype: str | None, tool: str = "kohya") -> str:
    """Write an adapter of ours for a tool, one of `TOOLS`; what was written, in a line.
    dtype: of torch; None: as it was trained. Raises KindredError for an adapter that the tool's
    layout can't say."""
    import torch

    if tool not in TOOLS:
        raise KindredError("is not a format that Kindred writes", f"--format {tool}", WHICH_TOOL)
    _, header = safetensors_files.header(adapter)
    architecture = architecture_of(header, str(adapter))
    trained = safetensors_files.load(adapter)
    if "version" not in header:
        _require_known(trained, str(adapter))
    keys = _names(architecture)
    layouts = dict(zip(TOOLS, ("kohya", keys.comfyui, keys.ai_toolkit), strict=True))
    layout: LoraLayout = layouts[tool]
    if lokr_keys.is_lokr(trained):
        known = layout == "diffusers" or (tool == "comfyui" and keys.comfyui_reads_diffusers)
        state = lokr_export.renamed(
            trained, architecture, keys, str(adapter), None if known else layout
        )
    else:
        state = fused(trained, configuration(header), architecture, str(adapter), layout)
    if dtype:
        wanted = getattr(torch, dtype)
        state = {k: v if k.endswith(".alpha") else v.to(wanted) for k, v in state.items()}
    _require_own_place(out, state)
    told = metadata(state, header, architecture, shown)
    if lokr_keys.is_lokr(state):
        told |= lokr_export.HEADER
        safetensors_files.save(out, state, told)
        return f"{out}: LoKr of {counted(len(lokr_keys.modules_of(state)), 'layer')}"
    safetensors_files.save(out, state, told)
    ranks = [int(rank) for rank in _ranks(state)]
    said = f"rank {ranks[0]}" if len({*ranks}) == 1 else f"ranks {min(ranks)} to {max(ranks)}"
    if max(ranks) > (most := max(map(int, _ranks(trained)))):
        said += f" (of {most}: ranks of joined layers, as q, k and v, add up; nothing is lost)"
    return f"{out}: {counted(len(ranks), 'layer')}, {said}"


def _require_own_place(out: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Raise KindredError for a file there that is not this export as it was before, of another
    tool's layout above all."""
    try:
        there = safetensors_files.header(out)[0].keys() if out.is_file() else state.keys()
    except KindredError:
        there = {}.keys()
    if there != state.keys():
        raise KindredError(
            "is there already, and holds other layers or another tool's layout",
            f"--out {out}",
            "give another name, or delete it first",
        )


def _ranks(state: Mapping[str, torch.Tensor]) -> list[str]:
    """The rank of every layer."""
    downs = ("lora_down.weight", "lora_A.weight", "lokr_w2_b")
    return [str(value.shape[0]) for key, value in state.items() if key.endswith(downs)]


def _one(values: Sequence[str]) -> str:
    """What all are, or the word for different ones."""
    return values[0] if len({*values}) == 1 else DYNAMIC


def metadata(
    state: Mapping[str, torch.Tensor],
    header: Mapping[str, str],
    architecture: Architecture,
    shown: Shown,
) -> dict[str, str]:
    """The header entries that other tools show, and where the numbers come from.

    `state` is what `fused` gave. Of `header`, the original's, only hashes and numbers go in, and
    the base where it is a public repository: no file names, no folders, no date.
    """
    alphas = [f"{v.item():g}" for key, v in state.items() if key.endswith(".alpha")]
    base = header.get("base", "")
    digest, ranks = tensor_hash(state), _ranks(state)
    found = {
        # Without alphas they are the ranks, by which nothing is scaled.
        "ss_network_alpha": _one(alphas or ranks),
        "ss_network_dim": _one(ranks),
        "ss_v2": "False",
        "sshs_model_hash": digest,
        "modelspec.hash_sha256": f"0x{digest}",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.title": shown.title,
        **_names(architecture).metadata(base),
        **OURS,
    }
    if shown.resolution:
        found["modelspec.resolution"] = shown.resolution
    if shown.triggers:
        found["modelspec.trigger_phrase"] = ", ".join(shown.triggers)
    if REPOSITORY.match(base):
        found["ss_sd_model_name"] = base
    config = configuration(header)
    trained = {
        "rank": DYNAMIC if config.get("rank_pattern") else config.get("r"),
        "alpha": DYNAMIC if config.get("alpha_pattern") else config.get("lora_alpha"),
    }
    trained |= {"rslora": config.get("use_rslora") or None}
    told = {key: header[key] for key in PASSED_ON if key in header}
    told |= {key: str(value) for key, value in trained.items() if value is not None}
    return found | {f"kindred.{key}": value for key, value in told.items()}


def tensor_hash(state: Mapping[str, torch.Tensor]) -> str:
    """Hex SHA-256 of everything behind the header of a safetensors file with these tensors: the
    number that web interfaces know a LoRA by."""
    from safetensors.torch import save

    data = save({name: state[name].contiguous() for name in sorted(state)})
    return hashlib.sha256(memoryview(data)[8 + int.from_bytes(data[:8], "little") :]).hexdigest()
