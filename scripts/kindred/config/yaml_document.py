"""Reading YAML so that a mistake can be shown where it stands.

Knows lines, duplicate keys and YAML's traps (`1e-4` is a number, `no` is a name); knows nothing of
what the keys mean.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from kindred.common.errors import NONE_YET, Problem, Problems, did_you_mean
from kindred.config.renamed_keys import KeyRenamer, Location
from kindred.specs.spec_model import SpecModel, problems_of

Model = TypeVar("Model", bound=SpecModel)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars: without yes/no/on/off, dates, octal and base-60 numbers."""


class _FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """The same in C where PyYAML has it; knows less of where a mistake stands."""


_SCALARS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf)|\.nan",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
)
for _loader in (_Loader, _FastLoader):
    _loader.yaml_implicit_resolvers = {}
    for _tag, _pattern, _first in _SCALARS:
        _loader.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
        )
    _loader.add_constructor(
        "tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node))
    )


@dataclass
class Document:
    """One file's data and the line at which each key stands."""

    path: Path
    data: dict[str, Any]
    lines: dict[Location, int] = field(default_factory=dict)
    overridden: frozenset[str] = frozenset()  # top keys that the command line gave
    # What the file that this one is `like` has, and a null took away -> the null's place
    removed: dict[Location, str] = field(default_factory=dict)

    def where(self, *location: str | int) -> str:
        """`config/experiments/family.yaml:12: variants.all.rank`, as near as the file has it."""
        if location and location[0] in self.overridden:
            return "--config: " + ".".join(str(part) for part in location)
        known = location
        while known and known not in self.lines:
            known = known[:-1]
        line = f":{self.lines[known]}" if known else ""
        key = ".".join(str(part) for part in location)
        return f"{self.path}{line}" + (f": {key}" if key else "")

    def where_of(self, item: str, *location: str | int) -> str:
        """`where` of an item of what stands at a location: of the first entry of a list, at any
        depth, or key of a mapping that is `item`; of the location where there is none."""
        data: Any = self.data
        for part in location:
            listed = isinstance(data, list) and isinstance(part, int) and part < len(data)
            data = data[part] if listed else data.get(part) if isinstance(data, dict) else None
        return self.where(*location, *(_way_to(item, data) or ()))

    def did_you_mean(self, word: str, known: Iterable[str], *section: str) -> str:
        """What to do about a name that a section doesn't have: of one that a null removed from it,
        where that null stands; else what `did_you_mean` says. Of `J.age` it is J that was there."""
        whole = (*section, word) in self.removed
        name = word if whole else word.partition(".")[0]
        return self.restored(*section, name, other=did_you_mean(word, known))

    def restored(self, *location: str | int, other: str = "") -> str:
        """How what a null removed comes back, or else the `other` cure; `other` of all else."""
        if location not in self.removed:
            return other
        cure = f"the null at {self.removed[location]} removes it; delete that key"
        return f"{cure}, or {other}" if other and other != NONE_YET else cure

    def validate(self, model: type[Model], problems: Problems) -> Model | None:
        """The data as `model`, or None after noting every problem."""
        self.rename_old_keys(model, problems)
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            self.note(error, model, problems)
            return None

    def validate_rest(
        self, model: type[Model], problems: Problems, entries: tuple[str, ...]
    ) -> tuple[Model | None, list[str]]:
        """As `validate`, but what is wrong inside an entry of the sections `entries` (or is an
        unknown key at the top) is noted and left out, so that the rest can be looked at too. Also
        the entries something was left out of, as places name them: `variants.a`."""
        self.rename_old_keys(model, problems)
        try:
            return model.model_validate(self.data), []
        except ValidationError as error:
            self.note(error, model, problems)
            found = [(item["loc"], item["type"]) for item in error.errors()]
        places = [(self._real(place, (), kind), kind) for place, kind in found]
        data = copy.deepcopy(self.data)
        for place, kind in places:
            inside = len(place) > 2 and place[0] in entries and kind != "missing"
            if not inside and not (len(place) == 1 and kind == "extra_forbidden"):
                return None, []
            _leave_out(data, place)
        try:
            rest = model.model_validate(data)
        except ValidationError:  # what is left says nothing by itself
            return None, []
        return rest, [f"{place[0]}.{place[1]}" for place, _ in places if len(place) > 2]

    def rename_old_keys(self, model: type[SpecModel], problems: Problems) -> None:
        """Put the new names of keys in place of old ones, and warn of each."""
        renamer = KeyRenamer(self.where, problems)
        self.data = renamer.renamed(self.data, model)
        for old, new in renamer.moved:
            for place in [place for place in self.lines if place[: len(old)] == old]:
                self.lines[(*new, *place[len(old) :])] = self.lines.pop(place)

    def note(
        self, error: ValidationError, model: type[SpecModel], problems: Problems, *prefix: str | int
    ) -> None:
        """Note each of pydantic's findings once, at its place below `prefix`."""
        found: dict[tuple[str, bool], list[Problem]] = {}
        for problem, item in zip(problems_of(error, "", model), error.errors(), strict=True):
            place = self.where(*prefix, *self._real(item["loc"], prefix, item["type"]))
            if item["type"] == "missing":
                location = (*prefix, *self._real(item["loc"], prefix, "missing"))
                problem = replace(problem, cure=self.restored(*location, other=problem.cure))
            unknown = item["type"] in ("extra_forbidden", "missing")
            found.setdefault((place, unknown), []).append(problem)
        for (place, _), same in found.items():
            texts = [one.what for one in same]
            cure = next((one.cure for one in same if one.cure), "")
            problems.found.append(Problem(place, " or ".join(dict.fromkeys(texts)), cure))

    def _real(self, location: Location, prefix: Location, kind: str) -> Location:
        """The location without the names of union members that pydantic puts into it."""
        data: Any = self.data
        for part in prefix:
            data = data.get(part, {}) if isinstance(data, dict) else {}
        real: list[str | int] = []
        for part in location:
            listed = isinstance(data, list) and isinstance(part, int) and part < len(data)
            if listed or (isinstance(data, dict) and part in data):
                data = data[part]
                real.append(part)
            elif part == location[-1] and kind == "missing":
                real.append(part)
        return tuple(real)


