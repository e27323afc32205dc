"""peft's configuration of a LoRA (rank, alpha, rsLoRA, DoRA) as diffusers writes it into a header.

Imports no torch.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from kindred.common.errors import KindredError
from kindred.models.lora.prefixes import bare_names

# Where diffusers looks for it in the header of a safetensors file.
CONFIG_KEY = "lora_adapter_metadata"
OF_TEXT = "text_encoder"


def configuration(header: Mapping[str, str], where: str = "") -> dict[str, Any]:
    """The configuration of the transformer's LoRA out of a header; empty when it has none.

    Raises KindredError, which begins with `where`, for what is no configuration.
    """
    try:
        found = json.loads(header.get(CONFIG_KEY) or "{}")
        told = {key: value for key, value in found.items() if not key.startswith(OF_TEXT)}
        config = {key.rpartition(".")[2]: value for key, value in told.items()}
        _check(config)
    except (ValueError, AttributeError, TypeError, re.error) as error:
        what = f"{CONFIG_KEY} in its header is not a valid configuration ({error})"
        raise KindredError(what, where, "download the file again") from None
    return config


def _check(config: Mapping[str, Any]) -> None:
    """Raise what tells that ranks and alphas are no numbers, or their patterns are none."""
    values = [config.get("r"), config.get("lora_alpha")]
    for patterns in ("rank_pattern", "alpha_pattern"):
        for pattern, value in (config.get(patterns) or {}).items():
            re.compile(pattern)
            values.append(value)
    for value in values:
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{value} is no number")


def scale_of(part: str, rank: int, config: Mapping[str, Any]) -> float:
    """What B A is multiplied by: alpha / rank, with rsLoRA alpha / sqrt(rank) (Kalajdzievski 2023,
    arXiv 2312.03732); 1 without a configuration, as diffusers has it."""
    alpha = of_layer(part, config, "alpha_pattern", config.get("lora_alpha", rank))
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def of_layer(part: str, config: Mapping[str, Any], patterns: str, default: Any) -> Any:
    """A layer's value by the first of a configuration's `patterns` that its name ends in."""
    for pattern, value in (config.get(patterns) or {}).items():
        if any(re.match(rf"(?:.*\.)?(?:{pattern})$", name) for name in bare_names(part)):
            return value
    return default
