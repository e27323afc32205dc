from __future__ import annotations

import json

import pytest

import caption
from kindred.common.errors import KindredError, Problems, ProblemsError
from kindred.common.hashing import caption_hash
from kindred.data import captioning
from kindred.data.caption_files import PhotoIndex, read_captions
from kindred.data.photo_folder import scan

WHO = {
    "J": {"name": "JRussell", "class": "man"},
    "A": {"name": "ARussell", "class": "woman"},
    "C": {"name": "CRussell", "class": "child"},
}
NAMES = ["one.jpg", "two.png", "sub/three.jpg"]


@pytest.fixture
def source(tmp_path):
    for name in NAMES:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not opened here")
    return tmp_path / "photos"


def read(source, names=NAMES):
    problems, doubts = Problems(), []
    found = read_captions(scan(source), names, problems, doubts)
    return {name: one.text for name, one in found.items()}, problems.found, doubts


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("captions.csv", "Filename,Label\none.jpg,first\ntwo.png,second\n"),
        ("metadata.csv", "file_name,text\none.jpg,first\ntwo.png,second\n"),
        ("x.csv", "IMAGE,Caption\none.jpg,first\ntwo.png,second\n"),
        ("excel.csv", "\ufeffFile Name;Label\r\none.jpg;first\r\n\r\ntwo.png;second\r\n"),
        ("tabs.tsv", "image\tprompt\none.jpg\tfirst\ntwo.png\tsecond\n"),
        ("order.csv", "label,n,filename\nfirst,1,one.jpg\nsecond,2,two.png\n"),
        ("stems.csv", "filename,label\none,first\nTWO.PNG,second\n"),
        ("paths.csv", 'filename,label\nC:\\me\\one.jpg,first\n./photos/two.png,"second "\n'),
        (
            "metadata.jsonl",
            '{"file_name": "one.jpg", "text": "first"}\n\n'
            '{"file_name": "two.png", "text": "second"}\n',
        ),
    ],
)
def test_usual_forms(source, name, content):
    (source / name).write_text(content, encoding="utf-8")
    found, problems, doubts = read(source)
    assert found == {"one.jpg": "first", "two.png": "second"}
    assert problems == [] and doubts == []


def test_texts_beside_photos_and_in_sub_folders(source):
    (source / "one.txt").write_text("  first\n  line ")
    (source / "two.caption").write_text("second")
    (source / "sub" / "three.txt").write_text("third")
    assert read(source)[0] == {
        "one.jpg": "first line",
        "two.png": "second",
        "sub/three.jpg": "third",
    }


def test_a_table_in_a_sub_folder_speaks_of_its_own_photos(source):
    (source / "sub" / "one.jpg").write_bytes(b"")
    (source / "sub" / "captions.csv").write_text("filename,label\none.jpg,the inner one\n")
    assert read(source, [*NAMES, "sub/one.jpg"])[0] == {"sub/one.jpg": "the inner one"}


def test_commas_quotes_and_line_ends_inside_quotes(source):
    text = 'filename,label\none.jpg,"JRussell, ""the tall"",\nat home"\n'
    (source / "a.csv").write_text(text)
    assert read(source)[0] == {"one.jpg": 'JRussell, "the tall", at home'}


def test_all_problems_of_caption_files_at_once(source):
    (source / "a.csv").write_text("filename,label\nthee.jpg,x\none.jpg,JRussell, at home\n")
    (source / "b.csv").write_text("name,size\none.jpg,3\n")
    (source / "c.csv").write_bytes("filename,label\none.jpg,Käse\n".encode("cp1252"))
    (source / "d.jsonl").write_text('{"file_name": "one.jpg"\n["x"]\n{"text": "y"}\n')
    (source / "two.txt").write_text("second")
    (source / "lost.txt").write_text("whose?")
    (source / "README.txt").write_text("about")
    _, problems, doubts = read(source)
    told = {problem.where: str(problem) for problem in problems}
    assert set(told) == {
        "a.csv:2", "a.csv:3", "b.csv:1", "c.csv", "d.jsonl:1", "d.jsonl:2", "d.jsonl:3", "lost.txt"
    }  # fmt: skip
    assert "Did you mean 'sub/three.jpg'?" in told["a.csv:2"] or "Add the photo" in told["a.csv:2"]
    assert "quotes" in told["a.csv:3"] and "file" in told["b.csv:1"] and "UTF-8" in told["c.csv"]
    assert len(doubts) == 1 and doubts[0].startswith("README.txt")


