"""What lies in the stores, and what of it no result mentions any more.

Knows results' manifests and adapters, photos in use, and the stores' folders; deletes only what it
is given.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.data import people_file, photo_faces
from kindred.models.lora.adapters import content_hash
from kindred.rendering.image_store import ImageStore
from kindred.rendering.manifest import read_manifest
from kindred.training import adapter_store, kept_states

ADAPTER_FILE = "lora.safetensors"
CLASS_PICTURES, PREPARED = "class.json", "images.json"
DAY_S = 24 * 3600.0


@dataclass(frozen=True)
class Item:
    """A stored picture or faces of a photo (files), adapter or last state (folders): bytes, age in
    seconds, whether it is used."""

    kind: str
    path: Path
    size: int
    age_s: float
    used: bool


@dataclass(frozen=True)
class Used:
    """What is mentioned: keys of pictures, content hashes of adapters; how many manifests results
    have; keys of states; how the SHA-256 of photos begin that somebody still has."""

    keys: frozenset[str]
    adapters: frozenset[str]
    manifests: int
    states: frozenset[str] = frozenset()
    photos: frozenset[str] = frozenset()


def referenced_by(results: Path, datasets: Path | None = None, photos: Path | None = None) -> Used:
    """Read every `images/*.json`, `lora.safetensors` and `lora.json` under the results folder, the
    lists of photos and class pictures in a folder of datasets, and every people.yaml in `photos`.

    Raises KindredError when one of them can't be read, so that nothing is deleted half-informed.
    """
    keys: set[str] = set()
    adapters = {content_hash(path) for path in results.rglob(ADAPTER_FILE)}
    summaries = [read_json(path) for path in results.rglob("lora.json")]
    states = frozenset(told["state"] for told in summaries if "state" in told)
    files = sorted(results.rglob("images/*.json"))
    for file in files + sorted(datasets.glob(f"*/{CLASS_PICTURES}") if datasets else ()):
        manifest = read_manifest(file)
        keys.update(row.key for row in manifest.rows)
        if "code" in manifest.settings or any("sha256" in one for one in manifest.adapters):
            raise KindredError(
                "it is from an older version, whose keys are no longer used",
                str(file),
                "run `python scripts/migrate_stores.py --apply` and `snakemake`; then clean up",
            )
        adapters.update(adapter["content_hash"] for adapter in manifest.adapters)
    known = frozenset(_photos_in_use(datasets, photos))
    return Used(frozenset(keys), frozenset(adapters), len(files), states, known)


def _photos_in_use(datasets: Path | None, photos: Path | None) -> Iterator[str]:
    """How the SHA-256 of photos begin: of prepared ones, and of those beside a people.yaml."""
    for file in sorted(datasets.glob(f"*/{PREPARED}")) if datasets else ():
        yield from (row["source_sha256"] for row in read_json(file))
    for file in sorted(photos.rglob(people_file.NAME)) if photos else ():
        for name, entry in people_file.read_people(file).photos.items():
            if entry.file and (file.parent / name).is_file():
                yield entry.file


def stored(
    images: Path,
    adapters: Path,
    used: Used,
    now: float | None = None,
    checkpoints: Path | None = None,
    faces: Path | None = None,
) -> list[Item]:
    """Everything in both stores, leftovers of interrupted writing included; the last states of
    trainings that lie among checkpoints; and faces that were found in photos."""
    now = time.time() if now is None else now
    store = ImageStore(images)
    trained = adapter_store.adapters(adapters)
    found = [("picture", store.path(key), key in used.keys) for key in store]
    found += [("leftover", path, False) for path in [*store.leftovers(), *trained.leftovers()]]
    for folder in map(trained.path, trained):
        found.append(("adapter", folder, _content(folder / ADAPTER_FILE) in used.adapters))
    for folder in kept_states.folders(checkpoints) if checkpoints else ():
        found.append(("state", folder, folder.name in used.states))
    if faces:
        looked = photo_faces.face_store(faces)
        found += [("leftover", path, False) for path in looked.leftovers()]
        found += [("faces", path, _has_photo(path, used)) for path in map(looked.path, looked)]
    items = (_item(kind, path, is_used, now) for kind, path, is_used in found)
    return [item for item in items if item]


def prunable(items: Iterable[Item], days: float, used: Used) -> list[Item]:
    """What no result mentions and is older than `days`; the young may belong to work under way.

    Raises KindredError when there is no manifest at all: that is a wrong folder, not a clean-up.
    """
    if not used.manifests:
        raise KindredError(
            "there is no list of pictures in the results folder, so nothing is deleted",
            cure="set --results to the folder that holds your experiments; before the first "
            "picture is drawn, this command can't tell what is in use",
        )
    return [item for item in items if not item.used and item.age_s >= days * DAY_S]


def delete(items: Iterable[Item]) -> int:
    """Delete them; return the bytes that got free. What is gone already is no error."""
    freed = 0
    for item in items:
        try:
            shutil.rmtree(item.path) if item.path.is_dir() else item.path.unlink()
            freed += item.size
        except FileNotFoundError:
            continue
    return freed


def _content(file: Path) -> str | None:
    """An adapter's content hash; None for a broken or lost file, which nothing mentions."""
    try:
        return content_hash(file)
    except (KindredError, FileNotFoundError):
        return None


def _has_photo(entry: Path, used: Used) -> bool:
    """Whether somebody still has the photo that faces were found in."""
    try:
        return photo_faces.photo_of(entry).startswith(tuple(used.photos))
    except (KindredError, FileNotFoundError):
        return False


def _item(kind: str, path: Path, used: bool, now: float) -> Item | None:
    """As it is now, a folder with all that lies in it; None where it has gone meanwhile. As old as
    its newest file, and an empty folder as old as itself."""
    own = _stat(path)
    if own is None:
        return None
    # Not rglob, which raises for a folder that goes while it looks.
    below = (_stat(Path(place) / name) for place, _, names in os.walk(path) for name in names)
    files = [one for one in below if one] if stat.S_ISDIR(own.st_mode) else [own]
    newest = max((one.st_mtime for one in files), default=own.st_mtime)
    return Item(kind, path, sum(one.st_size for one in files), now - newest, used)


def _stat(path: Path) -> os.stat_result | None:
    """None where it is gone: other programs work in the stores too."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def summary(items: Sequence[Item]) -> str:
    """A line a kind: how many, how large, how many unused."""
    lines = [f"{'':10} {'number':>8} {'MB':>10} {'unused':>8} {'MB':>10}"]
    for kind in sorted({item.kind for item in items}):
        own = [item for item in items if item.kind == kind]
        unused = [item for item in own if not item.used]
        sizes = (sum(item.size for item in group) / 1e6 for group in (own, unused))
        total, free = sizes
        lines.append(f"{kind:10} {len(own):8} {total:10.1f} {len(unused):8} {free:10.1f}")
    return "\n".join(lines)
