"""LoRA files trained elsewhere, looked at before anything runs: FLUX LoRAs, and of this base?

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
from kindred.models.architectures.flux1 import lora_keys
from kindred.models.architectures.flux1.lora_keys import DOUBLE, MLP, OUTSIDE, SINGLE

CONFIG = "transformer/config.json"
# As FluxTransformer2DModel has them where a config.json is silent.
DEFAULTS = {
    "num_layers": 19,
    "num_single_layers": 38,
    "num_attention_heads": 24,
    "attention_head_dim": 128,
    "in_channels": 64,
    "joint_attention_dim": 4096,
    "pooled_projection_dim": 768,
    "guidance_embeds": False,
}
TIME_FEATURES = 256  # sinusoids of the time step, and of guidance


def incompatibility(path: Path, layers: Mapping[str, int] | None) -> tuple[str, str] | None:
    """(what is wrong, what to do) of a LoRA file for a base with these layers; None: nothing is.

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
    what, _, cure = lora_keys.refusal(keys).partition("; ")
    if what:
        return what, cure
    return _misfit(entries, layers) if layers else None


def _misfit(entries: Mapping[str, Any], layers: Mapping[str, int]) -> tuple[str, str] | None:
    """What of a FLUX LoRA has no place on a base."""
    lost, other, count = [], [], 0
    for name, roles in lora_keys.modules_of(entries).items():
        layer = lora_keys.layer_of(name)
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


def layers_of(model: str, revision: str | None, root: Path) -> dict[str, int] | None:
    """Name -> number of features read, of every linear layer of a base's transformer.

    None where its config.json is neither in a local folder (relative ones count from `root`) nor
    in the hub's cache; nothing is fetched.
    """
    file: Any = root / Path(model).expanduser() / CONFIG
    if not file.is_file():
        if model.startswith((".", "/", "~")) or model.count("/") != 1:
            return None
        from huggingface_hub import try_to_load_from_cache

        file = try_to_load_from_cache(model, CONFIG, revision=revision)
        if not isinstance(file, str):
            return None
    try:
        return layers_of_config(read_json(file))
    except KindredError:
        return None  # loading the base says so


def layers_of_config(config: Mapping[str, Any]) -> dict[str, int]:
    """The same out of the transformer's configuration."""
    known = {key: config.get(key, default) for key, default in DEFAULTS.items()}
    width = known["num_attention_heads"] * known["attention_head_dim"]
    # Feed-forward down; a single block's output reads attention and feed-forward side by side.
    wide = {"net.2": MLP * width, "proj_out": (1 + MLP) * width}
    found = {}
    for stem, count, table in (
        ("transformer_blocks", known["num_layers"], DOUBLE),
        ("single_transformer_blocks", known["num_single_layers"], SINGLE),
    ):
        parts = [part for parts in table.values() for part in parts]
        reads = {p: next((n for end, n in wide.items() if p.endswith(end)), width) for p in parts}
        found |= {f"{stem}.{i}.{part}": n for i in range(count) for part, n in reads.items()}
    outside = {
        "x_embedder": known["in_channels"],
        "context_embedder": known["joint_attention_dim"],
        "time_text_embed.timestep_embedder.linear_1": TIME_FEATURES,
        "time_text_embed.guidance_embedder.linear_1": TIME_FEATURES,
        "time_text_embed.text_embedder.linear_1": known["pooled_projection_dim"],
    }
    guided = known["guidance_embeds"]
    names = [name for name in OUTSIDE.values() if guided or "guidance_embedder" not in name]
    return found | {name: outside.get(name, width) for name in names}
