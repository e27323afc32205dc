"""Which layers of a transformer a recipe's `targets` mean, by their names alone.

Knows names; imports neither torch nor peft, so that planning can ask it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kindred.common.errors import KindredError, did_you_mean
from kindred.models.architectures.interface import Architecture

WHERE = "recipe: targets"  # the key that errors name


def target_layers(
    layers: Iterable[str], targets: str | list[str], architecture: Architecture
) -> list[str]:
    """Full names of the layers that get an adapter.

    `attention`, `all-linear`: as the architecture has them; the second is every linear layer inside
    the blocks that reads tokens. A list: endings of names. Other text: a regular expression that
    the whole name must match. Raises KindredError for what matches no layer, for one that must not
    be trained, and for layers that can't be told from others by the names' endings (as peft and
    diffusers will read them).
    """
    layers = list(layers)
    if not targets:
        raise KindredError(
            "no layer is named", WHERE, "write `all-linear`, or the ends of layers' names"
        )
    if isinstance(targets, str):
        named = architecture.lora_targets.get(targets)
        found = _matching(layers, named or targets)
    else:
        found = _ending(layers, targets)
    never = [name for name in found if (p := architecture.never_trained) and p.fullmatch(name)]
    if never:
        raise KindredError(
            f"{never[0]} can't be trained: other tools would read it wrongly",
            WHERE,
            "remove it",
        )
    chosen = set(found)
    others = [name for name in layers if name not in chosen and _ends_in_one(name, chosen)]
    if others:
        raise KindredError(
            f"{', '.join(sorted(others)[:5])} would be trained too, because a LoRA file keeps "
            "only the ends of names",
            WHERE,
            "include them",
        )
    return found


def _ending(layers: list[str], endings: list[str]) -> list[str]:
    for ending in endings:
        if not any(_ends(name, ending) for name in layers):
            known = {re.sub(r"^(.*?blocks\.\d+\.)?(attn\.)?", "", name) for name in layers}
            raise KindredError(
                f"no linear layer ends in '{ending}'", WHERE, did_you_mean(ending, known)
            )
    return [name for name in layers if any(_ends(name, ending) for ending in endings)]


def _matching(layers: list[str], pattern: str | re.Pattern[str]) -> list[str]:
    try:
        found = [name for name in layers if re.fullmatch(pattern, name)]
    except re.error as error:
        what = f"'{pattern}' is not a valid pattern ({error})"
        raise KindredError(what, WHERE, "write a regular expression as Python knows them") from None
    if not found:
        raise KindredError(
            f"'{pattern}' matches no linear layer; names look like {layers[0]} or {layers[-1]}",
            WHERE,
            "write a pattern that matches the whole name",
        )
    return found


def _ends(name: str, ending: str) -> bool:
    return name == ending or name.endswith("." + ending)


def _ends_in_one(name: str, endings: set[str]) -> bool:
    """Whether what stands behind one of a name's dots is among `endings`."""
    parts = name.split(".")
    return any(".".join(parts[n:]) in endings for n in range(1, len(parts)))
