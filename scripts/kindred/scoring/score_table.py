"""The table of scores: a row an image and a row a person found in it.

Knows the columns of results/<experiment>/<variant>/run-<k>/scores/<prompt_set>.csv and of
results/<experiment>/scores.csv; knows nothing of how judges see or of statistics.

Every row
  version      of this format
  judge        12 hex digits of judge, its settings and reference photos: equal, or not comparable
  kind         image | person
  variant, run, prompt_set, prompt, seed
  key          of the picture in the store; ratings and pages name pictures by it
Rows of kind image
  asked        cell that the prompt names, 'A+J'; '' when it names nobody
  cast         the cast's name, 'A+J', 'pair+1'; '' of prompts that are of no cast set
  strangers_asked   people asked for who are no characters; '' likewise
  cast_right   1 when the people found are exactly the cast, each once, and as many as it has
  people_asked, people_found   characters and strangers
  count        1 when both are equal, 0 when not; '' when the prompt names nobody
  success      1 when the count is right and everyone asked for is there, once and recognised
  missing      asked for, not recognised in the picture: 'A+J'
  duplicated   recognised more than once: 'J'
  unasked      recognised but not asked for: 'C'
  strangers    number of people who are recognised as nobody
  identity     mean over those asked for, 0 for one to whom nobody is assigned
  adherence    what the judge says about the prompt's words, '' when it can't tell
  nearest, nearest_distance   id of the photo trained on that looks most alike, and how far it is
  nearest_composite, nearest_composite_distance   the same of pictures made of photos
  nearest_bits   bits of 128 in which its difference hash differs from the most alike one trained on
  copied       1 when a picture trained on is nearer than the 1 % quantile of photos' distances to
               their nearest other photo; copied_by_bits: the same by the difference hash
  same_layout  1 when it shows the same people in the same order as the nearest composite, their
               heads within 5 % of its width; '' where composites or their heads are not known
  diversity    mean distance to the same prompt's pictures with other seeds
  drift        distance to the base's picture of the same prompt and seed; prompts without names
Rows of kind person
  person       0, 1, ... from left to right
  box, head    'x0 y0 x1 y1' in pixels
  score        of the find
  assigned     letter asked for that this person stands for (one to one, best sum), or ''
  found        letter of the most similar character if recognised, '' for a stranger
  similarity   mean cosine with the reference photos of `assigned`, else of the nearest character
  identity     the same on a scale where 0 is a stranger and 1 another photo of the same person
  margin       identity minus the best identity of any other character
  likeness     identity with every character: 'A:0.12 C:-0.03 J:0.91'
  wears        which of the garments that the prompt of a cast set asks for this person wears best,
               as the prompt says it: 'red sweater'; '' for none or where the judge can't tell
  unread       why nobody can say who it is: 'too small to see', 'turned away', 'covered', 'between
               two names'; a column of tables alone in which that occurs. Such people are no
               strangers, and nobody counts as missing who could be one of them

Truth values are 0 and 1. What can't be said is empty.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kindred.characters.cells import cell_name
from kindred.common.errors import KindredError, Problems
from kindred.common.files import atomic_write, write_csv
from kindred.judges.interface import DetectedPerson
from kindred.scoring.identity_assignment import IdentityAssignment, identity_margin
from kindred.specs.casts import AskedCast
from kindred.specs.scoring import CompareSpec

VERSION = 3
ADVICE = "delete it and run `snakemake`, which scores again"
KEYS = ("version", "judge", "kind", "variant", "run", "prompt_set", "prompt", "seed", "key")
OF_IMAGE = (
    "asked",
    "cast",
    "strangers_asked",
    "cast_right",
    "people_asked",
    "people_found",
    "count",
    "success",
    "missing",
    "duplicated",
    "unasked",
    "strangers",
    "identity",
    "adherence",
    "nearest",
    "nearest_distance",
    "nearest_composite",
    "nearest_composite_distance",
    "nearest_bits",
    "copied",
    "copied_by_bits",
    "same_layout",
    "diversity",
    "drift",
)
OF_PERSON = (
    "person",
    "box",
    "head",
    "score",
    "assigned",
    "found",
    "similarity",
    "margin",
    "likeness",
    "wears",
)
COLUMNS = (*KEYS, *OF_IMAGE, *OF_PERSON)  # `identity` serves both kinds
UNREAD = "unread"
TWO_NAMES = "between two names"

Row = dict[str, Any]
Scored = dict[str, str]  # a row as read


def image_row(
    keys: Row,
    asked: Sequence[str],
    matched: IdentityAssignment,
    people: int,
    extra: Mapping[str, Any],
    cast: AskedCast | None = None,
) -> Row:
    """The row of a picture. `extra`: the columns that have nothing to do with people. `cast`: whom
    a prompt of a cast set asks for."""
    asked_for = len(asked) + (cast.strangers if cast else 0)
    return {
        **keys,
        "version": VERSION,
        "kind": "image",
        "asked": cell_name(asked),
        "cast": cast.name if cast else None,
        "strangers_asked": cast.strangers if cast else None,
        "cast_right": matched.cast_right,
        "people_asked": asked_for or None,
        "people_found": people,
        "count": matched.count,
        "success": matched.success,
        "missing": cell_name(matched.missing),
        "duplicated": cell_name(matched.duplicated),
        "unasked": cell_name(matched.unasked),
        "strangers": matched.strangers,
        "identity": matched.identity,
        **extra,
    }


def person_rows(
    keys: Row,
    people: Sequence[DetectedPerson],
    matched: IdentityAssignment,
    similarity: np.ndarray,
    identity: np.ndarray,
    letters: Sequence[str],
    wears: Sequence[str] = (),
    unread: Sequence[str] = (),
) -> list[Row]:
    """The rows of a picture's people; similarity and identity [P, C] with the C characters.
    `wears`: a garment or '' for each of them, empty where none was asked for; `unread`: why nobody
    can say who it is, or ''."""
    rows = []
    for n, person in enumerate(people):
        row = {
            **keys,
            "version": VERSION,
            "kind": "person",
            "person": n,
            "box": _numbers(person.box),
            "head": _numbers(person.head),
            "score": person.score,
            "assigned": matched.assigned[n],
            "found": matched.found[n],
            "wears": wears[n] if wears else "",
            **({UNREAD: unread[n]} if unread and unread[n] else {}),
        }
        if not np.isnan(identity[n]).all():
            assigned = matched.assigned[n]
            column = letters.index(assigned) if assigned else int(np.nanargmax(identity[n]))
            row |= {
                "similarity": _known(similarity[n, column]),
                "identity": _known(identity[n, column]),
                "margin": identity_margin(identity[n], column),
                "likeness": " ".join(
                    f"{letter}:{value:.3f}"
                    for letter, value in zip(letters, identity[n], strict=True)
                    if not np.isnan(value)
                ),
            }
        rows.append(row)
    return rows


def write_scores(path: Path | str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV, atomically: truth values as 0 and 1, numbers with at most 4 decimals."""
    rows = list(rows)
    columns = _columns(rows)
    write_csv(path, columns, ({name: _text(row.get(name)) for name in columns} for row in rows))


