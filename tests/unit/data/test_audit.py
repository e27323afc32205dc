from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
import tiny_klein
import yaml

import audit as program
from kindred.characters import trigger_words
from kindred.common.errors import KindredError, ProblemsError
from kindred.common.hashing import caption_hash
from kindred.data.audit import coverage as audit
from kindred.data.audit import report, token_findings
from kindred.data.audit.findings import ROW_KINDS, composites
from kindred.data.audit.photo_warnings import LEFT_OUT, warning_lines
from kindred.models import tokenizers
from kindred.report.audit_page import readiness, render
from kindred.report.coverage_chart import coverage_svg
from kindred.specs.character import Character
from kindred.specs.composites import Composites
from kindred.specs.dataset import AuditSpec, Misfit

WHO = {
    "J": Character(name="JRussell", noun="man"),
    "A": Character(name="ARussell", noun="woman"),
    "C": Character(name="CRussell", noun="child"),
}
RUSSELLS = {"J": 4, "A": 3, "C": 8, "AC": 3, "CJ": 7}  # the first experiment's coverage


def rows(captions: list[str], warnings=None):
    """images.json and captions.jsonl of photos with these captions."""
    images = [
        {
            "image_id": f"p{index}",
            "photo": f"p{index}",
            "source": f"p{index}.jpg",
            "width": 512,
            "height": 512,
            "warnings": (warnings or {}).get(index, []),
        }
        for index in range(len(captions))
    ]
    texts = [
        {
            "id": f"p{index}",
            "caption": text,
            "author": "file",
            "characters": trigger_words.letters_in(text, WHO),
            "caption_hash": caption_hash(text),
            "warnings": [],
        }
        for index, text in enumerate(captions)
    ]
    return images, texts


def cell_captions(coverage: dict[str, int]) -> list[str]:
    """A different caption for every photo, with names and class nouns."""
    people = {letter: f"the {who.noun} {who.name}" for letter, who in WHO.items()}
    return [
        f"{' and '.join(people[letter] for letter in cell)} at place{chr(97 + n)}{cell.lower()}"
        for cell, count in coverage.items()
        for n in range(count)
    ]


def examine(captions: list[str], warnings=None, **spec):
    return report.examine(
        audit.photos_of(*rows(captions, warnings)), AuditSpec(characters=WHO, **spec)
    )


def kinds(result) -> list[str]:
    return [finding["kind"] for finding in result["findings"]]


def one(result, kind):
    (found,) = [finding for finding in result["findings"] if finding["kind"] == kind]
    return found


def test_the_first_experiments_coverage():
    result = examine(cell_captions(RUSSELLS))
    assert result["cells"] == {"A": 3, "C": 8, "J": 4, "A+C": 3, "A+J": 0, "C+J": 7, "A+C+J": 0}
    assert result["appearances"] == {"A": 6, "C": 18, "J": 11}
    assert result["appearance_ratio"] == 3
    assert result["solos"] == {"A": 3, "C": 8, "J": 4}
    assert result["together"]["J"] == {"A": 0, "C": 7, "J": 4}
    assert result["together"]["C"] == {"A": 3, "C": 8, "J": 7}
    assert result["noun_shares"] == {"A": 1, "C": 1, "J": 1}
    assert sorted(kinds(result)) == ["few", "group", "imbalance", "pair"]
    assert "ARussell and JRussell" in one(result, "pair")["what"]


def test_a_balanced_dataset_with_every_cell_has_nothing_to_warn_of():
    full = dict.fromkeys(["J", "A", "C", "AC", "CJ", "AJ", "ACJ"], 4)
    assert kinds(examine(cell_captions(full))) == []


def test_every_finding_says_effect_and_cure():
    captions = [*cell_captions({"J": 2, "C": 9}), "a beach", "a beach", "jrussell in a hat"]
    for finding in examine(captions)["findings"]:
        assert finding["what"] and len(finding["effect"]) > 20 and len(finding["cure"]) > 5


