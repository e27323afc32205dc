"""Published rows by the rules of today, and the pages that show them."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from kindred.evidence import labels
from kindred.report.published_labels import (
    arms_of,
    relabelled,
    with_todays_labels,
    words_of,
)
from kindred.report.published_tables import VERDICTS
from kindred.report.published_verdicts import Told, verdict_table
from kindred.report.repository_pages import with_labels

DOCS = Path(__file__).parents[3] / "docs" / "findings"
LINE = {
    **dict.fromkeys(VERDICTS, ""),
    **{"hypothesis": "h", "claim": "It is better.", "variant": "a", "against": "b"},
    **{"measure": "success", "prompt_set": "trio", "margin": "0.1", "effect": "0.01"},
    **{"low": "-0.08", "high": "0.11", "runs": "10", "primary": "0", "level": "0.95"},
}
OLD = {key: value for key, value in LINE.items() if key not in ("label", "x", "rules")} | {
    "verdict": "refuted",
    "label_at_publication": "",
}


def of_runs(variant: str, *means: float) -> list[dict[str, str]]:
    names = ("variant", "run", "prompt_set", "pictures", "success")
    return [
        dict(zip(names, (variant, str(n), "trio", "48", str(mean)), strict=True))
        for n, mean in enumerate(means)
    ]


def test_a_printed_interval_gets_today_s_label():
    assert relabelled(LINE, 3, [], []).name == "no difference"  # -0.07 to 0.09 at 90 %
    assert relabelled(LINE | {"high": "0.14"}, 3, [], []).name == "undecided"
    assert relabelled(LINE | {"low": "0.11", "high": "0.2"}, 3, [], []).name == "supported"
    assert relabelled(LINE | {"runs": "5 and 10"}, 3, [], []).x == 0.15
    assert relabelled(LINE | {"runs": "3"}, 3, [], []).name == "pilot"
    assert relabelled(LINE | {"effect": "", "low": "", "high": ""}, 3, [], []).name == (
        labels.UNMEASURED
    )


def test_arms_at_the_floor_are_seen_in_the_tables_of_runs_and_prompts():
    runs = of_runs("a", 0.0, 0.02, 0.0) + of_runs("b", 0.0, 0.0, 0.02)
    prompts = [
        {"prompt_set": "trio", "prompt": str(n), "a success": value, "b success": "0"}
        for n, value in enumerate(["0", "0.02", "0", "0", "0.01"])
    ]
    (low, high), _ = arms_of(LINE, runs, prompts)
    assert low < 0.007 < high < 0.05
    assert relabelled(LINE, 3, runs, prompts).name == "both at the floor"
    assert arms_of(LINE | {"measure": "rating"}, runs, prompts) is None


def test_what_a_row_was_called_stays_beside_it():
    (line,) = with_todays_labels([OLD], [], [])
    assert line["label"] == "no difference" and line["x"] == "0.1"
    assert line["label_at_publication"] == "refuted" and line["rules"] == labels.RULES
    assert with_todays_labels([line], [], []) == [line]
    (kept,) = with_todays_labels([line | {"label": "exploratory", "rules": "labels 0"}], [], [])
    assert kept["label"] == "exploratory"


def test_words_of_a_row():
    (line,) = with_todays_labels([OLD], [], [])
    assert words_of(line) == "no difference larger than 10 points"


def test_a_page_says_today_s_labels_and_does_so_again():
    told = {"h": Told(("2 %", "1 %"), "Ask more prompts.")}
    (line,) = with_todays_labels([OLD], [], [])
    before = verdict_table([line | {"label": "undecided", "x": ""}], told)
    page = f"# Title\n\n## What came out\n\n{before}\n\nControl: fine.\n\n## Rest\n\n| a |\n|---|\n"
    assert "| undecided | " in page and "| Ask more prompts. |" in page
    found = with_labels(page, [line])
    assert (
        "| no difference larger than 10 points | +1 point (−8 to +11) | a: 2 % | b: 1 % |" in found
    )
    assert "ndecided" not in found and "Ask more prompts" not in found
    assert found.endswith("\n\nControl: fine.\n\n## Rest\n\n| a |\n|---|\n")
    assert with_labels(found, [line]) == found


@pytest.mark.parametrize("name", sorted(path.parent.name for path in DOCS.glob("*/verdicts.csv")))
def test_published_labels_are_those_of_today(name):
    def read(table: str) -> list[dict[str, str]]:
        with open(DOCS / name / f"{table}.csv", newline="") as file:
            return list(csv.DictReader(file))

    lines = read("verdicts")
    assert all(line["rules"] == labels.RULES for line in lines)
    page = (DOCS / name / "README.md").read_text()
    for line in lines:
        claim = line["claim"].replace("|", "\\|")
        assert f"\n| {line['hypothesis']} | {claim} | {words_of(line)} | " in page


def test_what_refuted_has_become():
    """By the rules of then, which put three findings under one name; few were the opposite."""
    found: Counter[tuple[str, str]] = Counter()
    for path in DOCS.glob("*/verdicts.csv"):
        with open(path, newline="") as file:
            for line in csv.DictReader(file):
                found[line["label_at_publication"], line["label"]] += 1
    refuted = {now: n for (then, now), n in found.items() if then == "refuted"}
    assert sum(refuted.values()) == 67
    assert refuted["no difference"] + refuted["both at the floor"] > 50
    assert refuted["contradicted"] < 6
    assert not any(now == "refuted" for _, now in found)
