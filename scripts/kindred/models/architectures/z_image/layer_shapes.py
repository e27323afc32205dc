"""The layers of a Z-Image transformer by its config.json."""

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

NEEDED = ("dim", "n_layers", "n_refiner_layers", "n_heads", "cap_feat_dim", "in_channels")
# Refiners read the picture or the text alone; the layers behind them read both.
NOISE, CONTEXT, JOINT = "noise", "context", "joint"
PATCH = 2
TIME, TIME_HIDDEN, SINUSOIDS = 256, 1024, 256  # widths of the time's embedding
# Learned tokens beside modules: they are placed on a device by their names too.
BEFORE = ("t_embedder", "all_x_embedder", "x_pad_token", "cap_embedder", "cap_pad_token")
AFTER = ("all_final_layer",)

# Counted on the real module, by all tokens of a picture; refiners, which read fewer, count as if
# they read all. What a GPU adds was measured on FLUX.1, whose attention is as wide, and not here.
ACTIVATIONS = ActivationUnits(
    kept={
        False: {NOISE: 30.1, CONTEXT: 30.1, JOINT: 30.25},
        True: {NOISE: 14.4, CONTEXT: 14.4, JOINT: 14.6},
    },
    working={NOISE: 8.5, CONTEXT: 8.5, JOINT: 8.5},
    gpu={False: 34.0, True: 10.0},
    kept_share={False: 1.0, True: 1.0},
)


def layout(config: Mapping[str, Any]) -> NetworkLayout:
    """From a ZImageTransformer2DModel's configuration. Raises KindredError when it is none."""
    require(config, NEEDED, "Z-Image")
    width, heads = config["dim"], config["n_heads"]
    refiners = range(config["n_refiner_layers"])
    blocks = [_block(f"noise_refiner.{i}", NOISE, width) for i in refiners]
    blocks += [_block(f"context_refiner.{i}", CONTEXT, width) for i in refiners]
    blocks += [_block(f"layers.{i}", JOINT, width) for i in range(config["n_layers"])]
    outside = tuple(_outside(config, width))
    return NetworkLayout(width, width // heads, tuple(blocks), outside, BEFORE, AFTER)


def _block(name: str, kind: str, width: int) -> BlockShape:
    """Attention, a gated feed-forward, and but for texts a small modulation by the time."""
    reads, feed = {NOISE: "image", CONTEXT: "text", JOINT: "all"}[kind], int(width / 3 * 8)
    layers = [
        LayerShape(f"{name}.attention.{part}", width, width, reads, "normed")
        for part in ("to_q", "to_k", "to_v")
    ]
    layers.append(LayerShape(f"{name}.attention.to_out.0", width, width, reads, "attended"))
    layers += [
        LayerShape(f"{name}.feed_forward.{part}", width, feed, reads, "feed")
        for part in ("w1", "w3")
    ]
    layers.append(LayerShape(f"{name}.feed_forward.w2", feed, width, reads, "hidden"))
    if kind != CONTEXT:
        inputs = min(width, TIME)
        modulation = f"{name}.adaLN_modulation.0"
        layers.append(LayerShape(modulation, inputs, 4 * width, "time", kept=True))
    return BlockShape(name, kind, tuple(layers))


def _outside(config: Mapping[str, Any], width: int) -> list[LayerShape]:
    """Embedders and the last layers: none of them is ever quantized."""
    patches, time = PATCH * PATCH * config["in_channels"], min(width, TIME)
    key = f"{PATCH}-1"  # pixels and pictures that a token is of
    rows = [
        ("t_embedder.mlp.0", SINUSOIDS, TIME_HIDDEN, "time"),
        ("t_embedder.mlp.2", TIME_HIDDEN, time, "time"),
        (f"all_x_embedder.{key}", patches, width, "image"),
        ("cap_embedder.1", config["cap_feat_dim"], width, "text"),
        (f"all_final_layer.{key}.linear", width, patches, "all"),
        (f"all_final_layer.{key}.adaLN_modulation.1", time, width, "time"),
    ]
    return [LayerShape(*row, kept=True) for row in rows]