def test_a_character_that_nobody_photographed():
    result = examine(cell_captions({"J": 9, "A": 9, "AJ": 2}))
    assert "no photo shows CRussell" in [finding["what"] for finding in result["findings"]]
    assert result["appearance_ratio"] == 1


def test_hats_are_noticed_for_one_character_and_for_all():
    captions = [f"the man JRussell in a hat at place{n} by day" for n in "abcde"]
    captions += [f"the woman ARussell at place{n} by day" for n in "vwxyz"]
    result = examine(captions)
    assert one(result, "word")["items"] == ["hat"] and "5 of 5" in one(result, "word")["what"]
    assert one(result, "word-everywhere")["items"] == ["day"]
    captions[0] = captions[1] = "the man JRussell by day"
    assert "word" not in kinds(examine(captions))


def test_few_captions_say_nothing_about_words():
    assert "word" not in kinds(examine(["the man JRussell in a hat"] * 3))


def test_missing_class_nouns():
    result = examine([f"JRussell at place{n}" for n in "abc"] + ["the man JRussell", "her son"])
    assert result["noun_shares"]["J"] == 0.25
    assert "25 %" in one(result, "noun")["what"]


def test_thresholds_can_be_changed():
    limits = {"min_images_per_character": 3, "max_appearance_ratio": 9, "min_solos": 0}
    assert sorted(kinds(examine(cell_captions(RUSSELLS), thresholds=limits))) == ["group", "pair"]


def test_rows_warnings_nobody_and_repeats_become_findings():
    warnings = {0: [{"kind": "blurred", "what": "looks blurred (sharpness 3)"}]}
    result = examine(["JRussell", "JRussell", "two strangers"], warnings)
    assert one(result, "blurred")["items"] == ["p0.jpg looks blurred (sharpness 3)"]
    assert one(result, "same-caption")["items"] == ["p0.jpg", "p1.jpg"]
    assert one(result, "nobody")["items"] == ["p2.jpg"] and result["unnamed"] == 1


def test_composites_repeat_captions_and_may_show_strangers_alone():
    images, texts = rows(["JRussell", "JRussell and a man", "JRussell and a man", "a man", "a man"])
    made = [images[0], *(image | {"made": "composed"} for image in images[1:])]
    result = report.examine(audit.photos_of(made, texts), AuditSpec(characters=WHO))
    assert not {"same-caption", "nobody"} & {*kinds(result)} and result["unnamed"] == 0


def test_every_kind_of_warning_on_a_photo_reaches_the_audit():
    told = set(
        re.findall(
            r'note\(\s*"([\w-]+)"', _sources("photo_decoding", "preprocessing", "caption_records")
        )
    )
    told |= set(re.findall(r'_note_once\(photo, "([\w-]+)"', _sources("photo_decoding")))
    told |= {"duplicate", "near-duplicate"}
    assert {"blurred", "case", "cmyk", "frames"} <= told
    # Both are counted for the whole dataset by `people_findings`.
    assert told - {"nobody", "hint"} == set(ROW_KINDS)


def _sources(*modules: str) -> str:
    folder = Path(audit.__file__).parents[1]
    return "".join((folder / f"{module}.py").read_text() for module in modules)


def test_several_resolutions_count_as_one_photo():
    images, texts = rows(["JRussell", "ARussell"])
    images += [{**row, "image_id": row["image_id"] + "@768"} for row in images]
    texts += [{**row, "id": row["id"] + "@768"} for row in texts]
    assert [photo["cell"] for photo in audit.photos_of(images, texts)] == ["J", "A"]


def test_images_and_captions_that_do_not_belong_together_are_refused():
    images, texts = rows(["JRussell", "ARussell"])
    with pytest.raises(KindredError, match="p1 only in one"):
        audit.photos_of(images, texts[:1])


def test_many_characters_do_not_list_every_cell():
    who = {letter: Character(name=f"{letter}Test", noun="man") for letter in "ABCDEFGH"}
    found = audit.coverage(["A+B+C", "A"], who)
    assert len(found) == 8 + 28 + 1 and found["A+B+C"] == 1


