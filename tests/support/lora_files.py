"""Adapters with an effect on every layer, written and exported, for tests.

Knows our files and the program that exports them; knows nothing of architectures.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import export_lora
from kindred.models.lora import injection
from kindred.specs.training import Recipe


def trained(net: Any, path: Path, recipe: Recipe, provenance: Mapping[str, str]) -> Any:
    """Give a network an adapter with an effect on every layer, write it, and return the network."""
    parameters = injection.add_lora(net, recipe, 0)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(0.1 * torch.randn_like(parameter))
    injection.save_lora(path, injection.lora_state(net.eval()), net, dict(provenance))
    return net


def exported(path: Path, tool: str) -> Path:
    """The file for a tool, beside ours."""
    out = path.parent / f"{tool}.safetensors"
    assert export_lora.main(["--adapter", str(path), "--out", str(out), "--format", tool]) == 0
    return out
