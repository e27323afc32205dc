"""Photos of a dataset on the audit's page: small, each once in the page, with links to the files.

Knows prepared images, the folders that photos came from, and which of an audit's lines begin with a
photo's name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kindred.report.thumbnails import small_thumbnails

EDGE = 112  # px, longest edge of a photo on the page
MOST = 400  # photos in one page; beyond, those that nothing is said of are links alone
EACH = 5  # photos of a person at the top, and beside what to do next
Json = dict[str, Any]


@dataclass(frozen=True)
class AuditPhoto:
    """A photo as the page shows it. number: its place among the page's pictures. link: to the file,
    from the page's folder. small: WebP in base64, '' for a photo without picture."""

    number: int
    source: str
    cell: str
    caption: str
    made: bool
    link: str
    small: str = ""


def audit_photos(
    photos: Sequence[Json],
    findings: Sequence[Json],
    images: Path,
    folders: Sequence[Path],
    page: Path,
) -> list[AuditPhoto]:
    """All photos of `coverage.photos_of`, those with something to say of first in line for a
    picture, photos before what was made of them.

    images: the folder of prepared images. folders: where the photos lie, tried in this order; where
    a photo is in none, its link leads to the prepared image. page: the folder that the page is in.
    """
    lines = [item for finding in findings for item in finding["items"]]
    concerned = {photo for line in lines if (photo := begins_with(line, _sources(photos)))}
    rows = sorted(photos, key=lambda one: (one["image"]["source"] not in concerned, _made(one)))
    files = {one["photo"]: images / f"{one['image']['image_id']}.png" for one in rows[:MOST]}
    there = {key: path for key, path in files.items() if path.is_file()}
    small = small_thumbnails(there, EDGE)
    return [
        AuditPhoto(
            number,
            one["image"]["source"],
            one["cell"],
            one["caption"]["caption"],
            _made(one),
            _link(one["image"], images, folders, page),
            small.get(one["photo"], ""),
        )
        for number, one in enumerate(photos)
    ]


def begins_with(line: str, sources: frozenset[str]) -> str:
    """The photo whose name a line begins with; '' for none. A name may hold spaces and colons."""
    ends = [len(line), *(n for n, letter in enumerate(line) if letter in " :")]
    return next((line[:n] for n in sorted(ends, reverse=True) if line[:n] in sources), "")


def of_lines(lines: Iterable[str], photos: Mapping[str, AuditPhoto]) -> list[AuditPhoto]:
    """The photos that lines are about, each once."""
    sources = frozenset(photos)
    found = dict.fromkeys(begins_with(line, sources) for line in lines)
    return [photos[name] for name in found if name]


def with_photos(lines: Iterable[str], photos: Mapping[str, AuditPhoto]) -> list[Json]:
    """Lines with the photo that each is about (None without one), and what it says besides."""
    sources = frozenset(photos)
    rows = []
    for line in lines:
        name = begins_with(line, sources)
        said = line[len(name) :].lstrip(" :") if name else line
        rows.append({"photo": photos[name] if name else None, "said": said})
    return rows


def by_cell(photos: Iterable[AuditPhoto]) -> dict[str, list[AuditPhoto]]:
    """Photos by who is on them, single people first, those that name nobody last."""
    found: dict[str, list[AuditPhoto]] = {}
    for photo in sorted(photos, key=lambda one: (one.made, one.source)):
        found.setdefault(photo.cell, []).append(photo)
    return dict(sorted(found.items(), key=lambda one: (not one[0], one[0].count("+"), one[0])))


def of_person(letter: str, photos: Iterable[AuditPhoto]) -> list[AuditPhoto]:
    """Some photos with a picture that show a person, alone where there are any."""
    own = [one for one in photos if one.small and letter in one.cell.split("+")]
    return sorted(own, key=lambda one: (one.cell != letter, one.made))[:EACH]


def _made(photo: Json) -> bool:
    return "made" in photo["image"]


def _sources(photos: Iterable[Json]) -> frozenset[str]:
    return frozenset(one["image"]["source"] for one in photos)


def _link(image: Json, images: Path, folders: Sequence[Path], page: Path) -> str:
    originals = [path for folder in folders if (path := folder / image["source"]).is_file()]
    target = originals[0] if originals else images / f"{image['image_id']}.png"
    return quote(Path(os.path.relpath(target, page)).as_posix())
