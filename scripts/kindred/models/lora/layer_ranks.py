"""Rank and alpha of every layer that a recipe trains: one for all, or others by layers' names.

`rank_pattern` and `alpha_pattern` are peft's (LoraConfig): a regular expression that the end of a
layer's name must match, from a dot on. Here the name of a block, or of any other part that layers
lie in, stands for all of them too. Two patterns that give a layer different values are refused:
peft takes the first, and a configuration's order is not kept everywhere. Imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kindred.common.errors import KindredError
from kindred.specs.training import Recipe

WHERE = "recipe"  # what errors name, with the key behind it


@dataclass(frozen=True)
class LayerRank:
    """A layer's rank and alpha."""

    rank: int
    alpha: float

    def scale(self, rslora: bool) -> float:
        """What B A is multiplied by: alpha / rank, with rsLoRA alpha / sqrt(rank)
        (Kalajdzievski 2023, arXiv 2312.03732)."""
        return self.alpha / (self.rank**0.5 if rslora else self.rank)


def layer_ranks(layers: Iterable[str], recipe: Recipe) -> dict[str, LayerRank]:
    """Rank and alpha of `layers`, full names of those that get an adapter.

    A layer's alpha is that of its pattern, else the recipe's, else its own rank. Raises
    KindredError for a pattern that none of them matches, and for two that contradict each other.
    """
    layers = list(layers)
    ranks = by_pattern(layers, recipe.rank_pattern or {}, "rank_pattern")
    alphas = by_pattern(layers, recipe.alpha_pattern or {}, "alpha_pattern")
    found = {}
    for name in layers:
        rank = ranks.get(name, recipe.rank)
        found[name] = LayerRank(rank, alphas.get(name, recipe.alpha or rank))
    return found


def other_ranks(layers: Iterable[str], recipe: Recipe) -> dict[str, int]:
    """The ranks of those layers that have another one than the recipe's `rank`."""
    found = layer_ranks(layers, recipe)
    return {name: one.rank for name, one in found.items() if one.rank != recipe.rank}


def by_pattern(layers: Sequence[str], patterns: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Layer -> its value, of those that some pattern matches. Raises as `layer_ranks` does."""
    found: dict[str, tuple[str, Any]] = {}
    for pattern, value in patterns.items():
        ending = re.compile(rf"(?:.*\.)?(?:{pattern})(?:\..*)?")
        mine = [name for name in layers if ending.fullmatch(name)]
        if not mine:
            raise _matches_none(pattern, layers, key)
        for name in mine:
            other, before = found.setdefault(name, (pattern, value))
            if before != value:
                raise KindredError(
                    f"'{other}' gives {name} {before:g}, but '{pattern}' gives it {value:g}",
                    f"{WHERE}: {key}",
                    "change the patterns so that only one of them matches this layer",
                )
    return {name: value for name, (_, value) in found.items()}


def patterns_for_peft(layers: Mapping[str, LayerRank], recipe: Recipe) -> dict[str, Any]:
    """The keys of peft's configuration that say the same, each layer by its full name from its
    beginning (`^`), so that no order matters; without patterns both are empty."""
    usual = recipe.alpha or recipe.rank
    ranks = {_whole(n): one.rank for n, one in layers.items() if one.rank != recipe.rank}
    alphas = {_whole(n): one.alpha for n, one in layers.items() if one.alpha != usual}
    return {"rank_pattern": ranks, "alpha_pattern": alphas}


def _whole(name: str) -> str:
    return "^" + re.escape(name)


def _matches_none(pattern: str, layers: Sequence[str], key: str) -> KindredError:
    """With the block, or the end of a layer's name, that is nearest to the pattern."""
    blocks = {".".join(name.split(".")[:2]) for name in layers}
    endings = {name.rpartition(".")[2] for name in layers}
    near = get_close_matches(pattern, blocks | endings, n=1)
    usual = "write the name of a block, or the end of a layer's name"
    return KindredError(
        f"'{pattern}' matches no layer that is trained; names look like {layers[0]} or "
        f"{layers[-1]}",
        f"{WHERE}: {key}",
        f"did you mean '{near[0]}'?" if near else usual,
    )
