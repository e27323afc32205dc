"""Kept steps on the page: the section, pairs of picture and training photo, warnings, who chose."""

from __future__ import annotations

import csv
import re
import shutil

import pytest
import reported
from step_tables import told
from synthetic import PROMPTS

from kindred.common.files import read_json, write_json
from kindred.report.report_data import read_report_data
from kindred.report.rising_losses import rising_words
from kindred.report.tables import differences
from kindred.report.training_curves import Run

SMALL = {"headshot": PROMPTS["headshot"]}


def text_of(page):
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.partition("<body>")[2]).split())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Results with a series of the variant `all`, whose last step's pictures are those of the
    headshots, and with held-out losses that rise."""
    found = reported.build(tmp_path_factory.mktemp("experiment"), runs=1, seeds=(1,), prompts=SMALL)
    step = found.results / "all/run-1/steps/300/images/selection.json"
    step.parent.mkdir(parents=True)
    shutil.copyfile(found.manifest("all", 1, "headshot"), step)
    row = read_json(step)["images"][0]
    photo = read_json(found.root / "resources/russell/images.json")[0]["image_id"]
    series = told(runs=1)
    own = series["variants"].pop("joint")
    pair = {"run": "1", "prompt": row["name"], "seed": str(row["seed"]), "key": row["key"]}
    own["pairs"] = [pair | {"photo": f"russell/{photo}", "distance": 0.125, "copy": True}]
    own["pairs"] += own["pairs"]
    series["variants"] = {"all": own, "chosen": own | {"take": "held_out"}}
    write_json(found.results / "series.json", series)
    log = found.results / "all/run-1/training.csv"
    rows = list(csv.DictReader(log.open()))
    with log.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "held_out_loss"], lineterminator="\n")
        writer.writeheader()
        for place, one in enumerate(rows):
            writer.writerow(one | {"held_out_loss": 0.1 + place})
    return found


@pytest.fixture(scope="module")
def written(made, tmp_path_factory):
    return reported.run_report(made, tmp_path_factory.mktemp("out"), series=True)


def test_the_section_says_steps_losses_and_who_takes_which(written):
    page, markdown = written
    text = text_of(page)
    assert "“all”: take step 200 of 300" in text
    assert "the loss on held-out photos is least at step 100" in text
    assert text.count("“chosen” takes of each training the step with the least loss") == 1
    assert "dashed: on those trained on" in page and "least held-out loss" in text
    assert "“chosen” takes of each training" in markdown and "\n\n\n" not in markdown


def test_a_picture_stands_beside_what_it_is_like(written, made):
    page = written[0]
    assert page.count('<div class="pair">') == 1
    (pair,) = page.split('<div class="pair">')[1:]
    assert pair[: pair.index("</figure>")].count("<img ") == 2
    assert "distance 0.125, a copy" in text_of(page)
    resources = made.root / "resources"
    for photos, pairs in ((True, 1), (False, 0)):
        data = read_report_data(made.results, resources, photos=photos, series=True)
        assert len(data.copy_pairs) == pairs


def test_a_rising_loss_is_said_and_drawn(written):
    page, markdown = written
    said = "“all”: in its training the loss on held-out photos rises for a third of the steps"
    assert said in text_of(page) and said in markdown
    assert "Dotted: the loss on held-out photos." in text_of(page)


def test_trainings_that_several_variants_take_steps_of_are_counted_once():
    rising, falling = ((1, 0.1), (50, 0.2), (100, 0.3)), ((50, 0.3), (100, 0.2))
    runs = [Run("", [100], [0.1], [0.1], held) for held in (rising, falling, rising, ())]
    places = [("a", 1), ("a", 2), ("b", 1), ("c", 1)]
    (said,) = rising_words(dict(zip(places, runs, strict=True)))
    assert said.startswith("“a”: in 1 of 2 trainings") and "since step 1)" in said


class Data:
    """What the variants' table reads of a report's data."""

    summary = {"baseline": "last"}
    specs = {name: {"dataset": "d"} for name in ("last", "chosen", "early")}
    variants = {
        "last": {"kind": "trained", "control": ""},
        "chosen": {"kind": "trained", "control": "", "take": "best"},
        "early": {"kind": "trained", "control": "", "take": "held_out"},
    }


def test_the_variants_table_says_how_a_step_was_chosen():
    assert differences(Data(), "last", {}) == ["the baseline"]
    for name, how in (
        ("chosen", "its own pictures of the selection’s"),
        ("early", "the least loss"),
    ):
        same, chosen = differences(Data(), name, {})
        assert same == ("the same training") and chosen.startswith("chosen of each training: ")
        assert how in chosen