def test_cells_without_photos_are_refused_all_at_once():
    found = audit.coverage(["J", "C+J", "C+J"], WHO)
    audit.check_cells(["J", "J+C", "CJ"], found, WHO)
    with pytest.raises(ProblemsError) as caught:
        audit.check_cells(["J", "A+J", "J+A+C", "B"], found, WHO, "variants.x.cells")
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert "variants.x.cells: A+J: no photo shows ARussell and JRussell together" in text
    assert "The dataset has: J 1, C+J 2" in text and "no character 'B'" in text


def test_token_limits_and_shared_pieces(base):
    clip, t5 = str(base / "tokenizer"), str(base / "tokenizer_2")
    captions = ["the man JRussell on the beach", "the woman ARussell in the snow by the blue house"]
    counts = [len(tokenizers.load_tokenizer(t5)(text).input_ids) for text in captions]
    assert counts[0] < counts[1]
    result = examine(captions, tokenizers={clip: 77, t5: counts[1]})
    assert "tokens" not in kinds(result) and result["tokens"][t5]["longest"] == counts[1]
    assert "".join(result["trigger_tokens"][t5]["J"]).endswith("Russell")
    result = examine(captions, tokenizers={clip: 77, t5: counts[1] - 1})
    (item,) = one(result, "tokens")["items"]
    assert item.startswith("p1.jpg:") and "house'" in item
    assert result["tokens"][t5]["cut"][0]["tokens"] == counts[1]
    pairs = [f["what"] for f in result["findings"] if f["kind"] == "shared-tokens"]
    assert len(pairs) == 3 and "ARussell and CRussell share tokens" in pairs[0]


def test_findings_about_tokens_name_the_encoder_and_no_folder(base):
    who = WHO | {"B": Character(name="beach", noun="man")}
    limits = {str(base / "tokenizer"): 3, str(base / "tokenizer_2"): 3}
    photos = audit.photos_of(*rows(["the man JRussell on the beach"]))
    result = report.examine(photos, AuditSpec(characters=who, tokenizers=limits))
    said = [f["what"] for f in result["findings"]]
    assert {"tokens", "shared-tokens", "known-name"} <= set(kinds(result))
    assert not [text for text in said if str(base.parent) in text or "tokenizer" in text]
    for text in ("CLIP: cuts captions longer than 3", "T5: cuts captions longer than 3", "(T5)"):
        assert any(text in one for one in said)
    named = {"owner/name": "flux1", "tokenizer_2/base": "flux1"}
    assert token_findings.reader_of("owner/name/tokenizer_2@main", named).reader == "T5"
    assert token_findings.reader_of("tokenizer_2/base/tokenizer", named).reader == "CLIP"


def test_triggers_that_are_real_names_or_one_known_word(base):
    who = WHO | {
        "M": Character(name="Maria", noun="woman"),
        "B": Character(name="beach", noun="man"),
    }
    spec = AuditSpec(characters=who, tokenizers={str(base / "tokenizer_2"): 99})
    photos = audit.photos_of(*rows(["the man JRussell"]))
    found = report.examine(photos, spec)["findings"]
    known = [finding["what"] for finding in found if finding["kind"] == "known-name"]
    assert len(known) == 2
    assert known[0].startswith("beach is one known word") and known[1] == "Maria is a real name"


def test_a_real_name_beside_something_else_is_known_too(base):
    who = {
        "J": Character(name="Jakob7", noun="man"),
        "A": Character(name="Anna Okorie", noun="woman"),
        "C": Character(name="Celbon", noun="child"),
    }
    found = of_names(base, who)["findings"]
    known = [finding["what"] for finding in found if finding["kind"] == "known-name"]
    assert known == [
        "Anna Okorie has a real name in it: Anna",
        "Jakob7 has a real name in it: Jakob",
    ]


