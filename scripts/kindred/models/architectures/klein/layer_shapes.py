"""The layers of a FLUX.2 klein transformer by its config.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindred.models.architectures.layout import (
    ActivationUnits,
    BlockShape,
    LayerShape,
    NetworkLayout,
    require,
)

NEEDED = (
    "num_layers",
    "num_single_layers",
    "attention_head_dim",
    "num_attention_heads",
    "joint_attention_dim",
)
DOUBLE, SINGLE = "double", "single"
# Modulation is shared by all blocks: three layers outside them, each reading one vector a picture.
MODULATIONS = {
    "double_stream_modulation_img": 6,
    "double_stream_modulation_txt": 6,
    "single_stream_modulation": 3,
}
BEFORE = ("pos_embed", "time_guidance_embed", *MODULATIONS, "x_embedder", "context_embedder")
AFTER = ("norm_out", "proj_out")

# Counted on the real module. What a GPU adds was measured on FLUX.1, whose attention is as wide,
# and not here.
ACTIVATIONS = ActivationUnits(
    kept={False: {DOUBLE: 19.5, SINGLE: 20.3}, True: {DOUBLE: 14.5, SINGLE: 13.3}},
    working={DOUBLE: 4.8, SINGLE: 15.0},
    gpu={False: 34.0, True: 10.0},
    kept_share={False: 1.0, True: 1.0},
)


def layout(config: Mapping[str, Any]) -> NetworkLayout:
    """From a Flux2Transformer2DModel's configuration. Raises KindredError when it is none."""
    require(config, NEEDED, "FLUX.2")
    head = config["attention_head_dim"]
    width = head * config["num_attention_heads"]
    feed = int(width * config.get("mlp_ratio", 3.0))
    blocks = [_double(f"transformer_blocks.{i}", width, feed) for i in range(config["num_layers"])]
    blocks += [
        _single(f"single_transformer_blocks.{i}", width, feed)
        for i in range(config["num_single_layers"])
    ]
    return NetworkLayout(width, head, tuple(blocks), tuple(_outside(config, width)), BEFORE, AFTER)


def _outside(config: Mapping[str, Any], width: int) -> list[LayerShape]:
    """Embedders, shared modulations and the last layers: none of them is ever quantized."""
    channels, patch = config.get("in_channels", 128), config.get("patch_size", 1)
    leaves = config.get("out_channels") or channels
    sinusoids = config.get("timestep_guidance_channels", 256)
    rows = [
        ("context_embedder", config["joint_attention_dim"], width, "text"),
        ("x_embedder", channels, width, "image"),
        ("norm_out.linear", width, 2 * width, "time"),
        ("proj_out", width, patch * patch * leaves, "image"),
        *((f"{name}.linear", width, times * width, "time") for name, times in MODULATIONS.items()),
    ]
    embedders = ("timestep_embedder",)
    embedders += ("guidance_embedder",) if config.get("guidance_embeds", True) else ()
    for name in embedders:
        rows.append((f"time_guidance_embed.{name}.linear_1", sinusoids, width, "time"))
        rows.append((f"time_guidance_embed.{name}.linear_2", width, width, "time"))
    return [LayerShape(*row, kept=True) for row in rows]


def _double(name: str, width: int, feed: int) -> BlockShape:
    """A block that keeps image and text apart but for their attention."""
    layers = []
    for reads, qkv, out, forward in (
        ("image", ("to_q", "to_k", "to_v"), "to_out.0", "ff"),
        ("text", ("add_q_proj", "add_k_proj", "add_v_proj"), "to_add_out", "ff_context"),
    ):
        layers += [LayerShape(f"{name}.attn.{part}", width, width, reads, "normed") for part in qkv]
        layers.append(LayerShape(f"{name}.attn.{out}", width, width, reads, "attended"))
        # Gate and value side by side.
        layers.append(LayerShape(f"{name}.{forward}.linear_in", width, 2 * feed, reads, "feed"))
        layers.append(LayerShape(f"{name}.{forward}.linear_out", feed, width, reads, "hidden"))
    return BlockShape(name, DOUBLE, tuple(layers))


def _single(name: str, width: int, feed: int) -> BlockShape:
    """A block that treats image and text as one sequence: q, k, v, gate and value are one layer,
    attention and feed-forward another."""
    inside = LayerShape(
        f"{name}.attn.to_qkv_mlp_proj", width, 3 * width + 2 * feed, "all", "normed"
    )
    out = LayerShape(f"{name}.attn.to_out", width + feed, width, "all", "joined")
    return BlockShape(name, SINGLE, (inside, out))
