"""An experiment over several albums: one file stands for an experiment an album, `<file>-<album>`.

In such a file `{album}` is the album's name wherever a text says it, and what depends on who is in
a family is said without letters: a number in `cells` and `coverage` is every group of so many
people, `of: all` in `casts` is everybody, `characters: each` in a sweep makes a variant for each of
them, and `adapters` that name that sweep load all of its variants. `characters` may be left out
where the album is one of the lab's families. Knows keys and letters; resolves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from kindred.characters.cells import cell_name
from kindred.common.errors import Problems, did_you_mean
from kindred.config.derived_experiments import LIKE, merge_keys, read_experiment
from kindred.config.yaml_document import Document
from kindred.world.families import FAMILIES
from kindred.world.vocabulary import adult, noun

ALBUMS = "albums"
EVERYBODY, EACH = "all", "each"
PLACE = "{album}"  # where the album's name goes
OF_CELLS = frozenset({"cells", "coverage", "held_out", "per_cell"})


def experiment_names(folder: Path) -> set[str]:
    """Names of all experiments below the configuration `folder`: files and their albums."""
    files = _files(folder)
    return files.union(*(made_of(folder, name) for name in files))


def file_of(folder: Path, name: str) -> str:
    """The file that describes an experiment: its own, or the one that has it as an album."""
    files = _files(folder)
    parts = name.split("-")
    heads = ("-".join(parts[:end]) for end in range(len(parts) - 1, 0, -1))
    found = (one for one in heads if one in files and name in made_of(folder, one))
    return name if name in files else next(found, name)


def made_of(folder: Path, file: str) -> list[str]:
    """The experiments that a file with albums stands for; none of any other."""
    path = folder / "experiments" / f"{file}.yaml"
    if not _may_say_albums(path):
        return []
    document = read_experiment(path, Problems())
    return [f"{file}-{album}" for album in _albums(document.data)] if document else []


def _may_say_albums(path: Path, seen: tuple[Path, ...] = ()) -> bool:
    """Whether the text of a file, or of one that it is like, has a line of albums. Nearly none has,
    and parsing them all takes longer than planning one."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    if re.search(rf"^{ALBUMS}:", text, re.MULTILINE):
        return True
    like = re.search(rf"^{LIKE}:[ ]*(.*)$", text, re.MULTILINE)
    if not like or path in seen:
        return False
    plain = re.match(r"([\w.-]+)[ ]*(#|$)", like[1])
    if not plain:  # in quotes, say: reading the file tells
        return True
    return _may_say_albums(path.with_name(f"{plain[1]}.yaml"), (*seen, path))


def read_experiments(folder: Path, name: str, problems: Problems) -> list[tuple[str, Document]]:
    """(name, document) of what a person calls an experiment: itself, or one for each of its albums,
    or one of these; every problem is noted."""
    file = file_of(folder, name)
    path = folder / "experiments" / f"{file}.yaml"
    document = read_experiment(path, problems)
    if document is None:
        return []
    albums = _albums(document.data)
    if not albums:
        if ALBUMS in document.data:
            problems.add(
                document.where(ALBUMS), "no album is named", "name one, or remove `albums`"
            )
        return [(name, document)]
    files = _files(folder)
    found = []
    for album, own in albums.items():
        whole = f"{file}-{album}"
        if whole in files:
            what, cure = f"there is also a file '{whole}'", "rename one of them"
            problems.add(document.where(ALBUMS), what, cure)
        if name in (file, whole) and (made := _of_album(document, album, own, problems)):
            found.append((whole, made))
    return found


def _files(folder: Path) -> set[str]:
    """Names of all experiment files."""
    return {path.stem for path in (folder / "experiments").glob("*.yaml")}


def _albums(data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Album -> what differs in it."""
    given = data.get(ALBUMS) or {}
    if isinstance(given, Mapping):
        return {str(name): own if isinstance(own, Mapping) else {} for name, own in given.items()}
    return {str(name): {} for name in given} if isinstance(given, list) else {}


def _of_album(
    document: Document, album: str, own: Mapping[str, Any], problems: Problems
) -> Document | None:
    """The file as it holds for one album; None after noting why it can't be said."""
    data = {key: value for key, value in document.data.items() if key != ALBUMS}
    data = _named(merge_keys(data, own), album)
    if "characters" not in data:
        if album not in FAMILIES:
            where = document.where(ALBUMS, album)
            what = (
                f"'{album}' is not one of the lab's families, and the file doesn't say who is in it"
            )
            problems.add(
                where,
                what,
                f"list its `characters`; if you meant a family: {did_you_mean(album, FAMILIES)}",
            )
            return None
        data["characters"] = _of_family(album)
    people = data["characters"]
    letters = sorted(people) if isinstance(people, Mapping) else []
    return replace(document, data=_lettered(data, letters))


def _of_family(name: str) -> dict[str, dict[str, str]]:
    """A family's characters by letter, as a file would say them."""
    return {
        person.name[0]: {
            "name": person.name,
            "class": noun(person.kind),
            "age": "adult" if adult(person.kind) else "child",
        }
        for person in FAMILIES[name].members
        if person.name
    }


def _named(value: Any, album: str) -> Any:
    """The value with the album's name wherever it goes."""
    if isinstance(value, str):
        return value.replace(PLACE, album)
    if isinstance(value, list):
        return [_named(one, album) for one in value]
    if isinstance(value, Mapping):
        return {_named(key, album): _named(one, album) for key, one in value.items()}
    return value


def _lettered(value: Any, letters: Sequence[str]) -> Any:
    """The experiment with everybody's letters where it says them without."""
    result = _spelled(value, letters)
    variants = result.get("variants")
    for one in variants.values() if isinstance(variants, Mapping) else ():
        adapters = one.get("adapters") if isinstance(one, Mapping) else None
        if isinstance(adapters, Mapping):
            one["adapters"] = {
                name: weight
                for key, weight in adapters.items()
                for name in (_swept(key, value["variants"], letters) or [key])
            }
    return result


def _swept(key: str, variants: Mapping[str, Any], letters: Sequence[str]) -> list[str]:
    """The variants of a sweep over everybody; none of any other key."""
    one = variants.get(key)
    sweep = one.get("sweep") if isinstance(one, Mapping) else None
    alone = isinstance(sweep, Mapping) and list(sweep.items()) == [("characters", EACH)]
    return [f"{key}-{letter}" for letter in letters] if alone else []


def _spelled(value: Any, letters: Sequence[str], key: str = "") -> Any:
    if key == "sweep" and isinstance(value, Mapping) and value.get("characters") == EACH:
        return {**value, "characters": [[letter] for letter in letters]}
    if key == "casts" and isinstance(value, Mapping) and value.get("of") == EVERYBODY:
        return {**value, "of": list(letters)}
    if key in OF_CELLS and isinstance(value, Mapping):
        return {cell: n for size, n in value.items() for cell in _cells(size, letters)}
    if key in OF_CELLS and isinstance(value, list):
        return [cell for size in value for cell in _cells(size, letters)]
    if isinstance(value, Mapping):
        return {name: _spelled(one, letters, name) for name, one in value.items()}
    return value


def _cells(size: Any, letters: Sequence[str]) -> list[Any]:
    """Every cell of so many people, each once; what is no number is one cell itself."""
    if not str(size).isdigit():
        return [size]
    return [cell_name(group) for group in combinations(letters, int(size))]