def test_a_text_is_no_orphan_where_nobody_writes_captions_so(source):
    (source / "thoughts.txt").write_text("about my photos")
    _, problems, doubts = read(source)
    assert problems == [] and doubts[0].startswith("thoughts.txt")


def test_two_captions_of_one_photo_must_agree(source):
    (source / "a.csv").write_text("filename,label\none.jpg,same\ntwo.png,this\n")
    (source / "one.txt").write_text("same")
    (source / "two.txt").write_text("that")
    _, problems, _ = read(source)
    assert [problem.where for problem in problems] == ["two.txt"]


def test_an_ambiguous_file_name_is_not_guessed():
    index = PhotoIndex(["a/x.jpg", "b/x.jpg"])
    assert index.find("x.jpg") is None and index.find("b/x.jpg") == "b/x.jpg"
    assert "a/x.jpg or b/x.jpg" in index.explain("x.jpg")


def test_accents_are_equal_in_both_spellings():
    assert PhotoIndex(["Ju\u0308rgen.jpg"]).find("J\u00fcrgen.jpg") == "Ju\u0308rgen.jpg"


def run(source, **spec):
    out = source.parent / "out"
    out.mkdir(exist_ok=True)
    images = [
        {
            "image_id": name.rsplit(".", 1)[0].replace("/", "-"),
            "photo": name.rsplit(".", 1)[0].replace("/", "-"),
            "source": name,
            "height": 64,
            "pixel_hash": name,
        }
        for name in NAMES
    ]
    (out / "images.json").write_text(json.dumps(images))
    arguments = ["--spec", json.dumps({"characters": WHO, **spec}), "--source", str(source)]
    arguments += ["--images", str(out / "images.json"), "--images-dir", str(out / "images")]
    caption.main([*arguments, "--out", str(out / "captions.jsonl")])
    lines = (out / "captions.jsonl").read_text().splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def test_rows(source):
    (source / "captions.csv").write_text(
        "Filename,Label\n"
        'one.jpg," ARussell, a woman, and JRussell\'s hat "\n'
        "two.png,crussell in the snow\n"
        "sub/three.jpg,an empty beach\n"
    )
    rows = run(source)
    assert rows["one"]["caption"] == "ARussell, a woman, and JRussell's hat"
    assert rows["one"]["characters"] == ["A", "J"] and rows["one"]["nouns"] == ["woman"]
    assert rows["one"]["author"] == "file" and rows["one"]["warnings"] == []
    assert rows["one"]["caption_hash"] == caption_hash(rows["one"]["caption"])
    assert rows["two"]["characters"] == ["C"]
    assert [w["kind"] for w in rows["two"]["warnings"]] == ["case"]
    assert [w["kind"] for w in rows["sub-three"]["warnings"]] == ["nobody"]


def test_where_there_are_no_characters_nobody_is_missed(source):
    (source / "captions.csv").write_text(
        "Filename,Label\none.jpg,a photo of a man\ntwo.png,a man\nsub/three.jpg,a woman\n"
    )
    rows = run(source, characters={})
    assert rows["one"]["characters"] == [] and rows["one"]["nouns"] == ["man"]
    assert [row["warnings"] for row in rows.values()] == [[], [], []]


def test_a_folder_of_strangers_is_said_once_and_keeps_its_warnings_for_the_audit(source, capsys):
    (source / "captions.csv").write_text(
        "Filename,Label\none.jpg,a photo of a man\ntwo.png,a man\nsub/three.jpg,a woman\n"
    )
    rows = run(source)
    assert [w["kind"] for row in rows.values() for w in row["warnings"]] == ["nobody"] * 3
    said = capsys.readouterr().err
    assert said.startswith(captioning.NO_NAMES) and "warning" not in said


