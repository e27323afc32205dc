"""The page of pairs: fair, blind, and it saves what the report reads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import reported
from browser import browser
from synthetic import ARMS, CHARACTERS, Made
from waiting import until

import pairs_page as program
import report
from kindred.common.errors import KindredError
from kindred.evidence.paired_choices import read_choices
from kindred.report.pairs_page import choose_pairs
from kindred.report.report_data import read_pictures
from kindred.specs.report import PairsSpec, ReportSpec

VARIANTS = {"all": [1], "no-trio": [1]}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    arms = {name: ARMS[name] for name in (*VARIANTS, "BASE")}
    root = tmp_path_factory.mktemp("experiment")
    return reported.build(root, runs=1, arms=arms, hypotheses={})


def spec_of(made, **given) -> PairsSpec:
    told = {
        "variants": VARIANTS,
        "prompt_sets": list(made.spec.prompt_sets),
        "datasets": ["russell"],
    }
    return PairsSpec(experiment=made.spec.experiment, characters=CHARACTERS, **{**told, **given})


def pairs_of(made, **given):
    spec = spec_of(made, **given)
    runs = [(name, run) for name, numbers in spec.variants.items() for run in numbers]
    return choose_pairs(read_pictures(made.results, runs, spec.prompt_sets)[0], spec)


def test_pairs_are_of_one_prompt_and_seed_by_two_variants_and_fair(made):
    pairs = pairs_of(made)
    assert {pair.letter for pair in pairs} == set(CHARACTERS)
    for pair in pairs:
        assert (pair.left.prompt, pair.left.seed) == (pair.right.prompt, pair.right.seed)
        assert CHARACTERS[pair.letter].name in pair.left.prompt and pair.left.key != pair.right.key
    assert max(Counter(p.letter for p in pairs).values()) <= len(pairs) / 3 + 1
    assert len(pairs_of(made, pairs=4)) == 4 and pairs_of(made) == pairs
    assert pairs_of(made, seed=2) != pairs


def test_one_variant_is_nothing_to_compare(made):
    with pytest.raises(KindredError, match=r"no two variants .* Add a second variant"):
        pairs_of(made, variants={"all": [1]})


@pytest.mark.long
def test_the_page_says_nothing_of_variants_and_saves_what_the_report_reads(made, tmp_path):
    page = tmp_path / "pairs.html"
    spec = spec_of(made)
    program.main(
        [
            *("--spec", spec.canonical(), "--folder", str(made.results)),
            *("--resources", str(made.root / "resources"), "--out", str(page)),
        ]
    )
    html = page.read_text(encoding="utf-8")
    assert "no-trio" not in html and "http" not in html.replace("http-equiv", "")
    with browser(tmp_path) as window:
        window.open(page)
        assert "Which looks more like" in window.run("document.querySelector('h1').textContent")
        first = window.run("page.pairs[0].left")
        window.type("left", "right", "=")
        assert window.run("byId('count').textContent").startswith("3 of ")
        window.reload_to("byId('count').textContent.startsWith('3 of ')")  # nothing is lost
        window.click("#export")
        saved = tmp_path / "pairs.csv"
        until(lambda: saved.exists() and saved.stat().st_size)
        assert window.errors() == []
    choices = read_choices([saved])
    assert [one.choice for one in choices] == ["left", "right", "equal"]
    assert choices[0].left == first
    written = tmp_path / "report"
    written.mkdir()
    html, markdown = run_report(made, written, saved)
    assert "Which looks more like" in html and "| all |" in markdown.split("## Does it know")[0]


def run_report(made: Made, out: Path, pairs: Path) -> tuple[str, str]:
    spec = ReportSpec(experiment=made.spec.experiment)
    report.main(
        [
            *("--spec", spec.canonical(), "--folder", str(made.results)),
            *("--resources", str(made.root / "resources"), "--pairs", str(pairs)),
            *("--page", str(out / "report.html"), "--markdown", str(out / "report.md")),
        ]
    )
    return tuple((out / name).read_text(encoding="utf-8") for name in ("report.html", "report.md"))


def test_neither_side_is_one_variant(made):
    pictures, _ = read_pictures(made.results, [("all", 1)], made.spec.prompt_sets)
    own = {row.key for row in pictures.values()}
    left = [pair.left.key in own for pair in pairs_of(made)]
    assert 0 < sum(left) < len(left)
