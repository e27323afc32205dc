"""LoRA files trained elsewhere, looked at before anything runs: of this base and architecture, in
agreement with themselves, and finite?

Reads a base's transformer/config.json and of the files the headers; once also all their numbers.
Imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.common.file_hashes import remembered
from kindred.common.sentences import counted, listing, plural
from kindred.models import architectures
from kindred.models.architectures.interface import Architecture
from kindred.models.local_network import local_network
from kindred.models.lora import key_conversion, lokr_keys
from kindred.models.lora.lora_config import CONFIG_KEY
from kindred.models.lora.prefixes import is_of_text_encoder
from kindred.models.lora.stated_values import AdapterFault, disagreements

RIGHT_BASE = "set `base:` to the model that it was trained on"
FIRST = re.compile(r"\.\d+\.")  # a block's number
TOLD_BY = ("ss_base_model_version", "modelspec.architecture")
PAIR = ("down", "up")
Size = tuple[int, int]  # features that a layer reads and writes
PATH = "correct the path; it starts from the folder that holds the Snakefile"
CONVERT = "download it again, or convert it to safetensors"
TEXT = "nothing to do: the base's own text encoders read the prompts"
BROKEN = (
    "download the file again; if that does not help, its training diverged or its conversion to "
    "16 bits overflowed"
)


def incompatibilities(
    path: Path,
    architecture: Architecture,
    layers: Mapping[str, Size] | None,
    lora_only: bool = False,
) -> list[AdapterFault]:
    """What is wrong with a LoRA or LoKr file for a base of this architecture with these layers.
    lora_only: a LoKr can't be used there.

    `layers` is what `layers_of` gives, None where the base can't be looked at.
    """
    if not path.exists():
        return [AdapterFault("does not exist", PATH)]
    try:
        entries, metadata = safetensors_files.header(path)
    except KindredError as error:
        if isinstance(error.__cause__, OSError):
            return [AdapterFault(error.what, error.cure)]
        return [AdapterFault("is not a complete safetensors file", CONVERT)]
    found: list[AdapterFault] = []
    if lokr_keys.is_lokr(entries) and not lora_only:
        what, cure = lokr_keys.refusal(entries, architecture)
        if what:
            return [AdapterFault(what, cure)]
        found += [AdapterFault(*fault) for fault in lokr_keys.faults(path, entries)]
    # Attention processors of old files are read by diffusers alone, when it draws.
    elif not any(".processor." in key for key in entries):
        ours = CONFIG_KEY in metadata and key_conversion.is_in_diffusers_layout(entries)
        if architecture.adapter_keys is not None or not ours:
            what, cure = key_conversion.refusal(entries, architecture)
            if what:
                return [AdapterFault(what, cure)]
        found = disagreements(path, entries, metadata, architecture)
    if not any(".processor." in key for key in entries):
        if any(map(is_of_text_encoder, entries)):
            said = "also changes the text encoder; Kindred does not use that part"
            found.append(AdapterFault(said, TEXT, stops=False))
        if fault := _foreign(entries, metadata, architecture, layers):
            found.append(fault)
    if bad := remembered(path, safetensors_files.first_not_finite, "finite"):
        found.append(
            AdapterFault(f"contains values that are infinite or not a number, in {bad}", BROKEN)
        )
    return found


def _foreign(
    entries: Mapping[str, Any],
    metadata: Mapping[str, str],
    architecture: Architecture,
    layers: Mapping[str, Size] | None,
) -> AdapterFault | None:
    """Why a file whose layers all have names in this architecture is of another model; None where
    nothing says so. Names alone can't: architectures share those of their original code."""
    fault = misfit(entries, architecture, layers) if layers else None
    fits = layers is not None and fault is None
    said = None if fits else _by_shapes(entries, architecture)
    said = said or _by_words(metadata, architecture)
    if said is None:
        return fault
    other, proof = said
    what = f"is a LoRA of {other.title}, but the base is {architecture.title} ({proof})"
    return AdapterFault(what, RIGHT_BASE)


def _by_shapes(
    entries: Mapping[str, Any], architecture: Architecture
) -> tuple[Architecture, str] | None:
    """The other architecture that all layers fit, when not all fit this one, and the proof: by
    proportions, which hold at any width, or by published networks."""
    sizes = {name: size for name, size in _sizes_of(entries).items() if size}
    if not architecture.published or not sizes:
        return None
    others = [
        one
        for one in architectures.every()
        if one is not architecture and one.published
        if all(key_conversion.layer_of(name, one) for name in sizes)
    ]
    odd = _out_of_proportion(sizes, architecture)
    for other in others:
        if odd and not _out_of_proportion(sizes, other):
            reads, writes = sizes[odd]
            return other, f"{odd} reads {reads} features and writes {writes}"
        if _is_published(entries, other) and not _is_published(entries, architecture):
            return other, f"no published network of {architecture.title} has such layers"
    return None