def test_missing_captions_and_unknown_names_are_listed_together(source):
    (source / "captions.csv").write_text(
        "Filename,Label,who\none.jpg,BRussell at home,\ntwo.png,,Bob\ngone.jpg,JRussell,\n"
    )
    with pytest.raises(ProblemsError) as caught:
        run(source)
    text = str(caught.value)
    assert len(caught.value.problems) == 5
    assert "captions.csv:2: the caption seems to name 'BRussell'" in text
    assert "captions.csv:3: `who` names 'Bob'" in text
    assert "captions.csv:4: there is no photo named 'gone.jpg'" in text
    assert "two.png: has no caption" in text and "sub/three.jpg: has no caption" in text
    assert not (source.parent / "out/captions.jsonl").exists()


def test_a_caption_that_disagrees_with_who_wins_and_is_warned_of(source):
    (source / "captions.csv").write_text(
        "Filename,Label,who\n"
        "one.jpg,JRussell at home,J+A\n"
        "two.png,JRussell,J\n"
        "sub/three,ARussell,\n"
    )
    rows = run(source)
    assert rows["one"]["characters"] == ["J"]
    assert [w["kind"] for w in rows["one"]["warnings"]] == ["who"]
    assert rows["two"]["warnings"] == []


def test_a_missing_captioner_is_one_clear_line(source):
    missing = str(source.parent / "no-such-model")
    with pytest.raises(KindredError, match="no-such-model: can't be loaded") as caught:
        run(source, captioner={"model": missing})
    assert "\n" not in str(caught.value) and "write the missing captions" in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('one.jpg,"first\ntwo.png,second\n', "a.csv:2"),
        ('one.jpg,first\ntwo.png,"second\nsub/three.jpg,"third"\n', "a.csv:3"),
        ('one.jpg,first\ntwo.png,"' + "x" * 200_000 + "\n", "a.csv:3"),
    ],
)
def test_a_quote_left_open_is_named_by_its_line(source, rows, line):
    (source / "a.csv").write_text("filename,label\n" + rows)
    found, problems, _ = read(source)
    assert [problem.where for problem in problems] == [line]
    assert "does not close" in problems[0].what
    assert found == ({} if line == "a.csv:2" else {"one.jpg": "first"})


def test_quotes_inside_captions_are_read_and_letters_behind_quotes_are_not(source):
    (source / "a.csv").write_text('filename,label\none.jpg,a "big" hat\ntwo.png,"sec"ond\n')
    found, problems, _ = read(source)
    assert found == {"one.jpg": 'a "big" hat'}
    assert [(one.where, one.what) for one in problems] == [
        ("a.csv:3", 'text follows a closing quote (")')
    ]


def test_a_quote_that_another_row_closes_is_named_where_it_opens(source):
    (source / "a.csv").write_text('filename,label\none.jpg,"first\ntwo.png,the second"\n')
    found, problems, _ = read(source)
    assert found == {} and [one.where for one in problems] == ["a.csv:2"]


@pytest.mark.parametrize("name", [" one.jpg", "photos/one.jpg", "one.jpg.png", "a\\one.jpg"])
def test_a_name_is_first_of_all_that_very_photo(source, name):
    path = source / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    (source / "a.csv").write_text(f'filename,label\n"{name}",its own\none.jpg,first\n')
    found, problems, _ = read(source, [*NAMES, name])
    assert (found, problems) == ({name: "its own", "one.jpg": "first"}, [])


def test_a_caption_file_that_two_photos_may_mean_is_neither_s(source):
    (source / "one.jpg.png").write_bytes(b"")
    (source / "one.jpg.txt").write_text("whose?")
    (source / "two.txt").write_text("second")
    found, problems, _ = read(source, [*NAMES, "one.jpg.png"])
    assert found == {"two.png": "second"}
    assert [one.where for one in problems] == ["one.jpg.txt"]