def _columns(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return (*COLUMNS, UNREAD) if any(row.get(UNREAD) for row in rows) else COLUMNS


def write_texts(path: Path | str, rows: Iterable[Scored]) -> None:
    """Write rows that were read, as they are, atomically."""
    rows = list(rows)
    columns = _columns(rows)
    with (
        atomic_write(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([row.get(name, "") for name in columns] for row in rows)


def read_scores(path: Path | str) -> list[Scored]:
    """Read a score file; values stay texts.

    Raises KindredError when it is missing or of another version.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            columns = next(reader, [])
            if tuple(columns) not in (COLUMNS, (*COLUMNS, UNREAD)):
                raise KindredError(_difference(columns), str(path), ADVICE)
            rows = [dict(zip(columns, values, strict=True)) for values in reader]
    except FileNotFoundError:
        raise KindredError("no such file", str(path), ADVICE) from None
    except (ValueError, UnicodeDecodeError) as error:
        raise KindredError(
            f"can't be read as a table of scores ({error})", str(path), ADVICE
        ) from None
    versions = {row["version"] for row in rows} - {str(VERSION)}
    if versions:
        found = ", ".join(sorted(versions))
        what = f"contains scores of version {found}, but this program reads {VERSION}"
        raise KindredError(what, str(path), ADVICE)
    return rows


def _difference(columns: Sequence[str]) -> str:
    lacks = [name for name in COLUMNS if name not in columns]
    other = [name for name in columns if name not in COLUMNS]
    parts = ["contains scores of another version"]
    parts += [f"without {', '.join(lacks[:4])}"] if lacks else []
    parts += [f"with {', '.join(other[:4])}"] if other else []
    return ", ".join(parts)


def _numbers(box: Sequence[float]) -> str:
    return " ".join(f"{value:.1f}" for value in box)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return str(value)


def tables_of(spec: CompareSpec, results: Path) -> list[tuple[str, Path]]:
    """(variant, path) of the tables of all its runs and prompt sets."""
    return [
        (name, results / name / f"run-{run}" / "scores" / f"{prompt_set}.csv")
        for name, variant in spec.variants.items()
        for run in variant.runs
        for prompt_set in spec.prompt_sets
    ]


def read_experiment(spec: CompareSpec, results: Path, judge: str) -> dict[str, list[Scored]]:
    """Variant -> score rows of all its runs and prompt sets.

    Raises ProblemsError naming every file that is missing, of another version, or scored by
    another judge than `judge` (a hash).
    """
    problems = Problems("scores can't be compared")
    found: dict[str, list[Scored]] = {name: [] for name in spec.variants}
    for name, path in tables_of(spec, results):
        try:
            rows = read_scores(path)
        except KindredError as error:
            problems.add_error(str(path), error)
            continue
        if {row["judge"] for row in rows} - {judge}:
            problems.add(str(path), "was scored by another judge or with other references", ADVICE)
        found[name] += rows
    problems.raise_if_any()
    return found
