"""The store of finished tables of scores, and making those that are not there.

A table lies under a hash of everything that it depends on; see `ScoreRequest.key`. Importing this
module imports no torch, so that a job whose table is there takes no time.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common.content_store import ContentStore
from kindred.common.errors import KindredError
from kindred.common.hashing import sha256_file, spec_hash
from kindred.common.versions import step_version
from kindred.judges.version import version_of
from kindred.rendering.manifest import Manifest, check_pictures, read_manifest
from kindred.specs.judge import JudgeSpec
from kindred.specs.scoring import ScoreSpec

if TYPE_CHECKING:
    from kindred.judges.interface import Judge
    from kindred.scoring.references import References
    from kindred.scoring.training_pictures import TrainingPictures

STORE = Path("resources/store/scores")


@dataclass(frozen=True)
class ScoreRequest:
    """One table of scores: what score.py is told."""

    spec: ScoreSpec
    manifest: Manifest
    base: Manifest | None
    references: Path
    vectors: Path
    training: tuple[Path, ...]
    variant: str
    run: int

    @classmethod
    def read(
        cls,
        spec: ScoreSpec,
        manifest: Path | str,
        base: Path | str | None,
        references: Path | str,
        vectors: Path | str,
        training: Sequence[Path | str],
        variant: str,
        run: int,
    ) -> ScoreRequest:
        """From files. training: vectors of the datasets trained on. Raises KindredError naming a
        manifest that is missing or none, and pictures that are not in the store."""
        own, plain = read_manifest(manifest), read_manifest(base) if base else None
        check_pictures([own] + ([plain] if plain else []))
        known = tuple(map(Path, training))
        return cls(spec, own, plain, Path(references), Path(vectors), known, variant, run)

    def key(self) -> str:
        """Hash of everything that the table depends on: settings with their defaults, the judge's
        models, the references, what was trained on, the pictures by their keys, and the code.
        Which device scores is not in it."""
        facts: dict[str, Any] = {
            "spec": self.spec.model_dump(mode="json", by_alias=True),
            "judge": _version(self.spec.judge.canonical()),
            "references": [_file(self.references), _file(self.vectors)],
            "training": [_file(path) for path in self.training],
            "prompt_set": self.manifest.prompt_set,
            "pictures": _pictures(self.manifest),
            "base": _pictures(self.base) if self.base else None,
            "version": step_version("score"),
            "variant": self.variant,
            "run": self.run,
        }
        return spec_hash(facts)[:40]


def _pictures(manifest: Manifest) -> list[list[str | int]]:
    return [[row.name, row.prompt, row.seed, row.key] for row in manifest.rows]


@cache
def _version(judge: str) -> str:
    return version_of(JudgeSpec.read(judge))


@cache
def _file(path: Path) -> str:
    try:
        return sha256_file(path)
    except FileNotFoundError:
        raise KindredError("no such file", str(path), "run `snakemake`, which makes it") from None


def tables(store: Path, asked: ScoreRequest) -> ContentStore:
    """The store as it is for this table: one that lacks some of its pictures is not whole."""
    check = partial(check_table, pictures=len(asked.manifest.rows))
    return ContentStore(store, check, "scoring again", ".csv")


def has(store: Path, key: str, asked: ScoreRequest) -> bool:
    """Whether the table is there as a whole."""
    return tables(store, asked).has(key)


def fetch(store: Path, key: str, asked: ScoreRequest, out: Path) -> bool:
    """Copy a finished table to `out`; False when it is not there."""
    return tables(store, asked).fetch(key, out)


def check_table(path: Path, pictures: int) -> None:
    """Raise KindredError naming a table that lacks pictures or people found in them."""
    try:
        text = path.read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        images = [row for row in rows if row["kind"] == "image"]
        people = sum(int(row["people_found"]) for row in images)
    except (KeyError, TypeError, ValueError):
        text, images, rows, people = "", [], [], 0
    if not text.endswith("\n") or len(images) != pictures or len(rows) != pictures + people:
        raise KindredError("is empty or incomplete", str(path))


class Scorer:
    """Scores tables; each judge, each pair of reference files and all that is trained on is loaded
    once. `open_judge`: as in kindred.judges, with the device chosen."""

    def __init__(self, open_judge: Callable[[JudgeSpec], Judge]) -> None:
        self._open = open_judge
        self._judges: dict[str, Judge] = {}
        self._known: dict[tuple[Path, Path], References] = {}
        self._trained: dict[tuple[str, tuple[Path, ...]], TrainingPictures] = {}

    def score(self, asked: ScoreRequest, store: Path, key: str) -> tuple[int, int]:
        """Score and put the table into the store; (pictures, people found in them).

        Raises KindredError when the references are another judge's, ProblemsError for pictures
        that can't be read.
        """
        from kindred.scoring import score_images, score_table
        from kindred.scoring.table_provenance import write_stored

        judge, known = self._judge(asked.spec.judge), self._references(asked)
        if judge.identity != known.facts["judge"]:
            from kindred.scoring.references import ADVICE

            what = (
                f"was made by the judge {known.facts['judge']}, but this judge is {judge.identity}"
            )
            raise KindredError(what, str(asked.references), ADVICE)
        whose = score_images.VariantRun(asked.variant, asked.run)
        rows = score_images.score_images(
            judge, known, self._training(asked), asked.manifest, asked.base, asked.spec, whose
        )
        kept = tables(store, asked).put(key, partial(score_table.write_scores, rows=rows))
        write_stored(kept)
        pictures = len(asked.manifest.rows)
        return pictures, len(rows) - pictures

    def _judge(self, spec: JudgeSpec) -> Judge:
        name = spec.canonical()
        if name not in self._judges:
            self._judges[name] = self._open(spec)
        return self._judges[name]

    def _references(self, asked: ScoreRequest) -> References:
        from kindred.scoring import references

        files = (asked.references, asked.vectors)
        if files not in self._known:
            self._known[files] = references.load(*files)
        return self._known[files]

    def _training(self, asked: ScoreRequest) -> TrainingPictures:
        from kindred.scoring.training_pictures import read_vectors, training_pictures

        spec, key = asked.spec, (asked.spec.canonical(), asked.training)
        if key not in self._trained:
            known, letters = read_vectors(asked.training), sorted(spec.characters)
            self._trained[key] = training_pictures(spec.trained_on, [], known, letters)
        return self._trained[key]
