"""Words of a prompt that are nearly a trigger name, and words that only look like it."""

from __future__ import annotations

import random
import time

import pytest

from kindred.characters.near_names import near_names
from kindred.specs.character import Character

FAMILY = {
    letter: Character(name=f"{letter}Russell", noun=noun)
    for letter, noun in (("J", "man"), ("A", "woman"), ("C", "child"))
}


def found(text, *names, noun="woman", known=()):
    who = {str(n): Character(name=name, noun=noun) for n, name in enumerate(names)} or FAMILY
    return [f"{word} {name}" for word, name in near_names(text, who, known)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("headshot of ARusell", ["ARusell ARussell"]),
        ("arussell on a beach, ARUSSELL", ["arussell ARussell", "ARUSSELL ARussell"]),
        ("jrussel's hat and CRsusell", ["jrussel JRussell", "CRsusell CRussell"]),
        ("the Russells", ["Russells ARussell"]),
        ("JRussell and ARussell's dog, CRussell", []),
        ("a Woman, a rustle of leaves and a jewel", []),
    ],
)
def test_near_misses_of_a_family(text, said):
    assert found(text) == said


def test_of_short_names_less_is_near_and_of_small_letters_least():
    assert found("Marc in the dark park", "Mark") == ["Marc Mark"]
    assert found("skis and SKS", "sks") == ["SKS sks"]
    assert found("jorvik, a yorvak", "jorvek") == ["jorvik jorvek", "yorvak jorvek"]


def test_class_nouns_common_words_and_other_names_are_left_alone():
    assert found("two women and a walking family", "Wonan", "Walkin") == []
    assert found("a wonan", "Wonam", noun="wonan") == []
    assert found("TMarlow beside JRussell", "TMarlov") == ["TMarlow TMarlov"]
    assert found("TMarlow beside JRussell", "TMarlov", known=["TMarlow"]) == []


def test_a_thousand_prompts_take_a_few_milliseconds():
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefghilmnorstu", k=draw.randint(3, 9))) for _ in range(400)]
    texts = [" ".join(draw.choices(words, k=14)) for _ in range(1000)]
    taken = []
    for _ in range(3):
        start = time.process_time()
        for text in texts:
            near_names(text, FAMILY)
        taken.append(time.process_time() - start)
    assert min(taken) < 0.05  # a tenth of it on a quiet machine
