"""The layers of a Krea 2 transformer by its config.json."""

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

# What the configuration of no other architecture has.
NEEDED = ("num_text_layers", "text_hidden_dim", "num_key_value_heads", "intermediate_size")
# Of FLUX-like configurations; the class's own defaults where one is not said.
DEFAULTS = {
    "in_channels": 64,
    "num_layers": 28,
    "attention_head_dim": 128,
    "num_attention_heads": 48,
    "timestep_embed_dim": 256,
    "text_num_attention_heads": 20,
    "text_num_key_value_heads": 20,
    "text_intermediate_size": 6912,
    "num_layerwise_text_blocks": 2,
    "num_refiner_text_blocks": 2,
}
JOINT = "joint"  # the one kind of block: text and picture as one sequence
BEFORE = ("img_in", "time_embed", "time_mod_proj", "text_fusion", "txt_in", "rotary_emb")
AFTER = ("final_layer",)
# Counted on the real module. What a GPU adds was measured on FLUX.1 and not here.
ACTIVATIONS = ActivationUnits(
    kept={False: {JOINT: 20.9}, True: {JOINT: 14.95}},
    working={JOINT: 7.5},
    gpu={False: 34.0, True: 10.0},
    kept_share={False: 1.0, True: 1.0},
)
MODULATIONS = 6  # scale, shift and gate before attention and before the feed-forward layers


def layout(config: Mapping[str, Any]) -> NetworkLayout:
    """From a Krea2Transformer2DModel's configuration. Raises KindredError when it is none."""
    require(config, NEEDED, "Krea 2")
    config = {**DEFAULTS, **config}
    head = config["attention_head_dim"]
    width = head * config["num_attention_heads"]
    narrow = head * config["num_key_value_heads"]
    feed = config["intermediate_size"]
    blocks = [
        BlockShape(name, JOINT, tuple(_layers(name, width, narrow, feed, "all")))
        for name in (f"transformer_blocks.{i}" for i in range(config["num_layers"]))
    ]
    outside = (*_embedders(config, width), *_fusion(config))
    return NetworkLayout(width, head, tuple(blocks), outside, BEFORE, AFTER)


def _layers(
    name: str, width: int, narrow: int, feed: int, reads: str, kept: bool = False
) -> list[LayerShape]:
    """Attention of grouped queries with a gate, and gated feed-forward layers. narrow: features of
    all keys, and of all values; feed: of the layers between."""
    rows = (
        ("attn.to_q", width, width, "normed"),
        ("attn.to_k", width, narrow, "normed"),
        ("attn.to_v", width, narrow, "normed"),
        ("attn.to_gate", width, width, "normed"),
        ("attn.to_out.0", width, width, "attended"),
        ("ff.gate", width, feed, "feed"),
        ("ff.up", width, feed, "feed"),
        ("ff.down", feed, width, "hidden"),
    )
    return [LayerShape(f"{name}.{part}", i, o, reads, source, kept) for part, i, o, source in rows]


def _embedders(config: Mapping[str, Any], width: int) -> list[LayerShape]:
    """What brings pictures, texts and time to the stream's width, and the last layer."""
    text, channels = config["text_hidden_dim"], config["in_channels"]
    rows = (
        ("img_in", channels, width, "image"),
        ("time_embed.linear_1", config["timestep_embed_dim"], width, "time"),
        ("time_embed.linear_2", width, width, "time"),
        ("time_mod_proj", width, MODULATIONS * width, "time"),
        ("txt_in.linear_1", text, width, "text"),
        ("txt_in.linear_2", width, width, "text"),
        ("final_layer.linear", width, channels, "image"),
    )
    return [LayerShape(*row, kept=True) for row in rows]


def _fusion(config: Mapping[str, Any]) -> list[LayerShape]:
    """What makes one state a token of the tapped ones: blocks over a token's states, a projector,
    blocks over the tokens."""
    width, taps = config["text_hidden_dim"], config["num_text_layers"]
    heads = config["text_num_attention_heads"]
    narrow = width // heads * config["text_num_key_value_heads"]
    layers = [LayerShape("text_fusion.projector", taps, 1, "text", kept=True)]
    for kind, count in (
        ("layerwise_blocks", config["num_layerwise_text_blocks"]),
        ("refiner_blocks", config["num_refiner_text_blocks"]),
    ):
        for i in range(count):
            name = f"text_fusion.{kind}.{i}"
            feed = config["text_intermediate_size"]
            layers += _layers(name, width, narrow, feed, "text", kept=True)
    return layers
