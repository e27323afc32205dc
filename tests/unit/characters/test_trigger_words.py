from __future__ import annotations

import pytest

from kindred.characters import trigger_words
from kindred.specs.character import Character

WHO = {
    letter: Character(name=name, noun=noun)
    for letter, name, noun in [
        ("J", "JRussell", "man"),
        ("A", "ARussell", "woman"),
        ("C", "CRussell", "child"),
    ]
}


def written(text: str, who=WHO) -> list[tuple[str, bool]]:
    return [
        (mention.letter, mention.exact) for mention in trigger_words.find_trigger_words(text, who)
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("JRussell at the beach", [("J", True)]),
        ("JRussell's hat and ARussell’s coat", [("J", True), ("A", True)]),
        ("(CRussell), JRussell.", [("C", True), ("J", True)]),
        ("jrussell smiles", [("J", False)]),
        ("XJRussell, JRussells, JRussell2, JRussell_1", []),
        ("JRussell-Smith", []),
        ("nobody", []),
        ("", []),
    ],
)
def test_names_are_whole_words(text, found):
    assert written(text) == found


def test_the_longest_name_wins():
    who = {
        "S": Character(name="Anna", noun="girl"),
        "L": Character(name="Anna-Lena", noun="girl"),
    }
    assert written("Anna-Lena in a red hat", who) == [("L", True)]
    assert written("Anna and Anna-Lena", who) == [("S", True), ("L", True)]


def test_names_with_special_characters_are_taken_literally():
    who = {"X": Character(name="sks.man+", noun="man")}
    assert written("sks.man+ smiles", who) == [("X", True)]
    assert written("sksXmannn smiles", who) == []


def test_words_built_like_a_trigger_are_certain_and_other_near_ones_doubtful():
    certain, doubtful = trigger_words.unknown_names("BRussell, JRusell and the Russells", WHO)
    assert [word for word, _ in certain] == ["BRussell", "JRusell"]
    assert certain[1][1] == "JRussell"
    assert [word for word, _ in doubtful] == ["Russells"]


@pytest.mark.parametrize(
    "text",
    ["JRussell's TVs at the Beach in NASA shirts", "a McDonald and an iPhone", "jrussell", "2020s"],
)
def test_everyday_words_are_no_names(text):
    assert trigger_words.unknown_names(text, WHO) == ([], [])


def test_not_names_are_left_alone():
    assert trigger_words.unknown_names("XFactor", WHO)[0] == [("XFactor", "")]
    assert trigger_words.unknown_names("XFactor", WHO, ["XFactor"])[0] == []


@pytest.mark.parametrize(
    ("entry", "letters", "unknown"),
    [
        ("J", ["J"], []),
        ("J, A", ["A", "J"], []),
        ("C+J", ["C", "J"], []),
        ("CJ", ["C", "J"], []),
        ("JRussell and arussell", ["A", "J"], []),
        ("Bob & J", ["J"], ["Bob"]),
        ("nobody", [], []),
        ("", [], []),
    ],
)
def test_who_entries(entry, letters, unknown):
    assert trigger_words.who_entry(entry, WHO) == (letters, unknown)


@pytest.mark.parametrize(
    ("stem", "letters"),
    [
        ("JRussell_beach-2", ["J"]),
        ("arussell crussell", ["A", "C"]),
        ("AC-03", ["A", "C"]),
        ("J+A_1", ["A", "J"]),
        ("IMG_1234", []),
        ("JA", []),
    ],
)
def test_file_names(stem, letters):
    assert trigger_words.file_hint(stem, WHO) == letters


def test_folder_names():
    assert trigger_words.folder_hint("CRussell", WHO) == ["C"]
    assert trigger_words.folder_hint("J+C", WHO) == ["C", "J"]
    assert trigger_words.folder_hint("holiday", WHO) == []


@pytest.mark.parametrize(
    ("text", "letters", "result"),
    [
        ("a man in a coat", "J", "the man JRussell in a coat"),
        ("a tall man", "J", "the tall man JRussell"),
        (
            "a woman holding a baby girl",
            "AC",
            "the woman ARussell holding the baby girl CRussell",
        ),
        ("two people", "JA", "the woman ARussell and the man JRussell: two people"),
        ("a man next to a man", "J", "the man JRussell: a man next to a man"),
        ("a dog", "", "a dog"),
        ("", "J", "the man JRussell"),
    ],
)
def test_names_are_put_in_where_the_class_is_said_once(text, letters, result):
    assert trigger_words.insert_trigger_words(text, letters, WHO) == result


def test_two_characters_of_one_class_are_not_guessed():
    who = WHO | {"B": Character(name="BRussell", noun="man")}
    text = trigger_words.insert_trigger_words("a man at the beach", "JB", who)
    assert text == "the man BRussell and the man JRussell: a man at the beach"


def test_class_nouns_and_their_kinds():
    assert trigger_words.class_nouns("a Man, two girls", WHO) == ["child", "girl", "man"]
    assert trigger_words.says_noun("her son", "child") and not trigger_words.says_noun(
        "a woman", "man"
    )
    assert trigger_words.says_noun("a robot", "robot")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("headshot of JRussell", "headshot of a man"),
        ("JRussell's hat, ARussell and CRussell", "a man's hat, a woman and a child"),
        ("the man JRussell and the kid CRussell", "the man and the kid"),
        ("adult JRussell, adult ARussell and child CRussell", "adult man, adult woman and child"),
        ("a smiling jrussell in the snow", "a smiling man in the snow"),
        ("JRussell-Smith and XARussell", "JRussell-Smith and XARussell"),
        ("a man in the snow", "a man in the snow"),
        ("", ""),
    ],
)
def test_prompts_for_somebody_who_does_not_know_the_names(text, plain):
    assert trigger_words.remove_trigger_words(text, WHO) == plain
    assert trigger_words.remove_trigger_words(text, {}) == text


@pytest.mark.parametrize("written", ["İda", "ıda", "ida", "IDA", "Ida"])
def test_one_rule_of_case_for_finding_and_for_looking_up(written):
    who = {"I": Character(name="Ida", noun="woman"), "B": Character(name="Ben", noun="man")}
    found = trigger_words.find_trigger_words(f"{written} and Ben", who)
    assert [mention.letter for mention in found] == ["I", "B"]
    assert found[0].exact == (written == "Ida")
    assert trigger_words.who_entry(written, who) == (["I"], [])
    assert trigger_words.folder_hint(written, who) == ["I"]
    assert trigger_words.remove_trigger_words(f"{written} at home", who) == "a woman at home"


def test_a_name_has_one_spelling_wherever_it_comes_from():
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    who = {"Z": Character(name=decomposed, noun="woman")}
    assert who["Z"].name == composed
    assert trigger_words.folder_hint(decomposed, who) == ["Z"]
    assert trigger_words.file_hint(f"{decomposed}-1", who) == ["Z"]
    assert trigger_words.who_entry(decomposed, who) == (["Z"], [])
