"""Whether trainings can see what they choose in their steps, told by the audit."""

import pytest

from kindred.config.amounts_told import FIRST_LOOK, TRAININGS_TOLD, training_amounts
from kindred.data.audit.training_amounts import training_findings
from kindred.data.dataset import DatasetImage
from kindred.specs.base_model import Base
from kindred.specs.dataset import TrainingAmount
from kindred.specs.training import Recipe, Selection, TrainSpec


def images(cells, size=(64, 80)):
    """An image for each photo of each cell."""
    return [
        DatasetImage(f"{cell}-{n}", f"{cell}-{n}", cell, *size, f"{cell}{n}", "a man", "hash")
        for cell, count in cells.items()
        for n in range(count)
    ]


def amount(steps, batch=1, parts=1, **selection):
    return TrainingAmount(
        where="variants.x",
        steps=steps,
        batch=batch,
        pictures=steps * batch * parts,
        selection=Selection(**selection),
    )


def found(items, *trainings):
    return training_findings(items, trainings, "AJ")


def test_pictures_that_no_step_reaches():
    items = images({"J": 20, "A": 5})
    assert found(items, amount(25)) == []
    (unseen,) = found(items, amount(12, parts=2))
    assert unseen.what == "variants.x: sees only 24 of 25 pictures in 12 steps"
    assert unseen.kind == "misfit" and "at least 1 is never seen" in unseen.effect
    assert unseen.cure == "set `steps` to 13 or more, or choose fewer photos"
    assert found(items, amount(12, characters=["A"])) == [], "5 photos are chosen"


def test_repeats_that_no_step_reaches():
    (unseen,) = found(images({"J": 20, "A": 5}), amount(25, balance="repeat"))
    assert "sees only 25 of 40 pictures, repeats counted in 25 steps" in unseen.what


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"total": 30}, "selection: total: asks for 30 photos, but there are 25"),
        ({"per_cell": 9}, "selection: per_cell: A: asks for 9 photos, but there are 5"),
        ({"cells": ["A+J"]}, "selection: cells: there is no photo in cell A+J"),
    ],
)
def test_a_selection_that_can_t_be_met_is_said_before_any_training(wanted, said):
    (unmet,) = found(images({"J": 20, "A": 5}), amount(100, **wanted))
    assert said in unmet.what and unmet.level == "warning"
    assert "its training will stop before the first step" in unmet.effect


def test_batches_larger_than_what_fills_them():
    items = images({"J": 6}) + images({"A": 3}, (80, 64))
    assert found(items, amount(100, batch=3)) == []
    (small,) = found(items, amount(100, batch=4))
    assert small.level == "note" and "batches of 4" in small.what
    assert "(3 of 80x64)" in small.what and small.cure == "set `batch` to 3, or ignore this"


def variant(name, seed=0, **recipe):
    given = {"base": Base(model="x/y"), "characters": {}, "dataset": "d"}
    spec = TrainSpec(**given, recipe=Recipe(**recipe), selection=Selection(seed=seed))
    return name, spec


def test_the_audit_is_told_of_those_that_see_least():
    told = training_amounts(
        "ours",
        [
            variant("long", steps=90),
            variant("short", steps=10, gradient_accumulation=2),
            variant("other-seed", seed=3, steps=50),
            variant("wide", steps=10, batch=4),
        ],
    )
    assert training_amounts(f"ours{FIRST_LOOK}", [variant("short", steps=10)]) == []
    assert [(one.where, one.pictures) for one in told] == [
        ("variants.short", 20),
        ("variants.wide", 40),
    ]
    many = [variant(f"v{n}", steps=9, batch=n) for n in range(1, 3 * TRAININGS_TOLD)]
    assert len(training_amounts("ours", many)) == TRAININGS_TOLD
