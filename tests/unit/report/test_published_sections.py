"""Sections of a report in the short form of published pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kindred.report.published_sections import (
    LEGEND,
    TABLE,
    body_of,
    by_prompt_set,
    in_short,
    photos_of,
    taken,
    without_legend,
)
from kindred.report.published_tables import VERDICTS
from kindred.report.published_verdicts import Told, told_before, told_of, verdict_table
from kindred.report.repository_publishing import read_table

DOCS = Path(__file__).parents[3] / "docs" / "findings"
MATRICES = """Rows: who was asked for. Columns: whom the judge found in that place.

| all | JRussell | ARussell | stranger |
|---|---:|---:|---:|
| JRussell | 90 % | 4 % | 6 % |
| ARussell | 1 % | 99 % | 0 % |

| BASE | JRussell | ARussell | stranger |
|---|---:|---:|---:|
| JRussell | 0 % | 0 % | 100 % |
| ARussell | 0 % | 1 % | 99 % |

| only-J | JRussell | stranger |
|---|---:|---:|
| JRussell | 95 % | 5 % |
"""
NUMBERS = """In brackets: 95 % intervals.

| variant | runs | Likeness |
|---|---:|---:|
| all | 3 | 0.80 (0.70–0.90) |

- Likeness: 0 is a stranger, 1 another photo of the same person
- Missing: share of those asked for
"""
PHOTOS = "25 photos: A 3, J 4\n- ARussell is in few: it may\n- they share pieces: it bleeds\n"
LINE = {
    **dict.fromkeys(VERDICTS, ""),
    **{"hypothesis": "h", "claim": "A | B is better.", "variant": "a", "against": "b"},
    **{"measure": "success", "prompt_set": "trio", "margin": "0.1", "effect": "0.01"},
    **{"low": "-0.08", "high": "0.11", "runs": "10", "primary": "1", "label": "undecided"},
}
OTHER = LINE | {"hypothesis": "o", "claim": "It costs nothing.", "label": "supported"}
WORDS = """**The judge is not to be trusted here**: too few.

**Undecided: A \\| B is better.**
Pictures (0 wrong, 1 right): 9 % with a, 8 % with b; a difference of +1 point (95 % interval \
-8 to +11 points), 10 training runs each; the interval decides nothing: neither side is excluded. \
Ask more.
With scrambled captions (“x”), by the same measure and prompts: 8 % (6–12).
- Note: 32 pictures that one arm lacks are left out.

**Supported: It costs nothing.**
Identity (0 a stranger): 0.91 with a, -0.02 with b; a difference of +0.93 (95 % interval +0.8 to \
+0.9), 10 and 5 training runs; the interval lies above the margin of 0.10.
- Mind: 32 pictures that one arm lacks are left out.

Control: fine.
"""


def test_matrices_become_one_table_for_each_group_of_people():
    found = taken(MATRICES)
    assert "| all | 90 / 4 / 6 | 1 / 99 / 0 |\n| BASE | 0 / 0 / 100 | 0 / 1 / 99 |" in found
    assert "in the place of the person above: JRussell / ARussell / stranger." in found
    assert "| only-J | 95 / 5 |" in found and found.count("|---|") == 2
    assert "%" not in found
    assert taken("Nothing.") == "Nothing."


def test_what_columns_say_is_a_link_and_what_follows_stays():
    found = without_legend(NUMBERS)
    assert found.startswith("In brackets: 95 % intervals. What the columns say: [measures](")
    assert found.endswith("| all | 3 | 0.80 (0.70–0.90) |")
    assert without_legend(f"{NUMBERS}\nMore.\n").endswith("0.90) |\n\nMore.")
    assert without_legend("None.") == "None."


def test_groups_and_their_parts_are_a_row_a_variant():
    body = (
        "| variant | prompt set | everyone right | product of the parts | difference, points |\n"
        "|---|---|---:|---:|---:|\n"
        "| all | pair | 3 % | 60 % | −57 |\n| all | trio | 5 % | 50 % | −45 |\n"
        "| BASE | trio | 0 % | 0 % | 0 |\n"
    )
    found = by_prompt_set(body).splitlines()
    assert found[2:] == [
        "| variant | pair | trio |",
        "|---|---:|---:|",
        "| all | 3 / 60 | 5 / 50 |",
        "| BASE | – | 0 / 0 |",
    ]
    assert by_prompt_set("Nothing.") == "Nothing."


def test_an_audit_is_counted():
    assert photos_of({"ours": PHOTOS, "b": "1 photo: J 1"}).splitlines()[2:] == [
        "- ours: 25 photos: A 3, J 4; 2 warnings",
        "- b: 1 photo: J 1; 0 warnings",
    ]


def test_sections_keep_their_order_and_advice_goes():
    sections = {
        "The variants in numbers": f"The variants in numbers\n\n{NUMBERS}",
        "Photos: ours": f"Photos: ours\n\n{PHOTOS}",
        "Photos: b": f"Photos: b\n\n{PHOTOS}",
        "What to try next": "What to try next\n\n1. More.\n",
        "Which LoRA to take": "Which LoRA to take\n\nTake “any”.\n",
        "Methods": "Methods\n\nSame prompts.\n",
    }
    found = in_short(sections)
    assert [one.partition("\n")[0] for one in found] == [
        "The variants in numbers",
        "Photos",
        "Methods",
    ]
    assert found[1].count("25 photos") == 2 and body_of(found[2]) == "Same prompts."


def test_paragraphs_of_hypotheses_become_rows_and_the_rest_stays():
    told, left = told_of(WORDS, [LINE, OTHER])
    assert told == {"h": Told(("9 %", "8 %"), "Ask more."), "o": Told(("0.91", "-0.02"), "")}
    assert left == (
        "- h, o: 32 pictures that one arm lacks are left out.\n\n"
        "**The judge is not to be trusted here**: too few.\n\nControl: fine."
    )
    table = verdict_table([LINE, OTHER], told)
    assert (
        "| h | A \\| B is better. | undecided | +1 point (−8 to +11) | a: 9 % | b: 8 % |" in table
    )
    assert told_before(table[table.index("| hypothesis") :]) == told


def test_a_verdict_without_figures_says_why():
    words = "**Not measured: It costs nothing.**\nNo picture of 'trio' has a value.\n"
    line = OTHER | {"label": "not measured", "effect": "", "low": "", "high": ""}
    told, left = told_of(words, [line])
    assert left == "" and told["o"] == Told(("", ""), "No picture of 'trio' has a value.")
    assert "| not measured | – | a | b | " in verdict_table([line], told)
    assert told_of(words, []) == ({}, words.strip()) and verdict_table([], {}) == ""


@pytest.mark.parametrize("name", sorted(path.parent.name for path in DOCS.glob("*/runs.csv")))
def test_published_pages_have_the_short_form(name):
    page = (DOCS / name / "README.md").read_text(encoding="utf-8")
    assert not re.findall(
        r"^## (?:Photos: |What to try next|Which LoRA to take)", page, re.MULTILINE
    )
    assert f"In brackets: 95 % intervals. {LEGEND}\n" in page
    lines = read_table(DOCS / name / "verdicts.csv")
    words = page.partition("## What came out\n\n")[2]
    if lines:
        table = TABLE.search(words)
        assert words.startswith(f"{verdict_table(lines, told_before(table[0]))}\n\n")