def _out_of_proportion(sizes: Mapping[str, Size], architecture: Architecture) -> str | None:
    """The first layer of a block that doesn't write as many times the features that it reads as in
    published networks of the architecture."""
    known = next(iter(architecture.published.values()))
    usual = {one.name: one for block in architecture.layout(known).blocks for one in block.layers}
    for name, (reads, writes) in sorted(sizes.items()):
        layer = key_conversion.layer_of(name, architecture)
        firsts = [FIRST.sub(".0.", part, count=1) for part in layer.parts] if layer else []
        parts = [usual[one] for one in firsts if one in usual]
        if parts and reads * sum(part.outputs for part in parts) != writes * parts[0].inputs:
            return name
    return None


def _is_published(entries: Mapping[str, Any], architecture: Architecture) -> bool:
    """Whether all layers are in one of the architecture's published networks."""
    networks = (architecture.layout(one).sizes for one in architecture.published.values())
    return any(misfit(entries, architecture, one) is None for one in networks)


def _by_words(
    metadata: Mapping[str, str], architecture: Architecture
) -> tuple[Architecture, str] | None:
    """The other architecture that a header names and its entry, when it doesn't name this one."""
    told = [(key, metadata[key]) for key in TOLD_BY if key in metadata]
    named = [
        (one, f"{key}: {value}")
        for key, value in told
        for one in architectures.every()
        if one.in_headers and one.in_headers.search(value)
    ]
    return None if any(one is architecture for one, _ in named) else next(iter(named), None)


def misfit(
    entries: Mapping[str, Any], architecture: Architecture, layers: Mapping[str, Size]
) -> AdapterFault | None:
    """What of a LoRA, by the header's tensors, has no place on a base with these layers."""
    lost, other, count = [], [], 0
    widths: list[tuple[int, int]] = []
    sizes = _sizes_of(entries)
    for name, size in sizes.items():
        layer = key_conversion.layer_of(name, architecture)
        # Where no other tool's names are known, the file is one of ours.
        parts = layer.parts if layer else (name.removeprefix(key_conversion.PREFIX),)
        count += len(parts)
        absent = [part for part in parts if part not in layers]
        lost += absent
        if not absent and size:
            width, height = size
            widths.append((width, layers[parts[0]][0]))
            reads, writes = layers[parts[0]][0], sum(layers[part][1] for part in parts)
            if width != reads:
                other.append(f"{parts[0]} reads {width} features, but {reads} in the base")
            elif height != writes:
                said = f"{listing(parts)} {'writes' if len(parts) == 1 else 'write'}"
                other.append(f"{said} {height} features, but {writes} in the base")
    names = list(sizes)
    own, base = (_called(architecture, [one[k] for one in widths]) for k in (0, 1))
    if lost and own == base:
        other_model = key_conversion.model_of_layers(names, architecture)
        own = f"another model, perhaps {other_model}" if other_model else own
    both = (
        (f"was trained on {own}, but the base is {base}: ") if own and base and own != base else ""
    )
    if lost:
        what = (
            f"{len(lost)} of its {counted(count, 'layer')} {plural(len(lost), 'is', 'are')} not in "
            f"this base, e.g. {min(lost)}"
        )
        return AdapterFault(f"{both}{what}", RIGHT_BASE)
    said = f"{both or 'was trained on a model of another width '}({min(other)})" if other else ""
    return AdapterFault(said, RIGHT_BASE) if said else None


def _sizes_of(entries: Mapping[str, Any]) -> dict[str, Size | None]:
    """Module -> features that it reads and writes; None for one whose shapes are a fault."""
    if lokr_keys.is_lokr(entries):
        found = lokr_keys.sizes_of(entries)
        return {name: found.get(name) for name in lokr_keys.modules_of(entries)}
    sizes: dict[str, Size | None] = {}
    for name, roles in key_conversion.modules_of(entries).items():
        down, up = (entries[roles[role]]["shape"] if role in roles else () for role in PAIR)
        sizes[name] = (down[1], up[0]) if len(down) > 1 and len(up) > 1 else None
    return sizes


def _called(architecture: Architecture, widths: Sequence[int]) -> str | None:
    """The model of an architecture whose layers read features of these numbers: most read as many
    as the stream is wide, and none fewer."""
    return architecture.models.get(min(widths, default=0))


def layers_of(
    model: str, revision: str | None, architecture: Architecture, root: Path
) -> dict[str, Size] | None:
    """Name -> numbers of features read and written, of every linear layer of a base's transformer;
    None where `local_network` finds none and its published network isn't known."""
    if network := local_network(model, revision, architecture, root):
        return network.layout.sizes
    config = architecture.published.get(model)
    return architecture.layout(config).sizes if config else None