def test_the_names_that_are_recommended_are_not_warned_of(base, tmp_path):
    """Names without two letters in a row in common, whatever pieces a tokenizer makes of them."""
    pairs = [set(pairwise(name.lower())) for name in token_findings.EXAMPLES]
    assert all(one.isdisjoint(other) for one, other in combinations(pairs, 2))
    assert token_findings.KIND in token_findings.ADVICE
    assert ", ".join(token_findings.EXAMPLES) in token_findings.ADVICE
    who = {name[0]: Character(name=name, noun="man") for name in token_findings.EXAMPLES}
    klein(tmp_path, " J")
    unwanted = {"known-name", "shared-tokens", "same-name", "unknown-name"}
    for found in (of_names(base, who), of_names(tmp_path, who, tokenizers=["tokenizer"])):
        assert not unwanted & set(kinds(found))


@pytest.mark.parametrize(
    ("names", "shared", "share", "told"),
    [
        (("JRussell", "ARussell"), ["uss", "ell</w>"], 0.67, True),
        (("Datam", "Lomis"), ["m"], 0.5, False),  # Data-m, Lo-m-is
        (("Temsok", "Kasomt"), ["s", "k"], 0.5, True),  # 'so' is in both
        (("zwx", "xwz"), ["▁z", "w", "x"], 1.0, True),  # nothing but order is different
        (("王伟", "王芳"), ["▁王"], 0.5, True),  # a letter that is a word
        (("Temsok", "Temnal"), ["▁Tem"], 0.4, False),
    ],
)
def test_single_letters_are_nothing_in_common(names, shared, share, told):
    assert token_findings.share_much({"shared": shared, "share": share}, names, 0.5) is told


def test_names_are_held_against_the_tokenizer_of_the_base_in_use(tmp_path):
    klein(tmp_path, "Russell")
    who = {name[0]: Character(name=name, noun="man") for name in ("JRussell", "ARussell")}
    found = of_names(tmp_path, who, tokenizers=["tokenizer"])
    assert "Qwen3" in one(found, "shared-tokens")["what"]


def klein(folder, text):
    """A base of klein's shape with a tokenizer of bytes that has learned a text."""
    (folder / "model_index.json").write_text('{"_class_name": "Flux2KleinPipeline"}')
    tiny_klein.byte_tokenizer(text).save_pretrained(folder / "tokenizer")


CYRILLIC = {"A": Character(name="Ада", noun="woman"), "B": Character(name="Бен", noun="man")}


def of_names(base, who, captions=("by a wall",), tokenizers=("tokenizer", "tokenizer_2")):
    """The audit of characters by the base's tokenizers."""
    spec = AuditSpec(characters=who, tokenizers={str(base / name): 99 for name in tokenizers})
    return report.examine(audit.photos_of(*rows(list(captions))), spec)


def test_names_that_no_encoder_can_read_are_unknown_and_no_known_word(base):
    result = of_names(base, CYRILLIC)
    what = [f["what"] for f in result["findings"] if f["kind"] == "unknown-name"]
    assert what == [
        "Ада: CLIP and T5 can't read the name",
        "Бен: CLIP and T5 can't read the name",
    ]
    assert not {"known-name", "shared-tokens"} & set(kinds(result))
    assert result["trigger_tokens"][str(base / "tokenizer_2")] == {"A": ["<unk>"], "B": ["<unk>"]}
    assert "Ада and Бен are the same name to" in one(result, "same-name")["what"]


def test_a_letter_that_an_encoder_does_not_know_is_named(base):
    who = {"J": Character(name="JRussеll", noun="man"), "A": Character(name="ARussell", noun="man")}
    result = of_names(base, who, tokenizers=["tokenizer_2"])
    assert one(result, "unknown-name")["what"] == "JRussеll: T5 can't read 'е' in it"
    assert "same-name" not in kinds(result)
    who["J"] = Character(name="JRussell", noun="man")
    assert "unknown-name" not in kinds(of_names(base, who))


def test_names_that_differ_in_unknown_letters_alone_are_the_same(base):
    who = {"J": Character(name="Jжx", noun="man"), "A": Character(name="Jшx", noun="woman")}
    found = of_names(base, who, tokenizers=["tokenizer_2"])
    assert one(found, "same-name")["what"] == "Jшx and Jжx are the same name to T5"


