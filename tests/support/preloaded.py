"""The library, imported once for the programs of all workspaces whose copy of it is unchanged.

A program that has been forked finds the modules imported, and told that they lie in its workspace:
what they read beside themselves, and what they have not imported yet, comes from there.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import FunctionType, ModuleType

from pydantic import BaseModel

SCRIPTS = Path(__file__).parents[2] / "scripts"
PACKAGE = "kindred"
# Few programs of workspaces need these, or they need packages that are optional.
LEFT_OUT = ("benchmarking", "judges", "lab", "starting")


class Library:
    """The modules, and where they say in which folder they lie."""

    def __init__(self) -> None:
        sys.path.insert(0, str(SCRIPTS))
        for file in sorted((SCRIPTS / PACKAGE).rglob("*.py")):
            parts = file.relative_to(SCRIPTS).with_suffix("").parts
            if parts[1] not in LEFT_OUT and parts[-1] != "__init__":
                importlib.import_module(".".join(parts))
        sys.path.remove(str(SCRIPTS))
        self._modules = [module for name, module in sys.modules.items() if _is_ours(name)]
        names = [str(Path(module.__file__).relative_to(SCRIPTS)) for module in self._modules]
        self._dates = [(name, _date(f"{SCRIPTS}/{name}")) for name in names]
        for specification in filter(_is_specification, _values(self._modules)):
            specification.model_rebuild()  # or each program builds the schemas that it reads
        self._functions = [
            value
            for value in _values(self._modules)
            if isinstance(value, FunctionType) and any(map(_lies_here, value.__defaults__ or ()))
        ]
        self._constants = [
            (module, name)
            for module in self._modules
            for name, value in vars(module).items()
            if _lies_here(value)
        ]

    def go_to(self, folder: Path) -> None:
        """Be the library of the workspace in this folder; forget all if its copy is another."""
        scripts = folder / SCRIPTS.name
        try:
            same = all(_date(f"{scripts}/{name}") == date for name, date in self._dates)
        except OSError:
            same = False
        if not same:
            for module in self._modules:
                del sys.modules[module.__name__]
            return
        for module in self._modules:
            _move(module, str(SCRIPTS), str(scripts))
        for function in self._functions:
            function.__defaults__ = tuple(_moved(value, folder) for value in function.__defaults__)
        for module, name in self._constants:
            setattr(module, name, _moved(getattr(module, name), folder))


def _is_ours(name: str) -> bool:
    return name.split(".")[0] == PACKAGE


def _values(modules: list[ModuleType]) -> list[object]:
    return [value for module in modules for value in vars(module).values()]


def _is_specification(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel) and _is_ours(value.__module__)


def _date(file: str) -> tuple[int, int]:
    """What Python itself goes by to see whether it has compiled a file."""
    found = os.stat(file)
    return found.st_size, found.st_mtime_ns


def _lies_here(value: object) -> bool:
    return isinstance(value, Path) and value.is_relative_to(SCRIPTS.parent)


def _moved(value: object, folder: Path) -> object:
    return folder / value.relative_to(SCRIPTS.parent) if _lies_here(value) else value


def _move(module: ModuleType, old: str, new: str) -> None:
    """Tell a module that it lies in another folder."""
    module.__file__ = module.__file__.replace(old, new, 1)
    module.__spec__.origin = module.__file__
    if hasattr(module, "__path__"):
        module.__path__[:] = [path.replace(old, new, 1) for path in module.__path__]
