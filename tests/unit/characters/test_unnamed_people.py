"""Who is spoken of in a caption without a name."""

from __future__ import annotations

import pytest

from kindred.characters.unnamed_people import unnamed_people
from kindred.specs.character import Character

WHO = {
    letter: Character(name=f"{letter}Russell", **{"class": noun})
    for letter, noun in {"J": "man", "A": "woman"}.items()
}


@pytest.mark.parametrize("known", [WHO, None])
@pytest.mark.parametrize(
    ("caption", "count"),
    [
        ("a man JRussell in the park", 0),
        ("the man JRussell and the woman ARussell", 0),
        ("a tall young man and JRussell", 1),
        ("JRussell with a lady and a little girl", 2),
        ("a manor behind JRussell", 0),
        ("adult man JRussell in a black jacket and adult woman ARussell", 0),
        ("a young adult woman and JRussell", 1),
        ("A gentleman, ARussell and another kid", 2),
    ],
)
def test_people_without_names_are_counted(caption, count, known):
    assert unnamed_people(caption, known) == count


def test_names_are_those_of_the_characters_or_all_capitalised_words():
    assert unnamed_people("a man BSmith", WHO) == 1 and unnamed_people("a man BSmith") == 0
    assert unnamed_people("a photo of man BSmith and a man", WHO, ["BSmith"]) == 1
    ohwx = {"O": Character(name="ohwx", **{"class": "monk"})}
    assert unnamed_people("a man ohwx and a Monk", ohwx) == 1


def test_the_woman_is_somebody_else_only_where_it_is_asked():
    assert unnamed_people("JRussell and the woman") == 0
    assert unnamed_people("JRussell and the woman", the=True) == 1
