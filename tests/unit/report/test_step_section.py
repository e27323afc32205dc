"""Which step is best, on the page: a sentence a variant, a figure, a table of steps."""

from __future__ import annotations

import pytest
from step_tables import series, told

from kindred.report.step_section import step_figure, step_section

NAMES = {"J": "JRussell"}


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
    (sentence,) = step_section(series(**given), NAMES)["lead"]
    assert sentence.startswith("“joint”") and said in sentence


def test_the_table_marks_the_step_and_counts_trainings():
    (table,) = step_section(series(), NAMES)["tables"]
    assert table["headings"] == ["Cast right", "Likeness of JRussell"]
    assert [(row["step"], row["marks"], row["runs"]) for row in table["rows"]] == [
        (100, [], [0]),
        (200, ["to take"], [2]),
        (300, [], [0]),
    ]
    assert table["rows"][1]["cells"][0]["text"] == "90 %"
    assert table["counts"] == ["trainings that would take it"]


def test_one_figure_with_runs_thin_and_the_mean_thick():
    text = step_figure(series())
    assert text.startswith("<svg") and text.count("stroke-width: 0.7") >= 2
    assert "stroke-width: 2.6" in text and "Cast right" in text
    assert "stroke-width: 0.7" not in step_figure(series(runs=(1,)))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "held-out photos is least at step 100, 0.2000, and 0.4000 at step 300."),
        ({"least": 300, "losses": (0.4, 0.3, 0.2)}, "That is the last step."),
        ({}, "Over 2 trainings the judge and the held-out loss pick the same step in 0; one of"),
        ({"runs": 10, "rank_correlation": 0.31, "low": -0.4, "high": 0.79}, "0.31 (-0.40 to 0.79)"),
        (
            {"runs": 1},
            "the judge picks step 200 and the held-out loss step 100. At the step of the",
        ),
        ({}, "rank correlation of 0.40 (1: the same, 0: unrelated)"),
        ({}, "At the step of the loss it is 3 points less."),
        ({"lost": -0.01}, "it is 1 point more."),
        ({"lost": 0.0}, "are as many."),
    ],
)
def test_what_the_held_out_loss_says(given, said):
    lead = step_section(told(**given), NAMES)["lead"]
    assert any(said in one.replace("−", "-") for one in lead), lead


def test_the_loss_has_columns_marks_and_a_panel_of_its_own():
    section = step_section(told(), NAMES)
    (table,) = section["tables"]
    assert table["headings"][-2:] == ["Held-out loss", "Training loss"] and section["held_out"]
    assert [row["marks"] for row in table["rows"]] == [["least held-out loss"], ["to take"], []]
    assert table["counts"][1] == "trainings with the least held-out loss"
    assert table["rows"][0]["cells"][-1]["text"] == "0.2000"
    assert "dashed: on those trained on" in step_figure(told())


def test_variants_of_the_same_trainings_share_a_table():
    found = told()
    own = found["variants"]["joint"]
    found["variants"] = {"b": own | {"take": "best"}, "h": own | {"take": "held_out"}, "joint": own}
    (table,) = step_section(found, NAMES)["tables"]
    assert table["variant"] == "joint"
    assert [said[:12] for said in table["takers"]] == ["“b” takes of", "“h” takes of"]
    assert table["takers"][1].endswith("the step with the least loss on held-out photos.")


def test_losses_alone_are_a_section_too():
    found = told()
    own = found["variants"]["joint"]
    found["measure"], found["pictures"], own["step"] = None, 0, None
    del own["agreement"], own["measures"]["cast"], own["measures"]["identity:J"]
    section = step_section(found, NAMES)
    assert len(section["lead"]) == 1 and section["decides"] == ""
    assert "Cast right" not in step_figure(found)
