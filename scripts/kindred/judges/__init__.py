"""Judges of pictures, behind the interface in interface.py."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kindred.specs.judge import JUDGES, JudgeSpec

if TYPE_CHECKING:
    import torch

    from kindred.judges.interface import Judge


def open_judge(spec: JudgeSpec, device: torch.device | str = "cpu") -> Judge:
    """The judge that a specification describes, ready to look at pictures.

    Raises KindredError that says what is missing and how to get it.
    """
    return opener(JUDGES[spec.kind].judge).open(spec, device)


def opener(name: str) -> Any:
    """The class named 'module:class'; only its module is imported."""
    module, _, own = name.partition(":")
    return getattr(import_module(module), own)
