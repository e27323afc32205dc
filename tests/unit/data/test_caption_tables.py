"""Tables of captions: what a person wrote is read as it stands, or is a problem with its line."""

import json

import pytest

from kindred.common.errors import Problems
from kindred.data.caption_tables import read_table


def rows(tmp_path, text, name="captions.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    problems = Problems()
    found = dict(read_table(path, tmp_path, problems))
    return found, [(problem.where, problem.what) for problem in problems.found]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        # Captions with commas and no quotes, and a column nobody reads.
        (
            "file_name,text,notes\na.jpg,Ada in a red coat, smiling\nb.jpg,Ben,\n",
            "captions.csv:2",
            "has text in column 'notes', which is not read: 'smiling'",
        ),
        (
            "Filename,Label,,,\n\na.jpg,Ada, smiling, at the beach,\n,,,,\nb.jpg,Ben,,,\n",
            "captions.csv:3",
            "has text in a column without a name, which is not read: 'smiling'",
        ),
        (
            "file_name,text,year\na.jpg,Ada,2024\nb.jpg,Ben, smiling\n",
            "captions.csv:2",
            "has text in column 'year', which is not read: '2024'",
        ),
        ("file_name,who,text\na.jpg,Ada by a wall\nb.jpg,B,Ben\n", "captions.csv:2",
         "has 2 fields, but the header has 3"),
        ("file_name,text\na.jpg,Ada, smiling\n", "captions.csv:2",
         "has 3 fields, but the header has 2"),
        ("file_name,text,text\na.jpg,Ada,Ben\n", "captions.csv:1", "the header has 'text' twice"),
        ("image,label,prompt\na.jpg,Ada,a woman\n", "captions.csv:2",
         "'prompt' and 'label' say different things, and each could be the caption"),
        ("image,text,caption\na.jpg,Ada,a woman\n", "captions.csv:2",
         "'text' and 'caption' say different things, and each could be the caption"),
        ("file_name,text\na.jpg,Ada\x07 smiling\n", "captions.csv",
         "contains the control character U+0007 in line 2"),
        ("file_name,text\na.jpg,Ada\n".encode("utf-16-le"), "captions.csv",
         "is not UTF-8 text; it looks like UTF-16"),
        ("file_name,text\na.jpg,Ada\n".encode("utf-16"), "captions.csv",
         "is not UTF-8 text; it looks like UTF-16"),
    ],
)  # fmt: skip
def test_nothing_is_dropped_in_silence(tmp_path, text, where, what):
    _, problems = rows(tmp_path, text)
    assert (where, what) in problems


@pytest.mark.parametrize(
    ("text", "captions"),
    [
        ('file_name, text\na.jpg, "Ada, by a wall"\nb.jpg, "Ben"\n', ["Ada, by a wall", "Ben"]),
        ("file_name,text,,\na.jpg,Ada,,\n,,,\nb.jpg,Ben,,\n", ["Ada", "Ben"]),
        ("file_name,text,width,height\na.jpg,Ada,640,480\nb.jpg,Ben,64,48\n", ["Ada", "Ben"]),
        ("n,file_name,text\nfirst,a.jpg,Ada\n2,b.jpg,Ben\n", ["Ada", "Ben"]),
        ("image,label,caption\na.jpg,0,Ada\nb.jpg,1,Ben\n", ["Ada", "Ben"]),
        ("image,label,caption\na.jpg,Ada,\nb.jpg,Ben,Ben\n", ["Ada", "Ben"]),
    ],
)
def test_tables_that_are_right_are_read(tmp_path, text, captions):
    found, problems = rows(tmp_path, text)
    assert [one.text for one in found.values()] == captions and problems == []


def test_which_of_two_columns_is_the_caption_is_said(tmp_path):
    found, _ = rows(tmp_path, "image,label,caption\na.jpg,Ada,the woman Ada by a wall\n")
    assert found["a.jpg"].text == "the woman Ada by a wall"
    assert found["a.jpg"].notes == (
        "'caption' and 'label' say different things; 'caption' is the caption",
    )


def test_values_that_are_no_text_are_problems_with_their_lines(tmp_path):
    values = [["Ada", "portrait"], {"en": "Ben"}, 7, True, None, "Ada\u0000"]
    text = "".join(
        json.dumps({"file_name": f"{n}.jpg", "text": value}) + "\n"
        for n, value in enumerate(values)
    )
    found, problems = rows(tmp_path, text, "metadata.jsonl")
    assert problems == [
        ("metadata.jsonl:1", "`text` is a list"),
        ("metadata.jsonl:2", "`text` is an object"),
        ("metadata.jsonl:3", "`text` is a number"),
        ("metadata.jsonl:4", "`text` is true or false"),
        ("metadata.jsonl:6", "contains the control character U+0000"),
    ]
    assert {name: one.text for name, one in found.items()} == {"4.jpg": ""}


def test_who_may_be_a_list_of_texts_alone(tmp_path):
    lines = [
        {"file_name": "a.jpg", "who": ["J", "A"]},
        {"file_name": "b.jpg", "who": [1]},
        {"file_name": "c.jpg", "text": "Ada", "width": 640, "tags": ["x"]},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    found, problems = rows(tmp_path, text, "metadata.jsonl")
    assert found["a.jpg"].who == "J, A" and found["c.jpg"].text == "Ada"
    assert problems == [("metadata.jsonl:2", "`who` is a list")]
