"""Logs of declarations and changes: unbroken, and what published pages say of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kindred.common.chained_log import read_log
from kindred.common.experiment_log import log_path
from kindred.evidence import amendments
from kindred.evidence.preregistration import design_of
from kindred.report import repository_pages
from kindred.report.published_log import log_of
from kindred.report.repository_publishing import published_runs

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "findings"
PUBLISHED = sorted(path.parent.name for path in DOCS.glob("*/runs.csv"))
UNCLAIMED = ["casts-alike", "casts-coverage"]  # figures of arms published before, no hypotheses
CLAIMED = [name for name in PUBLISHED if name not in UNCLAIMED]
RERUN = ("experiment1", "coverage", "remedies")  # published twice under the same run numbers


def page(name: str) -> str:
    return (DOCS / name / "README.md").read_text(encoding="utf-8")


def rows(name: str) -> list[dict[str, str]]:
    return amendments.table(read_log(log_path(name, ROOT)))


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_page_says_what_its_log_says(name):
    entries = read_log(log_path(name, ROOT))
    log = log_of(entries, published_runs(DOCS / name / "runs.csv"))
    assert repository_pages.with_log(page(name), log, name, name) == page(name)
    assert log["made"] in page(name) and log["entries"] in page(name)
    assert re.search(r"of revision [0-9a-f]{12}|by version \d+", log["made"])


@pytest.mark.parametrize("name", UNCLAIMED)
def test_where_nothing_is_claimed_the_page_says_so(name):
    assert "No hypothesis was declared, so nothing is claimed." in page(name)
    assert not design_of(read_log(log_path(name, ROOT)))["hypotheses"]


@pytest.mark.parametrize("name", CLAIMED)
def test_unchanged_is_said_only_where_nothing_was_amended(name):
    entries = read_log(log_path(name, ROOT))
    last = max(n for n, one in enumerate(entries) if one["kind"] == "published")
    changed = amendments.amended(entries[: last + 1])
    later = amendments.amended(entries) > changed
    assert ("unchanged since" in page(name)) == (not changed and not later)
    assert ("unchanged until they were published" in page(name)) == (not changed and later)
    assert (name in ("likeness", "single_or_many", "strangers", *RERUN)) == bool(changed)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_log_ends_with_the_runs_that_are_published(name):
    entries = read_log(log_path(name, ROOT))
    last = [one for one in entries if one["kind"] == "published"][-1]
    runs = published_runs(DOCS / name / "runs.csv")
    assert last["runs"] == {one: own for one, own in runs.items() if not one.startswith("BASE")}
    assert {*last["runs"]} <= {*design_of(entries)["variants"]}


@pytest.mark.parametrize("name", RERUN)
def test_experiments_run_again_on_their_seeds_say_so(name):
    published = [one for one in read_log(log_path(name, ROOT)) if one["kind"] == "published"]
    assert len(published) == 2
    again = {*published[0]["runs"]} & {*published[1]["runs"]}
    assert "scrambled" in again
    assert all(published[0]["runs"][one] == published[1]["runs"][one] for one in again)
    heads = next(row for row in rows(name) if (row["before"], row["after"]) == ("6 x 4", "24 x 2"))
    assert heads["what"] == "prompt set headshot: prompts x seeds"
    assert (heads["date"], heads["seen"]) == ("2026-11-24 23:45", "results")
    assert sum(row["what"].startswith(("rule of the c", "control SCR")) for row in rows(name)) == 3
    assert "declared again" in {row["what"] for row in rows(name)}


def test_coverage_was_published_before_its_headshots_changed():
    found = [(row["date"], row["what"]) for row in rows("coverage")]
    order = [
        found.index(("2026-11-24 22:38", "published")),
        found.index(("2026-11-24 23:45", "prompt set headshot: prompts x seeds")),
        found.index(("2026-11-25 00:36", "declared again")),
        found.index(("2026-11-25 01:14", "published")),
    ]
    assert order == sorted(order)
    claims = next(row["claims"] for row in rows("coverage") if row["after"] == "24 x 2")
    assert claims == "trio-alone-costs-likeness"


def test_the_rule_for_scrambled_in_likeness_is_told_with_what_it_would_have_said():
    row = next(row for row in rows("likeness") if row["what"].startswith("rule of the control"))
    assert ".82 right" in row["before"] and "no verdict would have been trusted" in row["before"]
    assert row["seen"] == "results"
