"""The page of measures: every record has its entry, names code that is there, and what it says of
chance is so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from kindred.report.measures_reference import SYMBOLS, measures_page
from kindred.scoring.image_distance import COSINE, distances
from kindred.scoring.training_pictures import Pictures, TrainingPictures
from kindred.specs.cast_figures import CAST_FIGURES
from kindred.specs.measures import MEASURES
from kindred.specs.report_figures import REPORT_FIGURES

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "scripts" / "kindred"
RECORDS = [*MEASURES.values(), *CAST_FIGURES.values(), *REPORT_FIGURES]
PAGE = measures_page(ROOT)


def defined(file: str) -> set[str]:
    tree = ast.parse((LIBRARY / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.name)
def test_every_record_has_its_formula_and_names_its_code(record):
    assert f"### `{record.name}`\n" in PAGE
    assert f"```text\n{record.formula}\n```" in PAGE
    for place in record.code.split("; "):
        file, _, name = place.partition(": ")
        assert name in defined(file), place


def test_no_formula_is_wider_than_a_page():
    lines = [line for one in RECORDS for line in one.formula.split("\n")]
    assert [line for line in lines if len(line) > 100] == []


def test_what_formulas_are_made_of_is_explained():
    used = {x for one in RECORDS for x in re.findall(r"\b([A-Za-z]{1,3})\([a-zA-Z]", one.formula)}
    told = {symbol.partition("(")[0] for symbol, _, _ in SYMBOLS}
    # I, m of casts, p and M are defined in the formula itself.
    assert used - told <= {"I", "p", "M", "of"}


def test_what_the_base_reads_is_that_of_the_published_table():
    row = re.search(r"^\| `cast` \| \[(\d+) %\].*$", PAGE, re.M)
    assert row and row[1] == "25" and row[0].count("](../findings/strangers/runs.csv ") == 3


def compared(trained: np.ndarray, other: np.ndarray) -> bool:
    """Whether a photo that was not trained on is called a copy."""
    hashes = np.zeros((len(trained), 16), np.uint8)
    rows = [{"name": f"photos/{n}"} for n in range(len(trained))]
    photos, none = Pictures(rows, trained, hashes), Pictures([], trained[:0], hashes[:0])
    known = TrainingPictures(COSINE, photos, none, photos, none)
    (one,) = known.comparisons(other[None], np.zeros((1, 16), np.uint8))
    return one.columns["copied"]


def test_chance_calls_as_many_photos_copies_as_the_page_says():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(1500, 26, 4))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    copies = [compared(own[:25], own[25]) for own in vectors]
    assert np.mean(copies) == pytest.approx(2 / 26, abs=0.02)
    assert "2 / (N + 1): 8 % for 25 photos" in MEASURES["copied"].derived
    far = distances(vectors[0], vectors[0], COSINE) + 9 * np.eye(26)
    photos = Pictures([{"name": "x"}] * 26, vectors[0], np.zeros((26, 16), np.uint8))
    known = TrainingPictures(COSINE, photos, photos, photos, photos)
    assert known.line == pytest.approx(far.min())
