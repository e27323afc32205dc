"""Words put together: percent signs, plurals, and what begins a sentence."""

from __future__ import annotations

import pytest

from kindred.common.sentences import capital, percent, plural, spaced


def test_percent_signs_stand_apart():
    assert (percent(0.624), percent(0)) == ("62 %", "0 %")
    assert spaced("loses 12% of its area, 5 % at most") == "loses 12 % of its area, 5 % at most"


def test_the_word_behind_a_number():
    told = [plural(n, one) for n, one in ((0, "photo"), (1, "photo"), (34, "photo"), (2, "batch"))]
    assert told == ["photos", "photo", "photos", "batches"]


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
