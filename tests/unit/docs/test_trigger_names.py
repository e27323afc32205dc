"""Names of people are recommended in one way, wherever the project speaks of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.data.audit.token_findings import EXAMPLES, KIND
from kindred.specs.character import Character

ROOT = Path(__file__).parents[3]
PAGES = ("README.md", "docs/guide/own-photos.md", "docs/reference/audit.md")


@pytest.mark.parametrize("page", PAGES)
def test_pages_recommend_what_the_audit_does(page):
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    assert KIND in text
    assert sum(example in text for example in EXAMPLES) >= 2


def test_the_reference_of_keys_and_the_review_page_do_too():
    said = Character.model_fields["name"].description
    assert KIND in said and EXAMPLES[0] in said
    page = (ROOT / "report/review.html").read_text(encoding="utf-8")
    assert f"a made-up word, e.g. {EXAMPLES[0]}" in page
