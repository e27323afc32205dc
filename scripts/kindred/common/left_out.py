"""Packages that libraries import because they are installed, kept out where nothing needs them.

diffusers, transformers and peft import bitsandbytes, scipy and what stands on it wherever they find
them, which takes seconds. Imports nothing of the library.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from typing import Any

# What transformers or diffusers import where it is there, and what imports scipy in turn.
SCIPY = ("scipy", "sklearn", "librosa")
# Who is told so.
LIBRARIES = ("accelerate", "diffusers", "peft", "transformers")


def leave_out(*packages: str) -> None:
    """Have packages count as not installed in this process, unless it is too late.

    Who asks `importlib.util.find_spec` is told that they are not there, and LIBRARIES that just try
    to import one fail. Everybody else can import them: what stands on one of them works. To be
    called before torch is imported: what is imported later has already been told of them.
    """
    if "torch" in sys.modules:
        return
    ask = importlib.util.find_spec

    def told(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name.partition(".")[0] in packages else ask(name, package)

    importlib.util.find_spec = told
    sys.meta_path.insert(0, _NotThere(packages))


class _NotThere:
    """First of those that find modules: finds none, and refuses LIBRARIES what is left out."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self.packages = packages

    def find_spec(self, name: str, *_: Any) -> None:
        """Called for every module that is not imported yet."""
        if name in self.packages and _importing() in LIBRARIES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _importing() -> str:
    """The package whose code is importing something: the first that is not Python's machinery."""
    frame, name = sys._getframe(2), "importlib"
    while name == "importlib" and frame.f_back:
        frame = frame.f_back
        name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return name
