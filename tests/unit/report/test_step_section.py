"""Which step is best, on the page: a sentence a variant, a figure, a table of steps."""

from __future__ import annotations

import pytest

from kindred.report.step_section import step_figure, step_section

NAMES = {"J": "JRussell"}


def series(step=200, lost=0.04, runs=(1, 2), **changes):
    stat = {"mean": 0.9, "low": 0.8, "high": 0.95, "runs": len(runs), "images": 8}
    means = [stat | {"mean": 0.5}, stat, stat | {"mean": 0.86}]
    own = {
        "runs": list(runs),
        "steps": [100, 200, 300],
        "take": "last",
        "measures": {
            "cast": {"mean": means, "runs": [[0.5, 0.9, 0.86]] * len(runs)},
            "identity:J": {"mean": means, "runs": [[0.5, 0.9, 0.86]] * len(runs)},
        },
        "pairs": [{"run": "1", "prompt": "A", "seed": "1", "photo": "IMG_1", "distance": 0.1}],
        "step": step,
        "value": 0.9,
        "last": 0.86,
        "lost": lost,
        "step_of_runs": [200] * len(runs),
    }
    return {"measure": "cast", "pictures": 8, "variants": {"joint": own | changes}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "take step 200 of 300: 90 %"),
        ({}, "Going on to step 300 loses 4 points."),
        ({"lost": -0.01}, "Going on to step 300 gains 1 point."),
        ({"lost": 0.0}, "changes nothing"),
        ({"step": 300, "lost": 0.0}, "It is the last one"),
        ({"step": None}, "no step has a score"),
    ],
)
def test_what_is_said(given, said):
    (sentence,) = step_section(series(**given), NAMES, hide_photos=False)["lead"]
    assert sentence.startswith("“joint”") and said in sentence


def test_the_table_marks_the_step_and_counts_trainings():
    (table,) = step_section(series(), NAMES, hide_photos=False)["tables"]
    assert table["headings"] == ["Cast right", "Likeness of JRussell"]
    assert [(row["step"], row["taken"], row["runs"]) for row in table["rows"]] == [
        (100, False, 0),
        (200, True, 2),
        (300, False, 0),
    ]
    assert table["rows"][1]["cells"][0]["text"] == "90 %" and table["several"]


def test_photos_are_named_only_where_they_may_be():
    assert step_section(series(), NAMES, hide_photos=False)["pairs"][0]["photo"] == "IMG_1"
    assert step_section(series(), NAMES, hide_photos=True)["pairs"] == []


def test_one_figure_with_runs_thin_and_the_mean_thick():
    text = step_figure(series())
    assert text.startswith("<svg") and text.count("stroke-width: 0.7") >= 2
    assert "stroke-width: 2.6" in text and "Cast right" in text
    assert "stroke-width: 0.7" not in step_figure(series(runs=(1,)))
