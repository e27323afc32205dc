"""Words put together: percent signs, plurals, and what begins a sentence."""

from __future__ import annotations

import pytest

from kindred.common.sentences import capital, counted, percent, plural, spaced


def test_percent_signs_stand_apart():
    assert (percent(0.624), percent(0)) == ("62 %", "0 %")
    assert spaced("loses 12% of its area, 5 % at most") == "loses 12 % of its area, 5 % at most"


@pytest.mark.parametrize(
    ("one", "several"),
    [
        ("photo", "photos"),
        ("batch", "batches"),
        ("person", "people"),
        ("family", "families"),
        ("day", "days"),
        ("primary hypothesis", "primary hypotheses"),
    ],
)
def test_the_words_behind_a_number(one, several):
    assert plural(1, one) == one
    assert {plural(n, one) for n in (0, 2, 11, 34)} == {several}


def test_numbers_with_their_words():
    assert [counted(n, "person") for n in (0, 1, 2)] == ["0 people", "1 person", "2 people"]
    assert [counted(n, "photo lies", "photos lie") for n in (1, 2)] == [
        "1 photo lies",
        "2 photos lie",
    ]
    signed = [counted(text, "point") for text in ("+1", "−1", "-1", "1.0", "+11")]
    assert signed == ["+1 point", "−1 point", "-1 point", "1.0 points", "+11 points"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("photos look blurred", "Photos look blurred"),
        ("variants.short: trains 40 steps", "variants.short: trains 40 steps"),
        ("people.yaml names nobody", "people.yaml names nobody"),
        ("prompt_sets say it", "prompt_sets say it"),
        ("write e.g. 'a man'", "Write e.g. 'a man'"),
        ("e.g. a man", "E.g. a man"),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital_but_not_a_key(text, said):
    assert capital(text) == said