def test_an_object_that_says_its_caption_twice_is_a_problem(source):
    line = '{"file_name": "one.jpg", "text": "first", "Text": "second"}'
    (source / "a.jsonl").write_text(line)
    found, problems, _ = read(source)
    assert found == {} and [one.what for one in problems] == ["has `text` twice"]


def test_json_lines_end_at_line_feeds_alone_and_their_suffix_has_no_case(source):
    (source / "META.JSONL").write_text(
        '{"file_name": "one.jpg", "text": "at\u2028home"}\n', encoding="utf-8"
    )
    assert read(source)[:2] == ({"one.jpg": "at home"}, [])


@pytest.mark.parametrize(
    ("names", "written", "found"),
    [
        (["1.jpg", "ada/1.jpg"], "1.jpg", "1.jpg"),
        (["1.jpg", "ada/1.jpg"], "ada/1.jpg", "ada/1.jpg"),
        (["party/1.jpg"], "trip/1.jpg", None),
        (["party/1.jpg", "trip/2.jpg"], "C:\\photos\\trip\\1.jpg", None),
        (["party/1.jpg", "trip/2.jpg"], "C:\\photos\\trip\\2.jpg", "trip/2.jpg"),
        (["party/1.jpg"], "/home/me/ours/party/1.jpg", "party/1.jpg"),
        (["party/1.jpg"], "ours/party/1.jpg", "party/1.jpg"),
        (["party/1.jpg"], "1.jpg", "party/1.jpg"),
        (["party/1.jpg"], "party/1", "party/1.jpg"),
        (["Ada.JPG"], "ada.jpg", "Ada.JPG"),
        (["Ada.jpg", "ada.jpg"], "ada.jpg", "ada.jpg"),
        (["İda.jpg"], "İda.jpg", "İda.jpg"),
        (["Zoe\u0308.jpg"], "zo\u00eb.jpg", "Zoe\u0308.jpg"),
    ],
)
def test_a_path_with_a_folder_is_only_ever_that_path(names, written, found):
    assert PhotoIndex(names, "ours").find(written) == found


def test_a_caption_beside_a_photo_that_is_gone_goes_to_no_other(source):
    (source / "sub" / "one.txt").write_text("of sub/one.jpg, which was deleted")
    (source / "two.txt").write_text("second")
    found, problems, _ = read(source)
    assert found == {"two.png": "second"}
    assert [(p.where, p.what) for p in problems] == [
        ("sub/one.txt", "is a caption without a photo of that name")
    ]


def test_a_text_beside_two_photos_of_its_name_is_neithers(tmp_path):
    """Not even where it is the only one and a captioner would describe both."""
    for name in ("ada.jpg", "ada.jpg.png"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "ada.jpg.txt").write_text("Ada by a wall")
    found, problems, _ = read(tmp_path, ["ada.jpg", "ada.jpg.png"])
    assert found == {} and [p.what for p in problems] == ["could belong to more than one photo"]
    assert "ada.jpg or ada.jpg.png" in problems[0].cure


def test_names_that_end_in_a_space_belong_together(tmp_path):
    for name in ("ada .jpg", "ada.jpg"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "ada .txt").write_text("Ada by a wall")
    (tmp_path / "ada.txt").write_text("Ada outside")
    found, problems, _ = read(tmp_path, ["ada .jpg", "ada.jpg"])
    assert found == {"ada .jpg": "Ada by a wall", "ada.jpg": "Ada outside"} and problems == []


def test_several_lines_are_joined_and_said(source):
    (source / "one.txt").write_text("JRussell by a wall\n\nportrait of JRussell\n")
    (source / "two.txt").write_text("second\n")
    (source / "sub" / "three.txt").write_text("third")
    rows = run(source)
    assert rows["one"]["caption"] == "JRussell by a wall portrait of JRussell"
    assert [w["kind"] for w in rows["one"]["warnings"]] == ["reading"]
    assert "has 2 lines" in rows["one"]["warnings"][0]["what"]
    assert "reading" not in [w["kind"] for w in rows["two"]["warnings"]]
