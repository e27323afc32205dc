"""Other tools' writing is told from plain English, in prompts and in captions."""

from __future__ import annotations

import pytest

from kindred.data.prompt_syntax import KINDS, foreign_syntax


def kinds(text, *, in_prompt=True, names=()):
    return [one.kind.kind for one in foreign_syntax(text, names, in_prompt=in_prompt)]


FOREIGN = {
    "options": [
        "headshot of {A} --w 832 --h 1216 --d 42 --s 20 --l 4.5 --n blurry",
        "Ada at the beach --ar 16:9 --v 6",
        "Ada at the beach --no hats",
        "Ada at the beach —w 832",
        "Ada Negative prompt: blurry, bad hands Steps: 20, Sampler: Euler a",
        "Ada at the beach Steps: 20, Sampler: Euler a, CFG scale: 7",
        "Ada --something-new=3",
    ],
    "files": ["Ada <lora:ada:0.8>", "Ada <lyco:x>", "Ada, embedding:bad_hands", "<random:a,b> Ada"],
    "placeholders": [
        "a photo of [trigger]",
        "a photo of [name], [filewords]",
        "a [V] dog",
        "<s0><s1> at the beach",
        "a photo of %caption%",
    ],
    "weights": [
        "(portrait of {A}:1.3), smiling",
        "((red hat)) of Ada",
        "((red hat):1.2)",
        "a [hat:coat:0.5] on Ada",
        "[[hat]]",
        "(red hat)1.3 of Ada",
        "1.2::red hat:: of Ada",
        "beach::2 Ada",
        '("Ada", "a hat").blend(0.5, 0.5)',
    ],
    "choices": ["Ada in a {red|blue} coat", "Ada in a __colour__ coat", "[red|blue] coat"],
    "separators": ["Ada by a wall BREAK red coat", "Ada ADDCOL Ben", "hot:: dog"],
    "emphasis": [
        "Ada, [hat], by a wall",
        "Ada in a [red] coat",
        "(masterpiece), (best quality), Ada",
        "a (red hat)++ on Ada",
        "Ada \\(the elder\\)",
    ],
    "tokens": ["a photo of sks person", "ohwx woman", "TOK at sea", "<my-cat> asleep", "S* asleep"],
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in FOREIGN.items() for text in texts]
)
def test_other_tools_writing_is_found_in_prompts_and_captions(kind, text):
    assert kind in kinds(text)
    assert kind in kinds(text.replace("{A}", "Ada"), in_prompt=False)


def test_every_kind_has_its_example():
    assert {one.kind for one in KINDS} == set(FOREIGN)


PLAIN = [
    "Ada (left) and Ben",
    "Ada [left] and Ben [right]",
    "Ada [in red] and Ben [photo: private]",
    "[on the left] Ada, [aged 7] Ben, by a wall",
    "Ada (aged 7), Ben (9) and Cy, at home (Rimini, 1987)",
    "the woman Ada (at 10:30) -- a summer's day -- by a wall",
    "Ada and Ben --the two of them-- by a wall",
    "Ada —about 30 years old— and Ben --of the same age",
    "Ada reads John 3:16, the score is 2:1",
    "a COFFEE BREAK with Ada",
    "Ada takes a break; she smiles :-) at 5°C",
    "a sign that says: stop",
    "Ada & Ben, 50 % of the Smiths, e-mail: ada@example.org",
    "a f/2.8 photo of Ada, 35mm",
    "Ada's well-known half-smile - by the sea",
    "long_hair, looking_at_viewer, 1girl, saber_(fate)",
    "from left to right: Ada, Ben and Cy",
]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_english_is_left_alone(text):
    assert kinds(text) == kinds(text, in_prompt=False) == []


def test_braces_are_ours_in_prompts_alone():
    assert kinds("{J} and {A.class}") == []
    assert kinds("{J} and {A.class}", in_prompt=False) == ["placeholders"]


def test_remarks_in_a_captions_brackets_are_no_emphasis():
    assert kinds("the woman Ada [smiling] by a wall", in_prompt=False) == []
    assert kinds("the woman Ada [smiling] by a wall") == ["emphasis"]


def test_a_characters_own_name_is_no_token_of_others():
    assert kinds("a photo of sks", names=["sks"]) == []
    assert kinds("a photo of sks", names=["Ada"]) == ["tokens"]


def test_each_piece_is_told_once_and_by_one_kind():
    (options,) = foreign_syntax("Ada --w 832 --h 1216 --n ugly", in_prompt=True)
    assert options.written == ("--w 832", "--h 1216", "--n ugly")
    (files,) = foreign_syntax("Ada <lora:a:0.8>, <lora:a:0.8>", in_prompt=True)
    assert files.written == ("<lora:a:0.8>",)
