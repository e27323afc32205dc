"""Base models' architectures in small, as the lab builds them: a folder each, by the name that the
architecture has in kindred.models. Imports no torch."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from kindred.lab.miniatures.interface import Miniature

# `architecture:` of the lab's settings -> module and name of what knows it.
KNOWN = {
    "flux1": "kindred.lab.miniatures.flux1.facts:FLUX1",
    "klein": "kindred.lab.miniatures.klein.facts:KLEIN",
}


@cache
def miniature(architecture: str) -> Miniature:
    """By the name of an architecture that LabSettings accepts."""
    module, _, name = KNOWN[architecture].partition(":")
    return getattr(import_module(module), name)