def _way_to(item: str, data: Any) -> Location | None:
    """The keys and numbers that lead to an item; None where it isn't there."""
    if isinstance(data, dict):
        if item in data:
            return (item,)
        entries: Iterable[tuple[str | int, Any]] = data.items()
    elif isinstance(data, list):
        entries = enumerate(data)
    else:
        return () if data == item else None
    ways = ((key, _way_to(item, inner)) for key, inner in entries)
    return next(((key, *way) for key, way in ways if way is not None), None)


def _leave_out(data: Any, place: Location) -> None:
    """Remove what stands at a place, if it is still there."""
    for part in place[:-1]:
        listed = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if not listed and not (isinstance(data, dict) and part in data):
            return
        data = data[part]
    if isinstance(data, dict):
        data.pop(place[-1], None)


def read_document(path: Path, problems: Problems) -> Document | None:
    """Read a YAML file that holds a mapping; None after noting what is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.add(str(path), "no such file", "create it, or correct the name")
        return None
    except (OSError, UnicodeDecodeError) as error:
        problems.add(str(path), f"can't be read ({error})", "save it as UTF-8 text")
        return None
    try:
        return _parsed_fast(path, text) or _parsed(path, text, problems, _Loader)
    except yaml.reader.ReaderError as error:
        problems.add(*_unprintable(path, text, error))
    except yaml.YAMLError as error:
        problems.add(*_syntax(path, error))
    except RecursionError:
        problems.add(str(path), "is nested too deeply", "check its brackets")
    return None


def _parsed_fast(path: Path, text: str) -> Document | None:
    """A faultless text as a document; None of any other, about which the slow loader says more."""
    try:
        return _parsed(path, text, Problems(), _FastLoader)
    except (yaml.YAMLError, RecursionError):
        return None


def _parsed(path: Path, text: str, problems: Problems, kind: type) -> Document | None:
    """The text of a file as a document; None after noting what is wrong with its keys."""
    loader = kind(text)
    try:
        node = loader.get_single_node()
        document = Document(path, {})
        if node is None or not isinstance(node, yaml.MappingNode):
            problems.add(str(path), "contains no keys", "write it as `key: value` lines")
            return None
        before = len(problems.found)
        _walk(node, (), document, problems)
        if len(problems.found) > before:
            return None
        document.data = loader.construct_document(node)
        return document
    finally:
        loader.dispose()


def _walk(
    node: yaml.Node,
    location: Location,
    document: Document,
    problems: Problems,
    above: tuple[yaml.Node, ...] = (),
) -> None:
    """Note lines, duplicate keys, keys that are no texts and what contains itself (`above`: the
    nodes that contain this one), and make every key a text."""
    if node in above:
        where = document.where(*location)
        problems.add(where, "contains itself by an alias (*)", "write it out, without the alias")
        return
    above = (*above, node)
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                problems.add(*_bracketed(document, key))
                continue
            if key.tag != "tag:yaml.org,2002:merge":
                key.tag = "tag:yaml.org,2002:str"
            line = key.start_mark.line + 1
            place = (*location, str(key.value))
            if key.value in seen:
                problems.add(
                    f"{document.path}:{line}: {'.'.join(map(str, place))}",
                    f"is given twice (first on line {seen[key.value]})",
                    "keep one of them",
                )
            seen[key.value] = line
            document.lines[place] = line
            _walk(value, place, document, problems, above)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            document.lines[(*location, index)] = item.start_mark.line + 1
            _walk(item, (*location, index), document, problems, above)


def _bracketed(document: Document, key: yaml.Node) -> tuple[str, str, str]:
    """About a key that YAML reads as a mapping or a list, such as {J}."""
    start, end = key.start_mark, key.end_mark
    text = (start.buffer or "")[start.pointer : end.pointer].strip()
    where = f"{document.path}:{start.line + 1}"
    return where, f"YAML does not read the key {text} as text", f'put it in quotes: "{text}"'


def _unprintable(path: Path, text: str, error: yaml.reader.ReaderError) -> tuple[str, str, str]:
    line = text.count("\n", 0, error.position) + 1
    what = f"contains the character U+{ord(text[error.position]):04X}, which YAML does not allow"
    return f"{path}:{line}", what, "remove it, and save the file as UTF-8 text"


# By what PyYAML says of them: mistakes that its words do not show.
SLIPS = {
    r"character '\t'": ("there is a tab", "indent with spaces"),
    "found '<block mapping start>'": (
        "the line begins in another column than those above",
        "indent it like those that it belongs beside",
    ),
}


def _syntax(path: Path, error: yaml.YAMLError) -> tuple[str, str, str]:
    mark = getattr(error, "problem_mark", None)
    line = f":{mark.line + 1}" if mark else ""
    text = getattr(error, "problem", None) or str(error).splitlines()[0]
    for sign, (what, cure) in SLIPS.items():
        if sign in text:
            return f"{path}{line}", f"is not valid YAML: {what}", cure
    begun = getattr(error, "context_mark", None)
    if begun and begun.line < mark.line:  # a bracket or a quote that nothing closes
        text += f", in what begins in line {begun.line + 1}"
    return f"{path}{line}", f"is not valid YAML ({text})", "check indentation, colons and quotes"