def test_names_that_can_t_be_told_stand_on_the_first_screen(base):
    page = render(of_names(base, CYRILLIC))
    said = "Ада and Бен are the same name to"
    assert page.count(said) == 1 and page.count("Names that the base can't tell") == 1
    assert page.index(said) < page.index("<svg")


def test_the_share_of_unknown_tokens_is_told_by_caption_and_encoder(base):
    captions = ["the man JRussell on the beach", "JRussell стоит у стены 壁の前 👩‍🦰"]
    result = examine(captions, tokenizers={str(base / "tokenizer_2"): 99})
    found = one(result, "unknown-tokens")
    assert found["level"] == "warning" and found["what"].startswith("T5: does not know some words")
    assert "(1 of 2;" in found["what"]
    (item,) = found["items"]
    assert item.startswith("p1.jpg: 5 of 13 tokens (38 %): стоит, у, стены, 壁の前")
    (row,) = result["tokens"][str(base / "tokenizer_2")]["unknown"]
    assert (row["unknown"], row["tokens"]) == (5, 13)
    assert "unknown-tokens" not in kinds(examine(captions[:1], tokenizers=spec_of(base)))


def test_a_single_unknown_sign_in_a_long_caption_is_a_note(base):
    captions = ["the man JRussell on the beach with a woman in a red dress and a hat €"]
    assert one(examine(captions, tokenizers=spec_of(base)), "unknown-tokens")["level"] == "note"
    limits = {"max_unknown_tokens": 0}
    found = examine(captions, tokenizers=spec_of(base), thresholds=limits)
    assert one(found, "unknown-tokens")["level"] == "warning"


def spec_of(base):
    return {str(base / "tokenizer_2"): 99}


def test_an_encoders_own_marks_in_captions_are_told_and_are_no_unknown_words(base):
    captions = ["the man JRussell</s> on the beach <|endoftext|>", "the woman ARussell"]
    result = examine(captions, tokenizers={str(base / "tokenizer"): 77, **spec_of(base)})
    found = [f for f in result["findings"] if f["kind"] == "marks"]
    assert [f["items"] for f in found] == [["p0.jpg: <|endoftext|>"], ["p0.jpg: </s>"]]
    assert result["tokens"][str(base / "tokenizer")]["unknown"] == []


def test_a_tokenizer_of_bytes_knows_all_letters(tmp_path):
    klein(tmp_path, " Ada")
    who = {"A": Character(name="Ada", noun="woman"), "B": Character(name="Бен", noun="man")}
    result = of_names(tmp_path, who, ["Ada и Бен"], tokenizers=["tokenizer"])
    assert not {"unknown-name", "same-name", "unknown-tokens"} & set(kinds(result))
    assert one(result, "known-name")["what"] == "Ada is one known word (Qwen3)"
    assert result["trigger_tokens"][str(tmp_path / "tokenizer")]["A"] == ["▁Ada"]


def test_how_captions_are_written_reaches_the_audit():
    result = examine(
        ["the man JRussell on a beach", "I'm sorry, I can't help.", "(JRussell:1.2), hat, sun, sea"]
    )
    assert {"refusal", "tags-and-sentences", "syntax-weights"} <= set(kinds(result))
    page = render(result)
    assert page.count("Captions that describe no photo") == 1
    assert page.index("Captions that describe no photo") < page.index("<svg")


def test_a_missing_tokenizer_is_one_clear_line(tmp_path):
    with pytest.raises(KindredError, match="nowhere: can't be loaded") as caught:
        tokenizers.load_tokenizer(str(tmp_path / "nowhere"))
    assert "\n" not in str(caught.value)


