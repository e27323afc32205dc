"""YAML as people write it: numbers, names, duplicates, and places of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from kindred.common.errors import Problems
from kindred.config.yaml_document import Document, read_document
from kindred.specs.spec_model import SpecModel


class Inner(SpecModel):
    rate: float
    kind: int | list[str] = 1


class Outer(SpecModel):
    things: dict[str, Inner]
    size: tuple[int, int] = Field((1, 1))


def read(tmp_path: Path, text: str) -> tuple[Document | None, Problems]:
    file = tmp_path / "a.yaml"
    file.write_text(text, encoding="utf-8")
    problems = Problems()
    return read_document(file, problems), problems


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-4", 1e-4),
        ("3E5", 3e5),
        ("1.5", 1.5),
        (".5", 0.5),
        ("16", 16),
        ("010", 10),
        ("1:30", "1:30"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("2024-01-31", "2024-01-31"),
        ("~", None),
        ("'7'", "7"),
        ("e4", "e4"),
        ("-", "-"),
    ],
)
def test_scalars_mean_what_they_look_like(tmp_path, written, value):
    if written == "-":
        written = "'-'"
    document, problems = read(tmp_path, f"a: {written}\n")
    assert not problems
    assert document.data == {"a": value}
    assert type(document.data["a"]) is type(value)


def test_keys_are_texts(tmp_path):
    document, _ = read(tmp_path, "no: 1\n8: 2\ntrue: 3\n")
    assert set(document.data) == {"no", "8", "true"}


def test_duplicate_keys_are_named_with_both_lines(tmp_path):
    document, problems = read(tmp_path, "a:\n  x: 1\n  y: 2\n  x: 3\n")
    assert document is None
    assert str(problems.found[0]).endswith(
        "a.yaml:4: a.x: is given twice (first on line 2). Keep one of them."
    )


def test_broken_yaml_names_the_line(tmp_path):
    document, problems = read(tmp_path, "a: 1\nb: [1, 2\nc: 3\n")
    assert document is None
    assert len(problems.found) == 1
    assert "a.yaml:3" in problems.found[0].where
    assert problems.found[0].what.endswith(", in what begins in line 2)")


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "just words\n"])
def test_a_file_without_keys_is_a_problem(tmp_path, text):
    document, problems = read(tmp_path, text)
    assert document is None
    assert problems.found[0].what == "contains no keys"


def test_a_missing_file_and_one_in_latin_1(tmp_path):
    problems = Problems()
    assert read_document(tmp_path / "none.yaml", problems) is None
    (tmp_path / "latin.yaml").write_bytes("a: caf\xe9".encode("latin-1"))
    assert read_document(tmp_path / "latin.yaml", problems) is None
    assert [p.what.split(" (")[0] for p in problems.found] == ["no such file", "can't be read"]


def test_merge_keys_and_anchors(tmp_path):
    document, problems = read(tmp_path, "a: &x {p: 1}\nb: {<<: *x, q: 2}\n")
    assert not problems
    assert document.data["b"] == {"p": 1, "q": 2}


def test_every_finding_has_its_place_and_union_members_count_once(tmp_path):
    document, problems = read(
        tmp_path,
        "things:\n  first: {rate: fast}\n  second:\n    rate: 1\n    kind: 1.5\n    knid: 2\n"
        "size: [1]\n",
    )
    assert document.validate(Outer, problems) is None
    places = {p.where.rsplit("/", 1)[1]: p for p in problems.found}
    assert set(places) == {
        "a.yaml:2: things.first.rate",
        "a.yaml:5: things.second.kind",
        "a.yaml:6: things.second.knid",
        "a.yaml:7: size.1",
    }
    assert " or " in places["a.yaml:5: things.second.kind"].what
    assert places["a.yaml:6: things.second.knid"].cure == "did you mean 'kind'?"


@pytest.mark.parametrize(
    ("text", "where", "what", "cure"),
    [
        ("a: 1\n{J}: headshot of {J}\n", "a.yaml:2", "the key {J} as text", 'quotes: "{J}"'),
        ("a: 1\n[b, c]: 2\n", "a.yaml:2", "the key [b, c] as text", 'quotes: "[b, c]"'),
        (
            "a: 1\nb: x\x07y\n",
            "a.yaml:2",
            "contains the character U+0007",
            "save the file as UTF-8",
        ),
        (
            "a\0:\0 \x001\0\n\0",
            "a.yaml:1",
            "contains the character U+0000",
            "save the file as UTF-8",
        ),
        ("a: 1\nb: &x [*x]\n", "a.yaml:2: b.0", "contains itself", "without the alias"),
        ("a: " + "[" * 5000, "a.yaml", "is nested too deeply", "brackets"),
        ("a:\n\tb: 1\n", "a.yaml:2", "valid YAML: there is a tab", "indent with spaces"),
        ("a:\n  b: 1\n c: 2\n", "a.yaml:3", "begins in another column", "indent it like"),
    ],
)
def test_what_yaml_can_t_say_is_one_problem_with_its_line(tmp_path, text, where, what, cure):
    document, problems = read(tmp_path, text)
    assert document is None
    (found,) = problems.found
    assert found.where.rsplit("/", 1)[1] == where
    assert what in found.what and cure in found.cure
