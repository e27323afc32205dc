"""From a manifest of pictures to score rows.

Knows how a judge's sightings, the references and the names in prompts come together; knows nothing
of files but the pictures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from kindred.characters.trigger_words import letters_in, remove_trigger_words
from kindred.common.errors import KindredError, Problems
from kindred.common.made_pictures import read_picture
from kindred.common.progress import Progress
from kindred.data.image_quality import difference_hash
from kindred.judges.finite_answers import check_adherence, check_people, check_vectors
from kindred.judges.interface import DetectedPerson, Judge
from kindred.rendering.manifest import Manifest, check_pictures
from kindred.rendering.manifest import Row as Picture
from kindred.scoring.identity_assignment import assign_identities, too_near
from kindred.scoring.image_distance import describe, distances
from kindred.scoring.references import References
from kindred.scoring.score_table import TWO_NAMES, Row, image_row, person_rows
from kindred.scoring.training_pictures import TrainingPictures, hash_bytes, same_layout
from kindred.specs.scoring import ScoreSpec

BATCH = 64


@dataclass(frozen=True)
class VariantRun:
    """Which pictures these are: a variant's, of one run."""

    variant: str
    run: int


@dataclass(frozen=True)
class _Seen:
    """What is seen in a picture: people, how well it fits the prompt, which of the garments asked
    for each person wears, its size and hash."""

    people: list[DetectedPerson]
    adherence: float | None
    worn: list[str]
    size: tuple[int, int]
    bits: str


def score_images(
    judge: Judge,
    references: References,
    training: TrainingPictures,
    manifest: Manifest,
    base: Manifest | None,
    spec: ScoreSpec,
    whose: VariantRun,
) -> list[Row]:
    """A row an image and one a person, in the manifest's order. `training`: where copies are looked
    for. `base`: the same prompts by the base alone, for drift.

    Raises ProblemsError naming pictures that are not in the store, or of which the judge says what
    is no finite number.
    """
    check_pictures([manifest] + ([base] if base else []))
    if not manifest.rows:  # of pictures made elsewhere there may be none of a prompt set
        return []
    what = f"score {whose.variant} run {whose.run}"
    seen, vectors = _look(judge, manifest, spec, what)
    kind = references.facts["distance"]
    copies = training.comparisons(vectors, hash_bytes([one.bits for one in seen]))
    diversity = _diversity(manifest.rows, vectors, kind)
    drift = _drift(judge, manifest, base, vectors, spec, kind)
    rows: list[Row] = []
    for n, picture in enumerate(manifest.rows):
        extra = {
            "adherence": seen[n].adherence,
            **copies[n].columns,
            "diversity": diversity[n],
            "drift": drift[n],
        }
        keys = {
            "judge": references.facts["hash"],
            "variant": whose.variant,
            "run": whose.run,
            "prompt_set": manifest.prompt_set,
            "prompt": picture.name,
            "seed": picture.seed,
            "key": picture.key,
        }
        rows += _rows(keys, picture, seen[n], references, spec, extra, copies[n].composite)
    return rows


def _rows(
    keys: Row,
    picture: Picture,
    seen: _Seen,
    references: References,
    spec: ScoreSpec,
    extra: dict[str, Any],
    composite: Row | None,
) -> list[Row]:
    people, cast = seen.people, spec.casts.get(picture.name)
    letters, asked = sorted(spec.characters), letters_in(picture.prompt, spec.characters)
    similarity = references.similarity([person.embedding for person in people], letters)
    scale = references.scale
    identity, whole = (
        replace(scale, cut=cut).identity(similarity, letters) for cut in (scale.cut, False)
    )
    strangers = cast.strangers if cast else None
    least = references.least(letters)
    unread = [
        person.unread or (TWO_NAMES if too_near(row, least, references.lead) else "")
        for person, row in zip(people, whole, strict=True)
    ]
    open_ = [n for n, why in enumerate(unread) if why]
    matched = assign_identities(
        asked, whole, letters, least, references.faces, strangers, open_, scale.cut
    )
    heads = [person.head for person in people]
    layout = same_layout(composite, seen.size, list(zip(matched.found, heads, strict=True)))
    extra = extra | {"same_layout": layout}
    return [
        image_row(keys, asked, matched, len(people), extra, cast),
        *person_rows(keys, people, matched, similarity, identity, letters, seen.worn, unread),
    ]


