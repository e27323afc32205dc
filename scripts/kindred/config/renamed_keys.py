"""Old names of keys in YAML: read as the new ones, with a warning for each.

Knows how data and models nest; which keys were renamed stands in the models (`renamed_keys`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from kindred.common.errors import Problems
from kindred.specs.spec_model import SpecModel

Location = tuple[str | int, ...]


@dataclass
class KeyRenamer:
    """Puts new names of keys in place of old ones.

    where: says where a key stands. moved: (old, new) place of every key renamed so far.
    """

    where: Callable[..., str]
    problems: Problems
    moved: list[tuple[Location, Location]] = field(default_factory=list)

    def renamed(self, data: Any, kind: Any, at: Location = ()) -> Any:
        """`data`, found `at` a place where something of type `kind` belongs, by new names. An old
        and a new name for the same thing are a problem."""
        for expected in _alternatives(kind):
            container, inner = get_origin(expected), get_args(expected)
            if isinstance(data, list) and container is list:
                return [self.renamed(one, inner[0], (*at, k)) for k, one in enumerate(data)]
            if isinstance(data, dict) and container is dict:
                return {k: self.renamed(one, inner[1], (*at, k)) for k, one in data.items()}
            if isinstance(data, dict) and _is_model(expected):
                return self._model(data, expected, at)
        return data

    def _model(self, data: dict[str, Any], model: type[SpecModel], at: Location) -> dict[str, Any]:
        fields = {info.alias or name: info for name, info in model.model_fields.items()}
        found = self._keys(data, model, at)
        for key, value in found.items():
            if key in model.keyed_by_options and isinstance(value, dict):
                found[key] = self._keys(value, model, (*at, key))
            elif key in fields:
                found[key] = self.renamed(value, fields[key].annotation, (*at, key))
        return found

    def _keys(self, data: dict[str, Any], model: type[SpecModel], at: Location) -> dict[str, Any]:
        """The mapping with its own keys renamed, in the same order."""
        result = {}
        for key, value in data.items():
            new = model.renamed_keys.get(key, key)
            if new != key and new in data:
                what = f"is the old name of `{new}`, which is set too"
                self.problems.add(self.where(*at, key), what, f"keep only `{new}`")
                continue
            if new != key:
                what = f"is now called `{new}`"
                self.problems.warn(self.where(*at, key), what, "rename it; the meaning is the same")
                self.moved.append(((*at, key), (*at, new)))
            result[new] = value
        return result


def _alternatives(kind: Any) -> Iterator[Any]:
    """The types that an annotation allows."""
    if get_origin(kind) is Annotated:
        yield from _alternatives(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for one in get_args(kind):
            yield from _alternatives(one)
    else:
        yield kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, SpecModel)
