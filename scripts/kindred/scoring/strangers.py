"""Strangers that a base draws itself: their faces, and thresholds that they do not pass.

Knows judges, lists of pictures and references; knows nothing of how the pictures came about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kindred.characters.face_calibration import calibrate, sentence
from kindred.common.progress import Progress
from kindred.judges.interface import Judge
from kindred.rendering.manifest import check_pictures, read_manifest
from kindred.scoring.references import References, people_in
from kindred.specs.scoring import CalibrationSpec, PicturesOfStrangers


def faces_drawn(judge: Judge, pictures: Sequence[PicturesOfStrangers]) -> dict[str, np.ndarray]:
    """Class noun -> [S, D] unit vectors, of the pictures with exactly one face that can be read.
    Equal pictures count once. Raises ProblemsError for pictures that are missing or can't be read,
    or of which the judge says what is no finite number."""
    lists = [(read_manifest(one.file), one.nouns) for one in pictures]
    check_pictures([manifest for manifest, _ in lists])
    wanted: dict[str, tuple[Path, str]] = {}
    for manifest, nouns in lists:
        wanted |= {
            row.key: (row.path, nouns[row.name]) for row in manifest.rows if row.name in nouns
        }
    todo, found = list(wanted.values()), {noun: [] for _, noun in sorted(wanted.values())}
    with Progress("strangers", len(todo), "image") as progress:
        paths = [path for path, _ in todo]
        for (_, noun), (_, own) in zip(todo, people_in(judge, paths, paths), strict=True):
            read = [one.embedding for one in own if one.embedding is not None]
            if len(read) == 1:
                found[noun].append(read[0])
            progress.update(1)
    return {noun: np.stack(rows) for noun, rows in found.items() if rows}


def recalibrated(
    known: References,
    drawn: Mapping[str, np.ndarray],
    spec: CalibrationSpec,
    population: np.ndarray,
) -> References:
    """The references with thresholds that strangers drawn by the base (noun -> [S, D]) do not pass
    either, beside those of the population [P, D]."""
    nouns = {x: who.plain_noun for x, who in spec.characters.items()}
    names = {x: who.name for x, who in spec.characters.items()}
    of_noun = {x: drawn[noun] for x, noun in nouns.items() if noun in drawn}
    told = calibrate(known.faces, population, of_noun).as_dict()
    told |= {"said": sentence(told, names)}
    digest = hashlib.sha256(f"{known.facts['hash']} {told}".encode()).hexdigest()[:12]
    facts = known.facts | {"calibration": told, "hash": digest}
    return replace(known, facts=facts, strangers=drawn)
