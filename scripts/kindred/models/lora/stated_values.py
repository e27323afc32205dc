"""What a LoRA file says twice must agree: rank and alpha, in tensors, peft's configuration, kohya's
header.

Reads the header and the alphas, which are single numbers; imports no torch. Tools read one or the
other, so a file that contradicts itself is another LoRA in each of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.models.architectures.interface import Architecture
from kindred.models.lora.key_conversion import layer_of, modules_of
from kindred.models.lora.lora_config import CONFIG_KEY, configuration, of_layer

CURE = "download the file again, or save it again with the tool that trained it"
ROUNDING = 0.01  # of alphas in 16 bits


@dataclass(frozen=True)
class AdapterFault:
    """What is wrong with a LoRA file, and what to do. stops: it can't be drawn with."""

    what: str
    cure: str
    stops: bool = True


@dataclass(frozen=True)
class _Module:
    """A module's name in the file, its rank by its tensors, its alpha tensor (None without), and
    how many layers of the network it stands for."""

    name: str
    rank: int
    alpha: float | None
    parts: int


def disagreements(
    path: Path,
    entries: Mapping[str, Any],
    metadata: Mapping[str, str],
    architecture: Architecture,
) -> list[AdapterFault]:
    """Where a LoRA file with this header contradicts itself, the first of each kind."""
    try:
        config = configuration(metadata)
    except KindredError as error:
        return [AdapterFault(error.what, error.cure)]
    keys = modules_of(entries)
    found = [*_shapes(entries, keys)]
    if found:
        return found
    alphas = safetensors_files.scalars(path, [r["alpha"] for r in keys.values() if "alpha" in r])
    modules = [
        _Module(
            name,
            entries[roles["down"]]["shape"][0],
            alphas[roles["alpha"]] if "alpha" in roles else None,
            len(layer.parts) if (layer := layer_of(name, architecture)) else 1,
        )
        for name, roles in keys.items()
    ]
    checks = (_no_numbers(modules), _by_config(modules, config), _dora(keys, config))
    for check in (*checks, _by_header(modules, config, metadata)):
        found += [*check][:1]
    return found


def _shapes(
    entries: Mapping[str, Any], keys: Mapping[str, Mapping[str, str]]
) -> Iterator[AdapterFault]:
    """Both factors of a module are there, and are matrices of one rank."""
    for name, roles in keys.items():
        if not {"down", "up"} <= roles.keys():
            yield AdapterFault(f"lacks one of the two matrices of {name}", CURE)
            return
        down, up = (entries[roles[role]]["shape"] for role in ("down", "up"))
        if len(down) < 2 or len(up) < 2:
            yield AdapterFault(
                f"has two matrices in {name} that don't form a pair ({down} and {up})", CURE
            )
            return
        if down[0] != up[1]:
            yield AdapterFault(f"has two ranks at once in {name}, {down[0]} and {up[1]}", CURE)
            return


def _no_numbers(modules: list[_Module]) -> Iterator[AdapterFault]:
    for one in modules:
        if one.alpha is not None and not math.isfinite(one.alpha):
            yield AdapterFault(
                f"has an alpha that is infinite or not a number ({one.alpha}), in {one.name}", CURE
            )


def _by_config(modules: list[_Module], config: Mapping[str, Any]) -> Iterator[AdapterFault]:
    """peft builds its layers by the configuration, so every one of them has to agree."""
    for one in modules:
        rank = of_layer(one.name, config, "rank_pattern", config.get("r", one.rank))
        if rank != one.rank:
            yield _odd(f"rank {rank} ({CONFIG_KEY})", f"{one.rank}, in {one.name}")
        alpha = of_layer(one.name, config, "alpha_pattern", config.get("lora_alpha"))
        if alpha is not None and one.alpha is not None and not _same(alpha, one.alpha):
            yield _odd(f"alpha {alpha:g} ({CONFIG_KEY})", f"{one.alpha:g}, in {one.name}")


def _odd(header: str, tensors: str) -> AdapterFault:
    what = f"contradicts itself: its header says {header}, but its tensors {tensors}"
    return AdapterFault(what, CURE)


def _dora(
    keys: Mapping[str, Mapping[str, str]], config: Mapping[str, Any]
) -> Iterator[AdapterFault]:
    holds = any("magnitude" in roles for roles in keys.values())
    if config.get("use_dora") and not holds:
        yield _odd(f"that it is a DoRA ({CONFIG_KEY})", "have no magnitudes")
    if "use_dora" in config and not config["use_dora"] and holds:
        yield _odd(f"that it is not a DoRA ({CONFIG_KEY})", "have the magnitudes of a DoRA")


def _by_header(
    modules: list[_Module], config: Mapping[str, Any], metadata: Mapping[str, str]
) -> Iterator[AdapterFault]:
    """kohya's header has one rank and one alpha, where single layers may have others: it is wrong
    where it is so for all."""
    rank, alpha = (_number(metadata.get(f"ss_network_{name}")) for name in ("dim", "alpha"))
    ranks = _values(one.rank for one in modules)
    if rank is not None and not any(_of_rank(one, rank) for one in modules):
        yield _odd(f"rank {rank:g} (ss_network_dim)", ranks)
    if alpha is None:
        return
    told = [one for one in modules if one.alpha is not None]
    if told:
        if not any(_of_alpha(one, alpha, rank) for one in told):
            yield _odd(f"alpha {alpha:g} (ss_network_alpha)", _values(one.alpha for one in told))
    elif "lora_alpha" in config:
        if not _same(config["lora_alpha"], alpha):
            yield AdapterFault(
                f"contradicts itself: its header says alpha {alpha:g} (ss_network_alpha) and "
                f"{config['lora_alpha']:g} ({CONFIG_KEY})",
                CURE,
            )
    elif not any(_same(alpha, one.rank) for one in modules):
        yield AdapterFault(
            f"says alpha {alpha:g} in its header (ss_network_alpha) but contains no alphas; like "
            f"other tools, Kindred draws with it as if alpha were its rank ({ranks})",
            "compare the strength with pictures from the tool that trained it, and set `weight`",
            stops=False,
        )


def _number(text: str | None) -> float | None:
    """A number in a header; None for none, as 'Dynamic' and 'None' are."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _of_rank(one: _Module, rank: float) -> bool:
    """Whether a module's rank is the header's; separate LoRAs of fused layers are stacked."""
    return any(one.rank == rank * times for times in range(1, one.parts + 1))


def _of_alpha(one: _Module, alpha: float, rank: float | None) -> bool:
    """Whether a module's alpha is the header's, or its strength is."""
    assert one.alpha is not None
    return _same(one.alpha, alpha) or (
        rank is not None and rank > 0 and _same(one.alpha / one.rank, alpha / rank)
    )


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=ROUNDING)


def _values(numbers: Iterator[Any]) -> str:
    """'1', or '1 to 4'."""
    known = sorted({number for number in numbers if number is not None})
    return f"{known[0]:g}" if len(known) == 1 else f"{known[0]:g} to {known[-1]:g}"