def _look(
    judge: Judge, manifest: Manifest, spec: ScoreSpec, what: str
) -> tuple[list[_Seen], np.ndarray]:
    """What is seen in every picture, and vectors of the whole pictures."""
    seen: list[_Seen] = []
    vectors = []
    with Progress(what, len(manifest.rows), "image") as progress:
        for chunk, images in _batches(manifest):
            people, paths = judge.find(images), [row.path for row in chunk]
            check_people(people, paths)
            worn = _wears(judge, chunk, images, people, spec)
            # The judge's prompts model has never heard of the trigger names.
            prompts = [remove_trigger_words(row.prompt, spec.characters) for row in chunk]
            said = judge.adherence(images, prompts)
            check_adherence(said, paths)
            seen += [
                _Seen(*one, image.size, difference_hash(image))
                for *one, image in zip(people, said, worn, images, strict=True)
            ]
            vectors.append(describe(judge, images))
            check_vectors(vectors[-1], paths)
            progress.update(len(images))
    return seen, np.concatenate(vectors) if vectors else np.zeros((0, 1), np.float32)


def _wears(
    judge: Judge,
    chunk: Sequence[Picture],
    images: Sequence[Image.Image],
    people: Sequence[list[DetectedPerson]],
    spec: ScoreSpec,
) -> list[list[str]]:
    """What each person wears of the garments that a picture's prompt asks for; [] where it asks for
    none, of which the judge is not asked."""
    worn: list[list[str]] = [[] for _ in chunk]
    casts = [spec.casts.get(row.name) for row in chunk]
    asked = [n for n, cast in enumerate(casts) if cast and cast.wears]
    if asked:
        garments = [list(dict.fromkeys(casts[n].wears.values())) for n in asked]
        told = judge.wears([images[n] for n in asked], [people[n] for n in asked], garments)
        for n, own in zip(asked, told, strict=True):
            worn[n] = own
    return worn


def _batches(manifest: Manifest) -> Iterator[tuple[Sequence[Picture], list[Image.Image]]]:
    problems = Problems("pictures can't be read")
    for first in range(0, len(manifest.rows), BATCH):
        chunk, images = manifest.rows[first : first + BATCH], []
        for row in chunk:
            try:
                images.append(read_picture(row.path))
            except KindredError as error:
                problems.add_error(str(row.path), error)
        problems.raise_if_any()
        yield chunk, images


def _diversity(rows: Sequence[Picture], vectors: np.ndarray, kind: str) -> list[float | None]:
    """Mean distance of each picture to those of the same prompt with other seeds."""
    groups: dict[str, list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        groups[row.name].append(n)
    out: list[float | None] = [None] * len(rows)
    for members in groups.values():
        if len(members) > 1:
            far = distances(vectors[members], vectors[members], kind)
            np.fill_diagonal(far, 0.0)
            for n, total in zip(members, far.sum(1), strict=True):
                out[n] = float(total / (len(members) - 1))
    return out


def _drift(
    judge: Judge,
    manifest: Manifest,
    base: Manifest | None,
    vectors: np.ndarray,
    spec: ScoreSpec,
    kind: str,
) -> list[float | None]:
    """Distance of pictures whose prompts name nobody to the base's of the same prompt and seed."""
    out: list[float | None] = [None] * len(manifest.rows)
    if base is None:
        return out
    plain = {
        (row.prompt, row.seed): row
        for row in base.rows
        if not letters_in(row.prompt, spec.characters)
    }
    pairs = [
        (n, plain[row.prompt, row.seed])
        for n, row in enumerate(manifest.rows)
        if (row.prompt, row.seed) in plain
    ]
    done = 0
    for chunk, images in _batches(replace(base, rows=[row for _, row in pairs])):
        others = describe(judge, images)
        check_vectors(others, [row.path for row in chunk])
        for (n, _), other in zip(pairs[done : done + len(chunk)], others, strict=True):
            out[n] = float(distances(vectors[n][None], other[None], kind)[0, 0])
        done += len(chunk)
    return out
