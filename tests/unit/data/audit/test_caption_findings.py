"""How captions are written, as findings with counts and the first photos."""

from __future__ import annotations

from kindred.data.audit import caption_findings
from kindred.data.audit.captioner_phrases import KINDS
from kindred.specs.character import Character

WHO = {"A": Character(name="Ada", noun="woman"), "B": Character(name="Ben", noun="man")}


def photos(*captions, author="file", folder=""):
    """Photos p0.jpg, p1.jpg, ... with these captions."""
    return [
        {
            "image": {"source": f"{folder}p{number}.jpg"},
            "caption": {"caption": caption, "author": author},
        }
        for number, caption in enumerate(captions)
    ]


def test_refusals_are_counted_and_named_and_the_first_photos_stand_in_front():
    refused = "I'm sorry, I can't identify people."
    (finding,) = caption_findings.phrase_findings(photos("Ada at home", *[refused] * 5))
    assert finding.kind == "refusal" and finding.level == "warning"
    assert "(5 of 6: p1.jpg, p2.jpg, p3.jpg, ...)" in finding.what
    assert len(finding.items) == 5 and finding.items[0].startswith("p1.jpg: I'm sorry")
    assert "captioner's" not in finding.cure


def test_of_a_captioners_texts_it_is_said_that_ones_own_win():
    (finding,) = caption_findings.phrase_findings(
        photos("the woman Ada in a hat and a hat and a hat and a hat", author="captioner blip@1")
    )
    assert finding.kind == "loop" and ("a caption of your own replaces") in finding.cure


def test_every_kind_of_phrase_has_its_words():
    assert set(caption_findings.PHRASES) == {one.kind for one in KINDS}


def test_other_tools_writing_in_captions_is_a_finding_a_kind():
    found = caption_findings.syntax_findings(
        photos("(Ada:1.2) at home", "Ada <lora:ada:1>", "a photo of sks Ada", "Ada (left) and Ben"),
        WHO,
    )
    assert [(one.kind, one.level) for one in found] == [
        ("syntax-files", "warning"),
        ("syntax-weights", "warning"),
        ("syntax-tokens", "note"),
    ]
    assert "(1 of 4: p1.jpg)" in found[0].what and found[0].items == ["p1.jpg: <lora:ada:1>"]


def test_tags_beside_sentences_name_the_photos_of_the_rarer():
    tags, sentence = "Ada, woman, beach, smiling", "the woman Ada at the beach"
    (finding,) = caption_findings.style_findings(photos(sentence, tags, sentence, "Ada"))
    assert finding.what == "some captions are lists of tags (1), others sentences (2); tags: p1.jpg"
    assert finding.items == ["p1.jpg"]
    (finding,) = caption_findings.style_findings(photos(sentence, tags, tags))
    assert finding.what.endswith("; sentences: p0.jpg")
    assert caption_findings.style_findings(photos(sentence, "Ada")) == []
    assert caption_findings.style_findings(photos(tags, tags)) == []


def test_repeats_in_folders_names_are_not_followed_and_that_is_said():
    found = photos("the woman Ada by a wall", "the woman Ada", folder="10_ada woman/")
    found += photos("the man Ben by a wall", folder="40_ben man/")
    found += photos("the man Ben", folder="2024_summer/")
    (finding,) = caption_findings.repeat_findings(found)
    assert finding.level == "note" and "balance: repeat" in finding.cure
    assert finding.items == [
        "10_ada woman: 2 photos, 10 repeats ignored",
        "40_ben man: 1 photo, 40 repeats ignored",
    ]
    assert caption_findings.repeat_findings(photos("the man Ben", folder="2024_summer/")) == []