def test_an_audit_needs_no_tokenizer(base):
    who = {**WHO, "J": Character(name="James", noun="man")}
    images, texts = rows(["James on a beach"])
    gone = str(base.parent / "nowhere" / "tokenizer")
    spec = AuditSpec(
        characters=who,
        tokenizers={gone: 77, str(base / "tokenizer"): 77},
        architectures={str(base.parent / "nowhere"): "flux1"},
    )
    result = report.examine(audit.photos_of(images, texts), spec)
    assert one(result, "tokens-later")["level"] == "note"
    assert result["tokenizers_missing"] == [gone]
    assert list(result["tokens"]) == [str(base / "tokenizer")]


def test_an_audit_waits_for_no_hub_that_does_not_answer(monkeypatch):
    told = []

    def load(name, quickly=False):
        told.append(quickly)
        raise KindredError("can't be loaded")

    monkeypatch.setattr(tokenizers, "load_tokenizer", load)
    images, texts = rows(["JRussell on a beach"])
    names, kinds = {"owner/name/tokenizer": 77}, {"owner/name": "flux1"}
    spec = AuditSpec(characters=WHO, tokenizers=names, architectures=kinds)
    result = report.examine(audit.photos_of(images, texts), spec)
    assert told == [True] and result["tokenizers_missing"] == list(names)
    (line,) = [x for x in report.finding_lines(result) if "not checked yet" in x]
    assert line.endswith("the next `snakemake` checks them, once the base is on this machine")


def test_the_page_says_first_whether_it_is_ready_and_what_to_do():
    stopped = readiness(examine(["JRussell"] * 3))
    assert not stopped["ready"]
    assert "2 warnings: the training would learn something else" in stopped["said"]
    assert any("ARussell" in step for step in stopped["next"])
    page = render(examine(["JRussell"] * 3))
    assert (
        page.index("Not ready") < page.index("<svg")
        and "<strong>JRussell</strong>: 3 photos" in page
    )
    usable = readiness(examine(cell_captions(RUSSELLS)))
    assert usable["ready"] and usable["said"].startswith("You can train on it.")
    assert len(usable["next"]) == 3 and usable["more"] == 0
    nothing = readiness({"findings": [{"kind": "group", "level": "note"}]})
    assert nothing == {"ready": True, "said": "Ready to train on.", "next": [], "more": 0}


