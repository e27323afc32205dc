"""The manifest of a rendered prompt set: which pictures it consists of and where they lie.

Later steps read manifests only, never the store's folders. Equal content is equal bytes: nothing
in a manifest depends on what was drawn just now and what was there already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from kindred.common.errors import KindredError, Problems
from kindred.common.files import read_json, write_json
from kindred.common.made_pictures import read_picture
from kindred.common.versions import UNRECORDED
from kindred.models.lora.adapters import Adapter
from kindred.rendering.image_plan import ImageRequest
from kindred.rendering.image_store import ImageStore, code_revisions

ADVICE = "draw them again: run `snakemake`, or scripts/render.py with this manifest as --out"
DAMAGED = "delete them, then run `snakemake`, which draws them again"


@dataclass(frozen=True)
class Row:
    """One picture of a manifest."""

    name: str
    prompt: str
    seed: int
    width: int
    height: int
    key: str
    path: Path


@dataclass(frozen=True)
class Manifest:
    """A rendered prompt set as read from its file. `code_revisions`: of the code that drew."""

    file: Path
    prompt_set: str
    settings: dict[str, Any]
    adapters: list[dict[str, Any]]
    rows: list[Row]
    code_revisions: list[str] = field(default_factory=list)

    def prompts(self) -> dict[str, str]:
        """Prompt name -> text, in order."""
        return {row.name: row.prompt for row in self.rows}


def write_manifest(
    path: Path | str,
    prompt_set: str,
    pictures: Sequence[ImageRequest],
    adapters: Sequence[Adapter],
    store: ImageStore,
) -> None:
    """Write the manifest of pictures that are all in the store."""
    own = {"prompt", "width", "height", "seed", "adapters", "cast", "references"}
    own |= {"source", "faces", "kept"}  # of pictures with faces drawn again
    first = pictures[0].settings if pictures else {}
    write_json(
        path,
        {
            "prompt_set": prompt_set,
            "code_revisions": code_revisions({store.path(picture.key) for picture in pictures}),
            "settings": {k: v for k, v in first.items() if k not in own},
            "adapters": [adapter.noted() for adapter in adapters],
            "images": [
                {
                    "name": picture.name,
                    "prompt": picture.prompt,
                    "seed": picture.seed,
                    "width": picture.size[0],
                    "height": picture.size[1],
                    "key": picture.key,
                    "path": store.path(picture.key).as_posix(),
                }
                for picture in pictures
            ],
        },
    )


def read_manifest(path: Path | str) -> Manifest:
    """Read a manifest. Raises KindredError naming the file and what it lacks."""
    value = read_json(path)
    try:
        rows = [Row(**{**row, "path": Path(row["path"])}) for row in value["images"]]
        return Manifest(
            Path(path),
            value["prompt_set"],
            value["settings"],
            value["adapters"],
            rows,
            value.get("code_revisions", [UNRECORDED]),
        )
    except (KeyError, TypeError) as error:
        what = f"is not a list of pictures ({error})"
        raise KindredError(what, str(path), ADVICE) from None


def open_pictures(manifests: Iterable[Manifest]) -> dict[str, Image.Image]:
    """Key -> RGB picture of every row. Raises ProblemsError naming all that are missing or damaged,
    a line a manifest, with the cure."""
    problems, pictures = Problems("some pictures can't be shown"), {}
    for manifest in manifests:
        unread = []
        for row in manifest.rows:
            try:
                pictures[row.key] = read_picture(row.path)
            except KindredError:
                unread.append(row)
        _note_missing(manifest, unread, problems)
    problems.raise_if_any()
    return pictures


def check_pictures(manifests: Sequence[Manifest]) -> None:
    """Raise ProblemsError, a line a manifest, when pictures are missing from the store."""
    problems = Problems("some pictures can't be shown")
    for manifest in manifests:
        lost = [row for row in manifest.rows if not row.path.is_file()]
        _note_missing(manifest, lost, problems)
    problems.raise_if_any()


def _note_missing(manifest: Manifest, unread: Sequence[Row], problems: Problems) -> None:
    """Note a manifest's pictures that could not be read: those gone, and those that are damaged,
    which Snakemake can't see."""
    damaged = [row for row in unread if row.path.exists()]
    missing = [row for row in unread if not row.path.exists()]
    for rows, what, cure in ((missing, "missing", ADVICE), (damaged, "damaged", DAMAGED)):
        if rows:
            few = ", ".join(str(row.path) for row in rows[:3]) + (" ..." if len(rows) > 3 else "")
            told = f"{len(rows)} of {len(manifest.rows)} {what} ({few})"
            problems.add(str(manifest.file), told, cure)
