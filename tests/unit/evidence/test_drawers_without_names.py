"""The lines of drawers without names, on casts of which they can be counted by hand."""

from __future__ import annotations

import pytest
from casts_drawn import LANDSCAPE, WIDE, asked

from kindred.evidence.drawers_without_names import SeenPrompt, best_accuracy, drawers
from kindred.specs.casts import cast_prompts
from kindred.specs.character import Character

PEOPLE = {
    "J": Character(name="JRussell", noun="man"),
    "A": Character(name="ARussell", noun="woman"),
    "C": Character(name="CRussell", noun="child"),
}
SUBSETS = ("A", "C", "J", "AC", "AJ", "CJ", "ACJ")


def _family(text: str = "{}", canvases=(WIDE, LANDSCAPE)) -> list[SeenPrompt]:
    return [
        SeenPrompt(asked(letters, canvas=canvas), text.format(letters))
        for letters in SUBSETS
        for canvas in canvases
    ]


def test_seven_casts_crossed_with_the_canvas():
    told = drawers(_family(), PEOPLE)
    assert told["canvas"] == {
        "all": pytest.approx(1 / 7, abs=1e-4),
        "family": pytest.approx(1 / 7, abs=1e-4),
    }
    assert told["number"]["family"] == pytest.approx(3 / 7, abs=1e-4)
    assert told["nouns"]["family"] == pytest.approx(3 / 7, abs=1e-4)


def test_a_canvas_tied_to_the_number_of_people_gives_the_number_away():
    tied = {1: "128x144", 2: "144x128", 3: "192x96"}
    prompts = [SeenPrompt(asked(x, canvas=tied[len(x)]), x) for x in SUBSETS]
    assert drawers(prompts, PEOPLE)["canvas"]["all"] == pytest.approx(3 / 7, abs=1e-4)


def test_class_nouns_before_names_give_everybody_away():
    said = {"A": "adult woman ARussell", "C": "small child CRussell", "J": "adult man JRussell"}
    prompts = [SeenPrompt(asked(x), " and ".join(said[y] for y in x)) for x in SUBSETS]
    told = drawers(prompts, PEOPLE)
    assert told["nouns"]["all"] == 1
    assert told["number"]["all"] == pytest.approx(3 / 7, abs=1e-4)


def test_the_twelve_casts_hold_who_sees_only_the_canvas_below_a_twelfth():
    names = {letter: who.name for letter, who in PEOPLE.items()}
    made = cast_prompts(names, [(144, 128), (192, 96)], 4)
    told = drawers([SeenPrompt(one.cast, one.text, 2) for one in made.values()], PEOPLE)
    assert told["canvas"]["all"] == pytest.approx(1 / 12, abs=1e-4)
    # Of one, two and three heads one outcome each: 1 of 4 casts, 1 of 4, 1 of 4.
    assert told["number"]["all"] == pytest.approx(3 / 12, abs=1e-4)
    assert told["number"]["all"] <= told["nouns"]["all"] < 0.8


def test_casts_weigh_the_same_and_pictures_within_them():
    prompts = [SeenPrompt(asked("A"), "", 9), SeenPrompt(asked("J"), "", 1)]
    assert best_accuracy(prompts, lambda one: one.asked.canvas) == pytest.approx(0.5)
    assert best_accuracy([], lambda one: None) is None
