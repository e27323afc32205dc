"""The page about several families: the answer first, in the order of testing, with every figure."""

from __future__ import annotations

import copy
import re

import made_families
import pytest

from kindred.report.families_page import answer, families_content, in_order


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return made_families.compared(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return made_families.reported(tmp_path_factory.mktemp("results"))[0]


POWER = {"power": 0.8, "hypotheses": {}}


def test_the_answer_stands_first_with_what_it_is_beside(told):
    said = answer(told, in_order(told))
    assert said[0].startswith("composed draws exactly those asked for in 92 % (89 % to 95 %)")
    assert all(f"{name} " in said[0] for name in ("dealt", "photos", "BASE", "ceiling"))
    assert said[1:4] == [
        "Supported: More.",
        "Supported: By names.",
        "No difference larger than 15 points: Otherwise.",
    ]
    assert said[4].startswith("Reached: 1 of 4 limits. Not reached: ")


def test_claims_are_in_the_order_of_testing_and_arms_end_with_the_base(told):
    content = families_content(told, POWER)
    assert list(content["hypotheses"]) == ["photos", "names", "same"]
    names = [row["name"] for row in content["casts"]["casts"]["rows"]]
    assert names[0].startswith("CEILING") and names[1] == "composed"
    assert names.index("BASE") == 5 and len(names) == 8


def test_limits_are_said_with_yes_no_and_how_far(told):
    rows = {row["says"]: row for row in families_content(told, POWER)["reach"]}
    assert rows["All casts"]["holds"] == "yes" and rows["All casts"]["short"] == "–"
    lowest = rows["No kind of cast below"]
    assert (lowest["holds"], lowest["short"]) == ("no", "3.0 points")
    assert lowest["reads"].startswith("72.0 % (2 people, ")
    assert rows["Order"]["holds"] == "not known"
    assert rows["As alike as alone, times"]["short"] == "0.10"


def test_a_gate_that_does_not_hold_is_in_the_answer(told):
    wrong = copy.deepcopy(told) | {"warnings": ["Trained again: it differs."]}
    assert "Nothing is concluded" in answer(wrong, in_order(wrong))[1]


def test_the_page_has_a_figure_a_claim_and_links_to_every_family(page):
    assert page.count('class="plot"') == page.count('class="plot narrow"') == 3
    for family in made_families.FAMILIES:
        assert f'href="../../{family}/report.html"' in page
    assert not re.search(r'(?:src|href)="https?:', page) and "<h2>The answer</h2>" in page


def test_what_copies_change_is_said_beside_what_decides(told):
    read = {"difference": 0.4, "adjusted": {"low": -0.31, "high": 0.5}, "label_words": "Undecided"}
    claims = {name: {**one, **read} for name, one in in_order(told).items()}
    counted = {"hypotheses": claims, "gates": {}, "arms": told["arms"]}
    left = {"study-granger": (8, 384), "study-marsh": (300, 384)}
    copies = {"sentence": "They leave.", "counted": counted, "left": left}
    found = families_content({**told, "copies": copies}, POWER)["counted"]
    assert found["sentence"].startswith("308 of its 768 pictures stay (study-granger 8 and ")
    row = found["claims"]["rows"][0]
    cells = [(one["text"], one["range"]) for one in row["cells"]]
    assert row["name"] == "composed − photos" and cells[1] == ("Supported", "")
    assert cells[2:] == [("+40 points", "−31 to +50 points"), ("Undecided", "")]
    assert found["casts"]["casts"]["rows"][1]["name"] == "composed"
    assert families_content(told, POWER)["counted"] is None


def test_a_cell_of_fewer_families_than_its_row_says_so(told):
    arms = copy.deepcopy(told["arms"])
    arms["casts"]["variants"]["composed"]["kinds"]["1 person"]["families"] = 3
    table = families_content({**told, "arms": arms}, POWER)["casts"]["casts"]
    cell = table["rows"][1]["cells"][table["headings"].index("1 person")]
    assert cell["range"].endswith(", 3 families")


def test_arms_of_too_few_families_are_left_to_the_tables(told):
    arms = copy.deepcopy(told["arms"])
    alone = copy.deepcopy(arms["casts"]["variants"]["photos"])
    alone["by_family"] = dict(list(alone["by_family"].items())[:2])
    arms["casts"]["variants"]["only-X"] = alone
    table = families_content({**told, "arms": arms}, POWER)["casts"]["casts"]
    names = [row["name"] for row in table["rows"]]
    assert "only-X" not in names and "photos" in names
