"""Names of LoRA layers in other tools' files, by tables of an architecture's original code.

Knows how a table is read, with dots or underscores; what stands in it is the architecture's.
Importing this module does not import torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import ClassVar

from kindred.models.architectures.interface import AdapterKeys, FusedLayer

# Name in the original code -> its rows from top to bottom, as diffusers calls them.
Table = Mapping[str, tuple[str, ...]]


class TabledKeys(AdapterKeys):
    """The layers of numbered blocks and those outside, by tables.

    blocks: what the original code calls a list of blocks -> what diffusers calls it, and the names
    inside a block. outside: original name -> diffusers' name. times: how often a part of a fused
    layer has as many rows as the layer reads features, by the end of its name; once where none is
    given. swapped: outside layers that the original has the second half of rows first of.
    """

    blocks: ClassVar[Mapping[str, tuple[str, Table]]]
    outside: ClassVar[Mapping[str, str]]
    times: ClassVar[Mapping[str, int]] = {}
    swapped: ClassVar[frozenset[str]] = frozenset()

    def layer_of(self, name: str) -> FusedLayer | None:
        """As `AdapterKeys.layer_of`."""
        flat = _flat(name)
        if (block := self._originals.fullmatch(flat)) and block[3] in self._inside[block[1]]:
            original, diffusers = self._lists[block[1]]
            inner, parts = self._inside[block[1]][block[3]]
            whole = tuple(f"{diffusers}.{block[2]}.{part}" for part in parts)
            return self._layer(f"{original}.{block[2]}.{inner}", whole)
        if flat in self._outside:
            original, part = self._outside[flat]
            return self._layer(original, (part,))
        if (block := self._by_diffusers.fullmatch(flat)) and block[3] in self._endings[block[1]]:
            diffusers, ending = self._endings[block[1]][block[3]]
            return self._layer("", (f"{diffusers}.{block[2]}.{ending}",))
        parts_outside = {_flat(part): part for part in self.outside.values()}
        return self._layer("", (parts_outside[flat],)) if flat in parts_outside else None

    def fused_layer(self, part: str) -> FusedLayer | None:
        """As `AdapterKeys.fused_layer`."""
        for original, (diffusers, table) in self.blocks.items():
            block = re.fullmatch(rf"{re.escape(diffusers)}\.(\d+)\.(.+)", part)
            for name, parts in table.items():
                if block and block[2] in parts:
                    whole = tuple(f"{diffusers}.{block[1]}.{one}" for one in parts)
                    return self._layer(f"{original}.{block[1]}.{name}", whole)
        outside = {layer: name for name, layer in self.outside.items()}
        return self._layer(outside[part], (part,)) if part in outside else None

    def _layer(self, original: str, parts: tuple[str, ...]) -> FusedLayer:
        times = tuple(
            next((n for end, n in self.times.items() if part.endswith(end)), 1) for part in parts
        )
        return FusedLayer(original, parts, times, bool(original) and parts[0] in self.swapped)

    @cached_property
    def _lists(self) -> dict[str, tuple[str, str]]:
        return {_flat(name): (name, diffusers) for name, (diffusers, _) in self.blocks.items()}

    @cached_property
    def _inside(self) -> dict[str, dict[str, tuple[str, tuple[str, ...]]]]:
        return {
            _flat(original): {_flat(name): (name, parts) for name, parts in table.items()}
            for original, (_, table) in self.blocks.items()
        }

    @cached_property
    def _endings(self) -> dict[str, dict[str, tuple[str, str]]]:
        return {
            _flat(diffusers): {
                _flat(part): (diffusers, part) for parts in table.values() for part in parts
            }
            for diffusers, table in self.blocks.values()
        }

    @cached_property
    def _outside(self) -> dict[str, tuple[str, str]]:
        return {_flat(name): (name, part) for name, part in self.outside.items()}

    @cached_property
    def _originals(self) -> re.Pattern[str]:
        return _numbered(self._lists)

    @cached_property
    def _by_diffusers(self) -> re.Pattern[str]:
        return _numbered(self._endings)


def _numbered(lists: Iterable[str]) -> re.Pattern[str]:
    """List of blocks, number, name inside."""
    return re.compile(f"({'|'.join(map(re.escape, lists))})_(\\d+)_(.+)")


def _flat(name: str) -> str:
    return name.replace(".", "_")
