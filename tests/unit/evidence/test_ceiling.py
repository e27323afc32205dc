"""The ceiling's figures and its warning, by counts made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

import sum_ceiling as program
from kindred.common.files import read_json, write_json
from kindred.evidence.ceiling import (
    add_ceiling,
    ceiling_figures,
    ceiling_table,
    ceiling_warnings,
)
from kindred.rendering.manifest import read_manifest
from kindred.scoring.score_table import VERSION, write_scores

# (cast, width, right) of every picture
PICTURES = [
    *[("A", 144, True)] * 4,
    *[("A", 192, True)] * 4,
    *[("pair+1", 144, True)] * 3,
    ("pair+1", 144, False),
    *[("pair+1", 192, True)] * 2,
    *[("pair+1", 192, False)] * 2,
]
FIGURES = {
    "mean": (8 / 8 + 5 / 8) / 2,
    "casts": {"A": {"144x128": 1.0, "192x128": 1.0}, "pair+1": {"144x128": 0.75, "192x128": 0.5}},
    "pictures": 16,
}


def written(folder: Path, pictures=PICTURES) -> tuple[Path, Path]:
    """A list of pictures and their table of scores, with a person in each."""
    images, rows = [], []
    for n, (cast, width, right) in enumerate(pictures):
        size = {"width": width, "height": 128}
        images.append({"name": cast, "prompt": "", "seed": n, "key": str(n), "path": "x", **size})
        one = {"version": VERSION, "key": str(n), "cast": cast}
        rows.append({**one, "kind": "image", "cast_right": right})
        rows.append({**one, "kind": "person"})
    listed = {"prompt_set": "casts", "settings": {}, "adapters": [], "images": images}
    write_json(folder / "list.json", listed)
    write_scores(folder / "scores.csv", rows)
    return folder / "list.json", folder / "scores.csv"


def test_shares_by_cast_and_canvas_and_the_mean_over_casts(tmp_path, capsys):
    pictures, scores = written(tmp_path)
    out = tmp_path / "ceiling.json"
    where = ["--pictures", str(pictures), "--scores", str(scores), "--out", str(out)]
    assert program.main(where) == 0
    assert read_json(out) == FIGURES
    said = capsys.readouterr().err
    assert "pair+1            0.75      0.50" in said
    assert "warning: ceiling" in said and "pair+1 (75 % on 144x128, 50 % on 192x128)" in said


def test_a_cast_is_warned_of_below_95_percent_of_both_canvases():
    def figures(first, second):
        return {"casts": {"A": {"a": 1.0}, "C": {"a": first, "b": second}}, "pictures": 9}

    assert ceiling_warnings(figures(0.9, 1.0)) == []
    (warning,) = ceiling_warnings(figures(0.88, 1.0))
    assert "C (88 % on a, 100 % on b)" in warning and "A (" not in warning


def test_pictures_that_nobody_can_judge_have_no_ceiling(tmp_path):
    pictures, _ = written(tmp_path)
    figures = ceiling_figures([(read_manifest(pictures), [])])
    assert figures == {"mean": None, "casts": {}, "pictures": 0}
    assert ceiling_warnings(figures) == []
    assert ceiling_table(figures) == "ceiling     "


def test_the_summary_gets_the_ceiling_and_its_warning(tmp_path):
    write_json(tmp_path / "ceiling.json", FIGURES)
    summary = {"warnings": ["first"]}
    add_ceiling(summary, [])
    assert summary == {"warnings": ["first"]}
    add_ceiling(summary, [tmp_path / "ceiling.json"])
    assert summary["ceiling"] == FIGURES
    assert summary["warnings"] == ["first", *ceiling_warnings(FIGURES)]
    assert summary["ceiling"]["mean"] == pytest.approx(0.8125)
