"""How large a Flux transformer's parts are, by arithmetic on its config.json alone.

Knows names and sizes of its linear layers, block by block in the order of execution; knows nothing
of memory, precision or training, and imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kindred.common.errors import KindredError

NEEDED = ("num_layers", "num_single_layers", "attention_head_dim", "num_attention_heads")
DOUBLE, SINGLE = "double", "single"
ADDED = ("add_q_proj", "add_k_proj", "add_v_proj")


@dataclass(frozen=True)
class Layer:
    """A linear layer: its input and output sizes, which tokens and which tensor it reads.

    `reads` is 'image', 'text', 'all' tokens or 'time' (one vector an image); layers of a block with
    equal `reads` and `source` read the same tensor.
    """

    name: str
    inputs: int
    outputs: int
    reads: str = "all"
    source: str = ""


@dataclass(frozen=True)
class Block:
    """A transformer block: name in the model, kind (double or single), its linear layers."""

    name: str
    kind: str
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class FluxShape:
    """A transformer: width of its tokens, blocks in order of execution, layers outside them."""

    width: int
    head: int
    blocks: tuple[Block, ...]
    outside: tuple[Layer, ...]

    @property
    def layers(self) -> list[Layer]:
        """All linear layers."""
        return [*self.outside, *(layer for block in self.blocks for layer in block.layers)]


def shape_of(config: Mapping[str, Any]) -> FluxShape:
    """From a FluxTransformer2DModel's configuration. Raises KindredError when it is none."""
    lost = [name for name in NEEDED if name not in config]
    if lost:
        raise KindredError(
            f"the base's transformer/config.json has no {', '.join(lost)}: not a Flux transformer"
        )
    head = config["attention_head_dim"]
    width = head * config["num_attention_heads"]
    blocks = [_double(f"transformer_blocks.{i}", width) for i in range(config["num_layers"])]
    blocks += [
        _single(f"single_transformer_blocks.{i}", width) for i in range(config["num_single_layers"])
    ]
    return FluxShape(width, head, tuple(blocks), tuple(_outside(config, width)))


def _outside(config: Mapping[str, Any], width: int) -> list[Layer]:
    """Embedders and the last layers."""
    channels, patch = config.get("in_channels", 64), config.get("patch_size", 1)
    leaves = config.get("out_channels") or channels
    embedded = {"timestep_embedder": 256, "text_embedder": config.get("pooled_projection_dim", 768)}
    if config.get("guidance_embeds"):
        embedded["guidance_embedder"] = 256
    layers = [
        Layer("context_embedder", config.get("joint_attention_dim", 4096), width, "text"),
        Layer("x_embedder", channels, width, "image"),
        Layer("norm_out.linear", width, 2 * width, "time"),
        Layer("proj_out", width, patch * patch * leaves, "image"),
    ]
    for name, inputs in embedded.items():
        layers.append(Layer(f"time_text_embed.{name}.linear_1", inputs, width, "time"))
        layers.append(Layer(f"time_text_embed.{name}.linear_2", width, width, "time"))
    return layers


def _double(name: str, width: int) -> Block:
    """A block that keeps image and text apart but for their attention."""
    layers = []
    for reads, norm, qkv, out, feed in (
        ("image", "norm1", ("to_q", "to_k", "to_v"), "to_out.0", "ff"),
        ("text", "norm1_context", ADDED, "to_add_out", "ff_context"),
    ):
        layers.append(Layer(f"{name}.{norm}.linear", width, 6 * width, "time"))
        layers += [Layer(f"{name}.attn.{part}", width, width, reads, "normed") for part in qkv]
        layers.append(Layer(f"{name}.attn.{out}", width, width, reads, "attended"))
        layers.append(Layer(f"{name}.{feed}.net.0.proj", width, 4 * width, reads, "feed"))
        layers.append(Layer(f"{name}.{feed}.net.2", 4 * width, width, reads, "hidden"))
    return Block(name, DOUBLE, tuple(layers))


def _single(name: str, width: int) -> Block:
    """A block that treats image and text as one sequence, attention and feed-forward side by
    side."""
    layers = [Layer(f"{name}.norm.linear", width, 3 * width, "time")]
    layers += [
        Layer(f"{name}.attn.{part}", width, width, "all", "normed")
        for part in ("to_q", "to_k", "to_v")
    ]
    layers.append(Layer(f"{name}.proj_mlp", width, 4 * width, "all", "normed"))
    layers.append(Layer(f"{name}.proj_out", 5 * width, width, "all", "joined"))
    return Block(name, SINGLE, tuple(layers))
