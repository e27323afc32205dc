"""From manifests to contact sheets: variants under each other, or photos beside renderings.

Knows manifests, prompts, seeds and characters; knows nothing of layout in pixels.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from PIL import Image

from kindred.characters.trigger_words import letters_in
from kindred.common.errors import KindredError, Problems, did_you_mean
from kindred.common.made_pictures import read_picture
from kindred.common.sentences import counted
from kindred.data.dataset_photos import DatasetPhoto
from kindred.rendering.manifest import Manifest, Row, open_pictures, read_manifest
from kindred.report.contact_sheet import Sheet, SheetRow
from kindred.specs.report import SheetSpec

SAME_NOISE = "A column is one seed: the same starting noise in every row."
OWN_NOISE = "Each prompt has starting noise of its own, the same for every variant."
Labelled = Sequence[tuple[str, Manifest]]


def read_labelled(text: str) -> tuple[str, Manifest]:
    """'all cells=path.json' -> its label and manifest."""
    label, sign, path = text.partition("=")
    if not sign or not label or not path:
        raise KindredError(
            "lacks a label or a file", f"--manifest {text}", "write it as LABEL=FILE"
        )
    return label, read_manifest(path)


def comparison(labelled: Labelled, spec: SheetSpec) -> Sheet:
    """Rows are variants under each prompt; with one manifest, rows are its prompts.

    Raises KindredError for unknown prompts and ProblemsError for pictures that are missing.
    """
    shown = _shown(labelled, spec)
    seeds = _seeds(shown, spec)
    heads, noise = _heads(shown, seeds)
    pictures = open_pictures(manifest for _, manifest in shown)
    prompts = {row.name: row.prompt for _, manifest in shown for row in manifest.rows}
    several = len(labelled) > 1
    rows = []
    for name, text in prompts.items():
        quoted = f"“{text}”" if not several else f"{name}: “{text}”"
        for label, manifest in shown:
            line = _filled(_line(manifest, name, seeds, pictures), len(heads))
            section = quoted if len(prompts) > 1 or not several else ""
            rows.append(SheetRow(label if several else name, line, section))
    label, first = labelled[0]
    about = first.prompt_set if not several or len(prompts) != 1 else quoted
    title = spec.title or (label if not several else first.prompt_set)
    return Sheet(
        title,
        heads,
        rows,
        _joined(about if about != title else "", _settings(labelled)),
        noise,
        cell=spec.cell,
    )


def likeness(labelled: Labelled, spec: SheetSpec, photos: Sequence[DatasetPhoto]) -> Sheet:
    """A section a character: training photos, then renderings of prompts that name nobody else.

    Photos of the character alone come first, then those with the fewest others; `spec.photos` a
    row.
    """
    characters = spec.characters or {}
    shown = [
        (label, _only(manifest, lambda row: len(letters_in(row.prompt, characters)) == 1))
        for label, manifest in _shown(labelled, spec)
    ]
    seeds = _seeds(shown, spec)
    heads, noise = _heads(shown, seeds)
    pictures = open_pictures(manifest for _, manifest in shown)
    rows = []
    for letter, who in characters.items():
        section = f"{who.name}, {who.noun}"
        lines = [
            (_joined(label, name), _filled(_line(manifest, name, seeds, pictures), len(heads)))
            for label, manifest in shown
            for name, text in manifest.prompts().items()
            if letters_in(text, characters) == [letter]
        ] or [("no prompt names only this one", [None] * len(heads))]
        originals = _photos_of(letter, photos, spec.photos * len(lines))
        for index, (label, line) in enumerate(lines):
            left = originals[index * spec.photos : (index + 1) * spec.photos]
            rows.append(SheetRow(label, [*left, *line], section))
    columns = [""] * spec.photos + heads
    bands = [("training photos", spec.photos), ("rendered", len(heads))]
    title = spec.title or "Originals beside renderings"
    return Sheet(title, columns, rows, _settings(labelled), noise, bands, spec.cell)


def _photos_of(letter: str, photos: Sequence[DatasetPhoto], count: int) -> list[Image.Image | None]:
    """`count` photos, filled up with None. Raises ProblemsError naming files that are missing."""
    having = [photo for photo in photos if letter in photo.letters]
    having.sort(key=lambda photo: (len(photo.letters), photo.image_id))
    problems, opened = Problems("prepared photos can't be read"), []
    for photo in having[:count]:
        try:
            opened.append(read_picture(photo.path))
        except KindredError as error:
            problems.add_error(str(photo.path), error)
    problems.raise_if_any()
    return [*opened, *[None] * (count - len(opened))]


def _line(
    manifest: Manifest,
    name: str,
    seeds: Sequence[int] | None,
    pictures: Mapping[str, Image.Image],
) -> list[Image.Image | None]:
    """A prompt's pictures, one a seed; None where that seed was not asked for. Without `seeds` all
    its pictures in their order."""
    if seeds is None:
        return [pictures[row.key] for row in manifest.rows if row.name == name]
    own = {row.seed: pictures[row.key] for row in manifest.rows if row.name == name}
    return [own.get(seed) for seed in seeds]


def _filled(line: list[Image.Image | None], count: int) -> list[Image.Image | None]:
    """A line as long as others: of pictures made elsewhere there may be fewer."""
    return [*line, *[None] * (count - len(line))]


def _shown(labelled: Labelled, spec: SheetSpec) -> list[tuple[str, Manifest]]:
    """The manifests cut down to the prompts and seeds that the sheet is about."""
    known = {row.name for _, manifest in labelled for row in manifest.rows}
    for name in spec.prompts or []:
        if name not in known:
            what = f"there is no prompt '{name}'"
            raise KindredError(what, "--spec: prompts", did_you_mean(name, known))

    def wanted(row: Row) -> bool:
        return (spec.prompts is None or row.name in spec.prompts) and (
            spec.seeds is None or row.seed in spec.seeds
        )

    return [(label, _only(manifest, wanted)) for label, manifest in labelled]


def _only(manifest: Manifest, wanted: Callable[[Row], bool]) -> Manifest:
    return replace(manifest, rows=[row for row in manifest.rows if wanted(row)])


def _seeds(labelled: Labelled, spec: SheetSpec) -> list[int] | None:
    """The seeds that stand for columns; None where prompts have seeds of their own."""
    if spec.seeds is not None:
        return spec.seeds
    asked: dict[str, set[int]] = defaultdict(set)
    rows = [row for _, manifest in labelled for row in manifest.rows]
    for row in rows:
        asked[row.name].add(row.seed)
    if not _share_any(list(asked.values())):
        return None
    return list(dict.fromkeys(row.seed for row in rows))


def _share_any(sets: Sequence[set[int]]) -> bool:
    """Whether a seed stands under more than one prompt, or there are no two."""
    return len(sets) < 2 or len(set().union(*sets)) < sum(map(len, sets))


def _heads(labelled: Labelled, seeds: Sequence[int] | None) -> tuple[list[str], str]:
    """What stands above the pictures' columns, and a line on their noise."""
    if seeds is not None:
        return [f"seed {seed}" for seed in seeds], SAME_NOISE
    counts = [Counter(row.name for row in manifest.rows) for _, manifest in labelled]
    most = max((max(count.values(), default=0) for count in counts), default=0)
    return [f"picture {n + 1}" for n in range(most)], OWN_NOISE


def _settings(labelled: Labelled) -> str:
    """Steps and guidance, as far as all manifests agree."""
    parts = []
    for key in ("steps", "guidance"):
        values = {manifest.settings.get(key) for _, manifest in labelled} - {None}
        if len(values) == 1:
            value = values.pop()
            parts.append(counted(value, "step") if key == "steps" else f"guidance {value}")
    return _joined(*parts)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
