"""How large a transformer's parts are, by arithmetic on its config.json alone.

Rows of linear layers, block by block in the order of execution; each architecture makes its own
from a configuration. Knows nothing of memory, precision or training, and imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kindred.common.errors import KindredError

TOKENS = ("image", "text", "all")


def require(config: Mapping[str, Any], needed: Sequence[str], title: str) -> None:
    """Raise KindredError when a transformer's configuration lacks an entry that every one of this
    architecture has. title: what people call these transformers."""
    lost = [name for name in needed if name not in config]
    if lost:
        raise KindredError(
            f"has no {', '.join(lost)}, so it is not a {title} transformer",
            "the base's transformer/config.json",
            "download or save the base again",
        )


@dataclass(frozen=True)
class LayerShape:
    """A linear layer: its input and output sizes, which tokens and which tensor it reads.

    `reads` is 'image', 'text', 'all' tokens or 'time' (one vector an image); layers of a block with
    equal `reads` and `source` read the same tensor. `kept`: never quantized.
    """

    name: str
    inputs: int
    outputs: int
    reads: str = "all"
    source: str = ""
    kept: bool = False


@dataclass(frozen=True)
class BlockShape:
    """A transformer block: name in the model, kind (what activation units are known by), its linear
    layers."""

    name: str
    kind: str
    layers: tuple[LayerShape, ...]


@dataclass(frozen=True)
class NetworkLayout:
    """A transformer: width of its tokens and heads, blocks in order of execution, layers outside
    them; `before`, `after`: names of the modules that run before and after the blocks."""

    width: int
    head: int
    blocks: tuple[BlockShape, ...]
    outside: tuple[LayerShape, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def layers(self) -> list[LayerShape]:
        """All linear layers."""
        return [*self.outside, *(layer for block in self.blocks for layer in block.layers)]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all linear layers."""
        return tuple(layer.name for layer in self.layers)

    @property
    def token_layers(self) -> frozenset[str]:
        """Names of the blocks' layers that read tokens, not one vector a picture."""
        inside = (layer for block in self.blocks for layer in block.layers)
        return frozenset(layer.name for layer in inside if layer.reads in TOKENS)

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Name -> numbers of features read and written, of every linear layer."""
        return {layer.name: (layer.inputs, layer.outputs) for layer in self.layers}


@dataclass(frozen=True)
class ActivationUnits:
    """What a block's passes hold, measured, in units of [tokens, width] in compute precision.

    kept: compiled or not -> kind of block -> what it keeps for its backward pass, without what
    adapters add. working: kind -> what its backward pass has in work beside that. gpu: compiled or
    not -> more on a GPU (float32 sums of attention's backward pass, rounding of the allocator).
    kept_share: of `kept`, what is really kept: the compiler computes more anew than its partitioner
    says.
    """

    kept: Mapping[bool, Mapping[str, float]]
    working: Mapping[str, float]
    gpu: Mapping[bool, float]
    kept_share: Mapping[bool, float]
