"""The rating page: which pictures, what it gives away, and a person at the keyboard."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
import reported
from browser import browser
from synthetic import CHARACTERS, Made
from waiting import until

from kindred.common.errors import KindredError, ProblemsError
from kindred.common.files import read_json, write_json
from kindred.evidence.human_ratings import read_ratings
from kindred.rendering.manifest import Row
from kindred.report.rating_page import choose, references
from kindred.report.report_data import Photo


def rows(variants: int, runs: int, prompts: int, seeds: int) -> dict:
    return {
        (f"v{v}", run, "set", f"p{p}", seed): Row(
            f"p{p}", f"prompt {p}", seed, 8, 8, f"key-{v}-{run}-{p}-{seed}", Path("x.png")
        )
        for v in range(variants)
        for run in range(1, runs + 1)
        for p in range(prompts)
        for seed in range(seeds)
    }


@pytest.mark.parametrize("most", [12, 25, 1000])
def test_every_variant_and_prompt_comes_as_often(most):
    chosen = choose(rows(4, 2, 3, 2), most, seed=1)
    assert len(chosen) == len({row.key for row in chosen}) == min(most, 48)
    counts = Counter(tuple(row.key.split("-")[1::2]) for row in chosen)
    assert len(counts) == 12 and max(counts.values()) - min(counts.values()) <= 1


def test_the_choice_is_repeatable_and_another_seed_chooses_others():
    made = rows(4, 2, 3, 2)
    first = [row.key for row in choose(made, 12, seed=1)]
    assert first == [row.key for row in choose(dict(reversed(made.items())), 12, seed=1)]
    assert set(first) != {row.key for row in choose(made, 12, seed=2)}
    variants = [key.split("-")[1] for key in first]
    assert variants != sorted(variants), "the order would say which variant it is"


def test_a_picture_that_variants_share_is_rated_once():
    made = rows(2, 1, 1, 1)
    same = {place: Row(**{**row.__dict__, "key": "same"}) for place, row in made.items()}
    assert [row.key for row in choose(same, 10, seed=1)] == ["same"]


def test_photos_with_the_fewest_people_are_the_references():
    photos = [Photo(Path(f"{n}.png"), letters) for n, letters in enumerate(["J", "J", "J", "AJ"])]
    shelf = references(photos, CHARACTERS)
    assert [path.name for path in shelf["J"]] == ["0.png", "1.png", "2.png"]
    assert [path.name for path in shelf["A"]] == ["3.png"] and shelf["C"] == []


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    return reported.build(tmp_path_factory.mktemp("rated"), runs=2, seeds=(1,))


def test_the_page_gives_no_variant_away_and_loads_nothing(made, tmp_path):
    html = reported.run_rating(made, tmp_path).read_text(encoding="utf-8")
    text = re.sub(r'<script type="text/plain".*?</script>', "", html, flags=re.DOTALL)
    for variant in made.spec.variants:
        assert not re.search(rf"(?<![\w-]){re.escape(variant)}(?![\w-])", _data(text)), variant
    assert "://" not in html and not re.search(r'(?:src|href)="(?!data:)', html)
    assert "run-" not in text and ".png" not in text
    assert f"config/experiments/{made.spec.experiment}.ratings.csv" in text


def _data(html: str) -> str:
    """What the page knows of the pictures; words such as 'all' stand in its sentences too."""
    return html[html.index('type="application/json"') : html.index('"use strict"')]


def test_a_shared_page_shows_no_photo(made, tmp_path):
    html = reported.run_rating(made, tmp_path, hide_photos=True).read_text(encoding="utf-8")
    assert 'id="r-' not in html and 'id="side"' not in html and 'id="p-' in html
    for row in read_json(made.root / "resources" / "russell" / "images.json"):
        assert row["image_id"] not in re.sub(r'<script type="text/plain".*?</script>', "", html)


def test_missing_pictures_and_none_at_all_are_said(made, tmp_path):
    path = made.manifest("all", 1, "pair")
    before = read_json(path)
    try:
        write_json(path, before | {"images": [{**before["images"][0], "path": "gone.png"}]})
        with pytest.raises(ProblemsError, match=r"gone\.png: is missing. Draw them again"):
            reported.run_rating(made, tmp_path)
    finally:
        write_json(path, before)
    empty = Made(tmp_path, made.spec.model_copy(update={"variants": {}}))
    with pytest.raises(KindredError, match="no picture to rate"):
        reported.run_rating(empty, tmp_path)


@pytest.mark.long
def test_ten_pictures_by_keyboard_reload_save_build_and_read_the_report(made, tmp_path):
    """The whole way of a rating: keyboard, reload, export, comparison, report."""
    page = reported.run_rating(made, tmp_path)
    count = "document.getElementById('count').textContent"
    shown = "document.body.dataset.picture"
    given = {}
    with browser(tmp_path) as window:
        window.open(page)
        total = int(window.run(count).split()[-1])
        for n in range(10):
            key = window.run(shown)
            assert key not in given, "a picture came twice"
            given[key] = n % 3 + 1
            window.type(str(given[key]))
        assert window.run(count) == f"10 of {total}"
        eleventh = window.run(shown)

        window.reload_to(f"{count} === '10 of {total}'")  # progress is kept
        assert window.run(shown) == eleventh, "and the place"

        window.type("left")
        last = list(given)[-1]
        assert window.run(shown) == last, "one can go back"
        assert window.run("document.querySelector('.rate.chosen').dataset.rating") == str(
            given[last]
        )
        window.type("3")
        given[last] = 3
        assert window.run(shown) == eleventh

        window.click("#export")
        saved = tmp_path / "ratings.csv"
        until(saved.exists)
        assert window.errors() == []

    assert {rating.key: rating.grade for rating in read_ratings([saved])} == given
    with open(saved, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert {line["rater"] for line in lines} == {"me"}
    assert all(float(line["seconds"]) >= 0 and line["rated_at"].endswith("Z") for line in lines)

    reported.run_compare(made, "--ratings", str(saved))
    html, markdown = reported.run_report(made, tmp_path / "out")
    ratings = read_json(made.results / "summary.json")["ratings"]
    assert ratings["images"] == 10 and ratings["ratings"] == 10
    assert "10 of 10 pictures by 1 person" in " ".join(html.split())
    assert "Rated" in html and "## Rated by people" in markdown


def test_raters_have_their_own_order_and_progress_and_the_mode_is_noted(made, tmp_path):
    page = reported.run_rating(made, tmp_path)
    order = "order.map(one => one.key).join()"
    with browser(tmp_path) as window:
        window.open(page)
        mine = window.run(order)
        references = "document.querySelectorAll('#references img').length"
        hidden = "document.getElementById('references').hidden"
        window.run("(at = order.findIndex(one => one.who.length === 2), show())")
        assert not window.run(hidden)
        window.type("s")
        assert window.run(hidden)
        window.type("2")
        window.run(
            "(r => { r.value = 'Anna, B'; r.dispatchEvent(new Event('change')) })"
            "(document.getElementById('rater'))"
        )
        assert window.run("document.getElementById('count').textContent").startswith("0 of")
        assert window.run(order) != mine
        assert sorted(window.run(order).split(",")) == sorted(mine.split(","))
        window.type("s")
        window.run("(at = order.findIndex(one => one.who.length === 1), show())")
        assert window.run(references) > 1
        window.type("1")
        window.click("#export")
        saved = tmp_path / "ratings.csv"
        until(saved.exists)
    with open(saved, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [(line["rater"], line["rating"], line["reference"]) for line in lines] == [
        ("Anna, B", "1", "1")
    ]