class Tags(HTMLParser):
    """Fails on a tag that is closed but not open."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in {"meta", "rect", "line", "circle"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in {"rect", "line", "circle"}:
            assert self.open.pop() == tag


def run(tmp_path, captions, **spec):
    images, texts = rows(captions)
    (tmp_path / "images.json").write_text(json.dumps(images))
    (tmp_path / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts))
    given = AuditSpec(characters=WHO, **spec).canonical()
    arguments = ["--spec", given, "--images", str(tmp_path / "images.json")]
    arguments += ["--captions", str(tmp_path / "captions.jsonl")]
    arguments += ["--out", str(tmp_path / "audit.json"), "--page", str(tmp_path / "audit.html")]
    return program.main(arguments)


def test_the_page_is_whole_and_self_contained(tmp_path):
    captions = [*cell_captions(RUSSELLS), "JRussell <b>& a hat</b>", "JRussell <b>& a hat</b>"]
    assert run(tmp_path, captions) == 0
    page = (tmp_path / "audit.html").read_text()
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert "http" not in page and "src=" not in page and "<b>" not in page
    assert "prefers-color-scheme: dark" in page
    for finding in json.loads((tmp_path / "audit.json").read_text())["findings"]:
        assert finding["kind"] in {
            *("few", "group", "imbalance", "pair", "noun", "same-caption", "markup")
        }
        assert finding["effect"].split(",")[0].split("'")[0] in page


def test_settings_that_don_t_fit_the_base_stand_before_everything(tmp_path, capsys):
    unfit = Misfit(where="variants.all", what="trains 9 steps on the base '<x>'", key="steps")
    run(tmp_path, cell_captions(RUSSELLS), misfits=[unfit])
    page = (tmp_path / "audit.html").read_text()
    said = "variants.all: trains 9 steps on the base &#39;&lt;x&gt;&#39;"
    assert page.count(said) == 2
    assert page.index(said) < page.index("<svg") < page.index("What to know before training")
    assert page.count("Settings that don't fit the base") == 1
    assert "correct `steps`, or ignore this if it is intended" in page
    first = json.loads((tmp_path / "audit.json").read_text())["findings"][0]
    assert first["kind"] == "misfit" and first["level"] == "warning"
    assert "warning: variants.all: trains 9 steps" in capsys.readouterr().err
    run(tmp_path, cell_captions(RUSSELLS))
    assert "don't fit the base" not in (tmp_path / "audit.html").read_text()


def test_the_program_refuses_cells_without_photos_and_says_what_there_is(tmp_path, capsys):
    with pytest.raises(ProblemsError, match=r"A\+J"):
        run(tmp_path, cell_captions(RUSSELLS), cells=["J", "A+J"])
    told = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert ["A+J", "0"] in told and ["J", str(RUSSELLS["J"])] in told


def test_tokenizers_may_lie_below_home(base, monkeypatch):
    monkeypatch.setenv("HOME", str(base.parent))
    assert tokenizers.load_tokenizer(f"~/{base.name}/tokenizer") is not None


def test_the_picture_shows_every_cell():
    found = {"A+B": 0, "A": 3, "B": 1}
    picture = ElementTree.fromstring(coverage_svg(found, {"A": "A<dams", "B": "Brown"}))
    titles = [title.text for title in picture.iter("title")]
    assert titles == ["A: 3 photos", "B: 1 photo", "A+B: 0 photos"]
    bars = [bar for bar in picture.iter("rect") if bar.find("title") is not None]
    heights = [float(bar.get("height")) for bar in bars]
    assert heights[0] == pytest.approx(3 * heights[1], rel=1e-4)
    assert bars[2].get("stroke-dasharray")
    assert sum(dot.get("fill") == "var(--bar)" for dot in picture.iter("circle")) == 4


def test_a_terminal_shows_few_warnings_of_a_kind_and_counts_many():
    rows = [
        {"source": f"{n}.jpg", "warnings": [{"kind": "small", "what": "is small: 9x9 px"}]}
        for n in range(5)
        for _ in range(3)  # sizes of one photo
    ]
    rows += [{"source": "0.jpg", "warnings": [{"kind": "blurred", "what": "looks blurred"}]}]
    rows += [{"source": "0.jpg", "warnings": [{"kind": LEFT_OUT, "what": "a.txt: is no photo"}]}]
    assert list(warning_lines(rows)) == [
        "small photos (5), such as 0.jpg: is small: 9x9 px. The audit's page shows all",
        "0.jpg: looks blurred",
    ]


def test_photos_that_are_nearly_the_same_are_told_in_plain_words():
    stored = {"kind": "near-duplicate", "what": "looks like (7 of 128 bits differ) p0.jpg"}
    said = "p1.jpg is nearly the same picture as p0.jpg"
    result = examine(["JRussell", "JRussell in the snow"], warnings={1: [stored]})
    assert one(result, "near-duplicate")["items"] == [said]
    told = list(warning_lines([{"source": "p1.jpg", "warnings": [stored]}]))
    assert told == ["p1.jpg: is nearly the same picture as p0.jpg"]


def test_the_page_s_commands_name_experiment_and_folder():
    stored = {"kind": "undecided", "what": "has 1 face that nobody has named yet"}
    warned = examine(["JRussell"] * 3, warnings={1: [stored]})
    page = render(warned, (), "ours-first-look", "my photos")
    assert "make who PHOTOS=&#39;my photos&#39;`" in page
    ready = warned | {"findings": []}
    page = render(ready, (), "ours-first-look", "my photos")
    assert "<code>snakemake --config experiments=ours</code> trains the variants" in page


def test_what_is_to_be_pasted_for_composites_is_yaml_that_makes_them():
    first, second = re.findall("“(.*?)”", composites(["A+J", "C"]))
    made = Composites.model_validate(yaml.safe_load(first)["compose"])
    assert made.counts() == {"A+J": 64, "C": 64} and yaml.safe_load(second) == {"balance": "repeat"}
