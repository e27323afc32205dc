"""Trained adapters: what a file says about itself, and putting several onto a transformer.

Knows LoRA files as diffusers and kohya write them, and LoKr files; knows nothing of training or
sampling.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common import safetensors_files
from kindred.common.errors import KindredError, Problems
from kindred.common.hashing import canonical_json
from kindred.common.sentences import counted, plural
from kindred.models import architectures
from kindred.models.architectures.interface import Architecture
from kindred.models.lora import compatibility, key_conversion, lokr_keys
from kindred.models.lora.lora_config import CONFIG_KEY, configuration
from kindred.models.lora.prefixes import is_of_text_encoder

if TYPE_CHECKING:
    import torch

# Header entries that describe the file format and not where the adapter comes from.
FORMAT_KEYS = frozenset({"format", CONFIG_KEY})
# What of the LoRA configuration the weights mean something else without.
SCALING = ("r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "use_dora")
OURS = {"software": "Kindred"}
# Of a header that another trainer wrote: it may hold captions, folders and a person's name.
THEIRS = frozenset(
    {
        "modelspec.architecture",
        "modelspec.hash_sha256",
        "modelspec.title",
        "software",
        "ss_base_model_version",
        "ss_network_alpha",
        "ss_network_dim",
        "ss_network_module",
        "sshs_model_hash",
    }
)
LONGEST = 200


@dataclass(frozen=True)
class Adapter:
    """A LoRA or LoKr file to be rendered with: its content's hash, its weight, and its own
    provenance."""

    path: Path
    content_hash: str
    weight: float
    provenance: dict[str, str] = field(default_factory=dict)

    def noted(self) -> dict[str, Any]:
        """What pictures, and lists of them, say of it."""
        return {
            "content_hash": self.content_hash,
            "weight": self.weight,
            "provenance": self.provenance,
        }


def read_adapters(paths: Sequence[Path | str], weights: Sequence[float] = ()) -> list[Adapter]:
    """The files with their weights (all 1 when none are given), without importing torch.

    Raises ProblemsError naming every file that is missing, broken or no LoRA.
    """
    if weights and len(weights) != len(paths):
        raise KindredError(
            f"{counted(len(weights), 'weight is', 'weights are')} given for "
            f"{counted(len(paths), 'adapter')}",
            "--spec: weights",
            "give one weight per --adapter, in their order",
        )
    problems, adapters = Problems("some adapters can't be used"), []
    for path, weight in zip(paths, weights or [1.0] * len(paths), strict=True):
        try:
            entries, metadata = safetensors_files.header(path)
        except KindredError as error:
            cure = "train the variant again, or correct the path"
            problems.add(error.where, error.what, cure)
            continue
        if not (any("lora" in name for name in entries) or lokr_keys.is_lokr(entries)):
            problems.add(str(path), "contains no LoRA weights", "give a LoRA file")
            continue
        adapters.append(Adapter(Path(path), content_hash(path), weight, provenance(metadata)))
    problems.raise_if_any()
    return adapters


def content_hash(path: Path | str) -> str:
    """Hex SHA-256 of what a LoRA file does: its tensors, rank and alpha. Whatever else stands in
    its header, where it comes from above all, has no part in it.

    Raises KindredError when it is no whole safetensors file.
    """
    _, metadata = safetensors_files.header(path)
    try:
        config = json.loads(metadata.get(CONFIG_KEY) or "{}")
    except json.JSONDecodeError as error:
        raise KindredError(
            f"{CONFIG_KEY} in its header is not valid JSON ({error})",
            str(path),
            "download the file again",
        ) from None
    scaling = {k: v for k, v in config.items() if k.rpartition(".")[2] in SCALING and v}
    return safetensors_files.content_hash(path, canonical_json(scaling))


def provenance(metadata: Mapping[str, str]) -> dict[str, str]:
    """What pictures and their lists say of an adapter: of ours all, of another trainer's header
    only what is technical and short."""
    ours = metadata.items() >= OURS.items()
    return {
        key: value
        for key, value in sorted(metadata.items())
        if (key not in FORMAT_KEYS if ours else key in THEIRS and len(value) <= LONGEST)
    }


def apply_adapters(transformer: Any, adapters: Sequence[Adapter], merge: bool) -> None:
    """Load every adapter at its weight; with `merge`, add them into the weights and drop the
    extra layers, so that sampling runs at the base's speed.

    Goes through diffusers' own loader; kohya's key names are translated before (see `_read`).
    Raises KindredError naming the file that does not fit this transformer.
    """
    if not adapters:
        return
    names = [f"adapter{index}" for index in range(len(adapters))]
    for name, adapter in zip(names, adapters, strict=True):
        try:
            _load(transformer, adapter.path, name)
        except (ValueError, RuntimeError, KeyError, NotImplementedError) as error:
            found = misfit(adapter.path, transformer)
            reason = found or " ".join(str(error).split())[:300]
            raise KindredError(
                f"does not fit this base ({reason})",
                str(adapter.path),
                "draw with it on the base that it was trained on",
            ) from error
    transformer.set_adapters(names, [adapter.weight for adapter in adapters])
    transformer.eval()  # the loader leaves new layers in training mode, with their dropout on
    if merge:
        transformer.fuse_lora(adapter_names=names)
        transformer.unload_lora()


def misfit(path: Path, transformer: Any) -> str:
    """What of a file has no place on a loaded transformer; '' where nothing can be told."""
    entries, _ = safetensors_files.header(path)
    if any(".processor." in name for name in entries):
        return ""
    sizes = {
        name.removesuffix(".base_layer"): (part.in_features, part.out_features)
        for name, part in transformer.named_modules()
        if hasattr(part, "in_features") and hasattr(part, "out_features")
    }
    fault = compatibility.misfit(entries, architectures.of_network(transformer), sizes)
    return fault.what if fault else ""


def _load(transformer: Any, path: Path, name: str) -> None:
    """One file onto the transformer under `name`, not yet at any weight."""
    entries, _ = safetensors_files.header(path)
    if any(map(is_of_text_encoder, entries)):
        print(
            f"warning: {path}: also changes the text encoder; Kindred does not use that part",
            file=sys.stderr,
        )
    if lokr_keys.is_lokr(entries):
        _load_lokr(transformer, path, name)
        return
    state, alphas, metadata = _read(path, architectures.of_network(transformer))
    if not any(key.startswith("transformer.") for key in state):
        raise ValueError("it changes nothing in the transformer")
    # The loader only warns of layers that it can't place, and the rest would be drawn with.
    known = {f"transformer.{layer}" for layer, _ in transformer.named_modules()}
    layers = {key.partition(".lora_A.")[0] for key in state if ".lora_A." in key}
    lost = sorted(layer for layer in layers if layer not in known)
    if lost:
        raise ValueError(_not_here(lost, len(layers)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Already found a `peft_config`")
        transformer.load_lora_adapter(
            state, network_alphas=alphas, adapter_name=name, metadata=metadata
        )


def _not_here(lost: Sequence[str], layers: int) -> str:
    are = plural(len(lost), "is", "are")
    return f"{len(lost)} of its {counted(layers, 'layer')} {are} not here, e.g. {lost[0]}"


def _load_lokr(transformer: Any, path: Path, name: str) -> None:
    """A LoKr, which diffusers reads only to make another adapter of it."""
    from peft import LoraConfig

    from kindred.models.lora import lokr_layers

    state, architecture = safetensors_files.load(path), architectures.of_network(transformer)
    safetensors_files.check_finite(state, str(path))
    found = lokr_keys.read(state, architecture, str(path))
    known = {layer for layer, _ in transformer.named_modules()}
    if lost := sorted(layer for layer in found if layer not in known):
        raise ValueError(_not_here(lost, len(found)))
    exactly = "|".join(map(re.escape, found))
    transformer.add_adapter(LoraConfig(r=1, target_modules=exactly), name)
    for layer, factors in found.items():
        lokr_layers.put(transformer.get_submodule(layer), name, factors)


def _read(path: Path, architecture: Architecture) -> tuple[dict[str, torch.Tensor], Any, Any]:
    """(tensors by diffusers' names, alphas, LoRA configuration) of a file.

    What is not laid out as diffusers writes it is read by `key_conversion`: diffusers' translations
    of other tools' keys take one model's own sizes for granted and lose layers outside the blocks.
    """
    entries, metadata = safetensors_files.header(path)
    dora = any(".lora_magnitude_vector" in name for name in entries)
    laid_out = key_conversion.is_in_diffusers_layout(entries)
    own, keys = laid_out and (CONFIG_KEY in metadata or dora), architecture.adapter_keys
    if keys is not None and (own or any(".processor." in name for name in entries)):
        read = keys.read_by_diffusers(path)
        if read is not None:
            safetensors_files.check_finite(read[0], str(path))
            return read
    state = safetensors_files.load(path)
    if laid_out and CONFIG_KEY in metadata:
        return state, None, json.loads(metadata[CONFIG_KEY])
    config = configuration(metadata, str(path))
    return key_conversion.to_diffusers(state, architecture, str(path), config), None, None
