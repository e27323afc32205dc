"""The layers of a FLUX.1 transformer by its config.json, and what its blocks hold at work."""

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

NEEDED = ("num_layers", "num_single_layers", "attention_head_dim", "num_attention_heads")
DOUBLE, SINGLE = "double", "single"
ADDED = ("add_q_proj", "add_k_proj", "add_v_proj")
BEFORE = ("pos_embed", "time_text_embed", "context_embedder", "x_embedder")
AFTER = ("norm_out", "proj_out")

# Counted on the real module and measured on an H200 and an H100 (docs/reference/performance.md).
ACTIVATIONS = ActivationUnits(
    kept={False: {DOUBLE: 14.15, SINGLE: 13.1}, True: {DOUBLE: 12.25, SINGLE: 11.2}},
    working={DOUBLE: 7.5, SINGLE: 16.0},
    gpu={False: 34.0, True: 10.0},
    kept_share={False: 1.0, True: 0.97},
)


def layout(config: Mapping[str, Any]) -> NetworkLayout:
    """From a FluxTransformer2DModel's configuration. Raises KindredError when it is none."""
    require(config, NEEDED, "Flux")
    head = config["attention_head_dim"]
    width = head * config["num_attention_heads"]
    blocks = [_double(f"transformer_blocks.{i}", width) for i in range(config["num_layers"])]
    blocks += [
        _single(f"single_transformer_blocks.{i}", width) for i in range(config["num_single_layers"])
    ]
    outside = tuple(_outside(config, width))
    return NetworkLayout(width, head, tuple(blocks), outside, BEFORE, AFTER)


def _outside(config: Mapping[str, Any], width: int) -> list[LayerShape]:
    """Embedders and the last layers."""
    channels, patch = config.get("in_channels", 64), config.get("patch_size", 1)
    leaves = config.get("out_channels") or channels
    embedded = {"timestep_embedder": 256, "text_embedder": config.get("pooled_projection_dim", 768)}
    if config.get("guidance_embeds"):
        embedded["guidance_embedder"] = 256
    layers = [
        LayerShape("context_embedder", config.get("joint_attention_dim", 4096), width, "text"),
        LayerShape("x_embedder", channels, width, "image"),
        LayerShape("norm_out.linear", width, 2 * width, "time"),
        LayerShape("proj_out", width, patch * patch * leaves, "image"),
    ]
    for name, inputs in embedded.items():
        layers.append(LayerShape(f"time_text_embed.{name}.linear_1", inputs, width, "time"))
        layers.append(LayerShape(f"time_text_embed.{name}.linear_2", width, width, "time"))
    return layers


def _double(name: str, width: int) -> BlockShape:
    """A block that keeps image and text apart but for their attention."""
    layers = []
    for reads, norm, qkv, out, feed in (
        ("image", "norm1", ("to_q", "to_k", "to_v"), "to_out.0", "ff"),
        ("text", "norm1_context", ADDED, "to_add_out", "ff_context"),
    ):
        layers.append(LayerShape(f"{name}.{norm}.linear", width, 6 * width, "time"))
        layers += [LayerShape(f"{name}.attn.{part}", width, width, reads, "normed") for part in qkv]
        layers.append(LayerShape(f"{name}.attn.{out}", width, width, reads, "attended"))
        layers.append(LayerShape(f"{name}.{feed}.net.0.proj", width, 4 * width, reads, "feed"))
        layers.append(LayerShape(f"{name}.{feed}.net.2", 4 * width, width, reads, "hidden"))
    return BlockShape(name, DOUBLE, tuple(layers))


def _single(name: str, width: int) -> BlockShape:
    """A block that treats image and text as one sequence, attention and feed-forward side by
    side."""
    layers = [LayerShape(f"{name}.norm.linear", width, 3 * width, "time")]
    layers += [
        LayerShape(f"{name}.attn.{part}", width, width, "all", "normed")
        for part in ("to_q", "to_k", "to_v")
    ]
    layers.append(LayerShape(f"{name}.proj_mlp", width, 4 * width, "all", "normed"))
    layers.append(LayerShape(f"{name}.proj_out", 5 * width, width, "all", "joined"))
    return BlockShape(name, SINGLE, tuple(layers))
