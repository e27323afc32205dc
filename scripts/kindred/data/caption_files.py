"""Reads the captions that people write and finds their photos: tables, and a .txt per photo.

Knows how captions are matched to photos by name; not who is in them. A path that was written with a
folder is only ever that path, so that no photo gets the caption of another that is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath

from kindred.common.errors import KindredError, Problems, near_word
from kindred.common.written_text import nfc, read_written_text
from kindred.data.caption_tables import WrittenCaption, clean, read_table
from kindred.data.photo_folder import Source

PLAIN_TEXTS = frozenset({"readme", "license", "licence", "notes", "todo", "changelog"})


class PhotoIndex:
    """Finds the photo that a table means: by its path in the source folder, or, where no folder is
    written, by its name or its name without suffix, if that fits one photo alone.

    Letters' case and the two Unicode spellings of accents make no difference, unless both are
    there. Paths of another machine (absolute, or from above the source folder called `root`) are
    read from where they enter the source folder.
    """

    def __init__(self, names: Iterable[str], root: str = "") -> None:
        self.names = list(names)
        self._root = _spelt(root)
        self._exact = {nfc(name): name for name in self.names}
        self._by_path: dict[str, set[str]] = defaultdict(set)
        self._by_name: dict[str, set[str]] = defaultdict(set)
        for name in self.names:
            path = PurePosixPath(name)
            for key in (name, str(path.with_suffix(""))):
                self._by_path[_spelt(key)].add(name)
            for key in (path.name, path.stem):
                self._by_name[_spelt(key)].add(name)

    def find(self, written: str) -> str | None:
        """The photo's name, or None when there is none or several would fit."""
        for exact in (nfc(written), nfc(written).strip(), path := self._inside(written)):
            if exact in self._exact:
                return self._exact[exact]
        found = self._by_path.get(_spelt(path), set())
        if not found and "/" not in path:
            found = self._by_name.get(_spelt(path), set())
        return next(iter(found)) if len(found) == 1 else None

    def beside(self, written: str) -> str | None:
        """The photo of the same folder and name, with its suffix or without, as the file system has
        it."""
        found = self._by_path.get(_spelt(written), set())
        exact = [
            name
            for name in found
            if written in (nfc(name), nfc(str(PurePosixPath(name).with_suffix(""))))
        ]
        fits = exact or found
        return next(iter(fits)) if len(fits) == 1 else None

    def fits_several(self, written: str) -> bool:
        """Whether more than one photo has this path, with its suffix or without."""
        return len(self._by_path.get(_spelt(written), set())) > 1

    def explain(self, written: str, entry: str = "line") -> str:
        """What to do about a name that was not found. entry: what named it, to be removed."""
        path = self._inside(written)
        fits = sorted(
            self._by_path.get(_spelt(path), set())
            or (set() if "/" in path else self._by_name.get(_spelt(path), set()))
        )
        if len(fits) > 1:
            return f"several photos match, so write the path: {' or '.join(fits)}"
        hint, remove = near_word(written, self.names), f"remove the {entry}"
        return f"{hint} Otherwise {remove}" if hint else f"add the photo, or {remove}"

    def _inside(self, written: str) -> str:
        """The path as seen from the source folder."""
        text = nfc(written).strip()
        absolute = text.startswith("/") or bool(PureWindowsPath(text).drive)
        parts = [part.strip() for part in text.replace("\\", "/").split("/")]
        parts = [part for part in parts if part not in ("", ".")]
        spelt = [_spelt(part) for part in parts]
        if self._root in spelt[:-1] and (absolute or spelt[0] == self._root):
            # A folder in the source folder may be called as it is.
            entered = [n for n, part in enumerate(spelt[:-1]) if part == self._root]
            inside = ["/".join(parts[n + 1 :]) for n in entered]
            return next((path for path in inside if _spelt(path) in self._by_path), inside[-1])
        folders = {_spelt(str(PurePosixPath(name).parent)) for name in self.names}
        if absolute and parts:
            return "/".join(parts[-2:] if len(parts) > 1 and spelt[-2] in folders else parts[-1:])
        return "/".join(parts)


def _spelt(text: str) -> str:
    return nfc(nfc(text).casefold())


def read_captions(
    source: Source, names: Iterable[str], problems: Problems, doubts: list[str]
) -> dict[str, WrittenCaption]:
    """Everything that caption files say, by the photo's name (path in the source folder).

    Adds to `problems`: files that can't be read, captions of photos that do not exist, two
    different captions of one photo. Adds to `doubts`: text files that belong to no photo.
    """
    index = PhotoIndex(names, source.root.name)
    aside = PhotoIndex((photo.name for photo in source.set_aside), source.root.name)
    found: dict[str, WrittenCaption] = {}

    def add(name: str | None, file_name: str, written: WrittenCaption) -> None:
        if name is None and aside.find(file_name):
            return  # of a photo that people.yaml leaves out
        if name is None:
            problems.add(
                written.where, f"there is no photo named '{file_name}'", index.explain(file_name)
            )
        else:
            found[name] = _merge(found.get(name), written, name, problems)

    for path in source.tables:
        for file_name, written in read_table(path, source.root, problems):
            add(index.find(file_name), file_name, written)
    for file_name, written in _sidecars(source, index, problems, doubts):
        add(index.beside(file_name), file_name, written)
    return found


def _sidecars(
    source: Source, index: PhotoIndex, problems: Problems, doubts: list[str]
) -> Iterator[tuple[str, WrittenCaption]]:
    """Captions beside their photos. A text without a photo is an orphan if others have one."""
    orphans = []
    for path in source.sidecars:
        label = path.relative_to(source.root).as_posix()
        beside = nfc(label.removesuffix(path.suffix))
        if index.beside(beside) is None and index.fits_several(beside):
            problems.add(label, "could belong to more than one photo", index.explain(beside))
            continue
        if index.beside(beside) is None:
            orphans.append((label, path.stem.lower() in PLAIN_TEXTS))
            continue
        try:
            text = read_written_text(path, label)
        except KindredError as error:
            problems.add_error(label, error)
            continue
        yield beside, WrittenCaption(clean(text), "", label, _lines(text))
    in_use = len(orphans) < len(source.sidecars)
    for label, plain in orphans:
        if in_use and not plain:
            stem = label.rsplit(".", 1)[0]
            what = "is a caption without a photo of that name"
            problems.add(label, what, index.explain(stem, "file"))
        else:
            doubts.append(f"{label}: is neither a photo nor a photo's caption, so it is not used")


def _lines(text: str) -> tuple[str, ...]:
    """A note where a caption has several lines, which other tools take for several captions."""
    lines = sum(bool(line.strip()) for line in text.split("\n"))
    return (f"has {lines} lines, which are joined to one caption",) if lines > 1 else ()


def _merge(
    old: WrittenCaption | None, new: WrittenCaption, name: str, problems: Problems
) -> WrittenCaption:
    """Two places may speak of one photo, as long as they do not contradict each other."""
    if old is None:
        return new
    for what, one, other in (("captions", old.text, new.text), ("`who`", old.who, new.who)):
        if one and other and one != other:
            problems.add(
                new.where, f"'{name}' has different {what} in {old.where}", "keep one of them"
            )
    told = old if old.text else new
    return replace(told, text=told.text, who=old.who or new.who)
