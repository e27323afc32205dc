"""The page "Who is it?": which pictures, what it gives away, and a person who answers."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import reported
from browser import browser
from synthetic import CHARACTERS, Made
from waiting import until

from kindred.evidence.who_is_it import read_answers
from kindred.rendering.manifest import Row
from kindred.report.who_page import choose
from kindred.specs.report import WhoIsItSpec


def rows(family: str, variants: int = 4) -> dict:
    """192 pictures of a family: 3 casts, 4 prompts each, 4 runs."""
    return {
        (f"v{v}", run, "casts", f"{cast}.x.{p}", 1): Row(
            f"{cast}.x.{p}", "p", 1, 8, 8, f"{family}-{v}-{run}-{cast}-{p}", Path("x.png")
        )
        for v in range(variants)
        for run in range(4)
        for cast in ("A", "J", "A+J")
        for p in range(4)
    }


def spec(images: int, **changes: object) -> WhoIsItSpec:
    one = {"characters": CHARACTERS, "runs": {}, "datasets": [], "clothes": ["A.x.3"]}
    told = {"name": "s", "prompt_sets": ["casts"], "images": images}
    return WhoIsItSpec.model_validate({**told, "families": dict.fromkeys("fgh", one), **changes})


def test_variants_families_and_casts_come_as_often_as_each_other():
    chosen = choose({name: rows(name) for name in "fgh"}, spec(36))
    for part, each in ((0, 12), (1, 9), (3, 12)):
        counts = Counter(one.row.key.split("-")[part] for one in chosen)
        assert set(counts.values()) == {each}, counts
    assert {one.clothes for one in chosen if one.row.name == "A.x.3"} == {True}
    again = choose({name: rows(name) for name in "hgf"}, spec(36))
    assert [one.row.key for one in again] == [one.row.key for one in chosen]
    other = choose({name: rows(name) for name in "fgh"}, spec(36, seed=2))
    assert {one.row.key for one in other} != {one.row.key for one in chosen}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    return reported.build(tmp_path_factory.mktemp("who"), runs=1, seeds=(1,))


@pytest.fixture(scope="module")
def page(made: Made) -> Path:
    return reported.run_who(made, made.root / "who.html")


def test_the_page_tells_no_variant_and_needs_no_network(page: Path, made: Made):
    text = page.read_text(encoding="utf-8")
    told = json.loads(re.search(r'id="page">(.*?)</script>', text, re.S).group(1))
    assert len(told["pictures"]) == 6
    assert set(told["pictures"][0]) == {"key", "family", "prompt", "clothes"}
    assert not re.search(r'(?:src|href)="https?:', text)
    shown = [person["photos"] for person in told["families"][made.results.name]]
    assert all(shown) and all(f'id="{key}"' in text for own in shown for key in own)


def test_a_person_answers_and_saves_what_is_read(page: Path, tmp_path):
    with browser(tmp_path) as window:
        window.open(page)
        for _ in range(6):
            window.run("document.querySelector('[data-letter=\"J\"]').click()")
            window.run("document.querySelector('[data-others=\"1\"]').click()")
            assert window.run("document.getElementById('second').hidden")
            window.run("document.getElementById('next').click()")
            window.run("document.querySelector('[data-send=\"1\"]').click()")
        assert not window.run("document.getElementById('done').hidden")
        window.run("document.getElementById('save').click()")
        file = window.downloads / "study.who.csv"
        until(file.is_file)
    found = read_answers([file])
    assert len(found) == 6 and {(one.rater, one.others) for one in found} == {("me", 1)}
    assert all(one.who == {"J"} and one.send and one.clothes is None for one in found)
    with open(file, newline="", encoding="utf-8") as text:
        assert len(list(csv.reader(text))) == 7
