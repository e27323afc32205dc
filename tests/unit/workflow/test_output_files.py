"""Every file that a rule makes is on the page, with what it holds, and none that no rule makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.workflow.output_files import BESIDE, HOLDS, outputs, outputs_tables

ROOT = Path(__file__).parents[3]
RULES = ROOT / "rules"
RULE = """
rule one:
    output:
        table="results/{experiment}/one.csv",
        page=report(
            "results/{experiment}/{variant}/run-{run}/one.html",
            caption="a.rst",
        ),
    log:
        "logs/one.log",


for masked in []:

    rule:
        name:
            f"masks_{masked}"
        output:
            f"resources/{masked}/masks.json",
            multiext(f"{LAB}/judge/", "a", "b"),
            photos=source_files(masked)[0],
"""


def test_outputs_are_read_from_rules(tmp_path):
    (tmp_path / "a.smk").write_text(RULE)
    assert outputs(tmp_path) == {
        "results/<experiment>/one.csv": ["one"],
        "results/<experiment>/<variant>/run-<k>/one.html": ["one"],
        "resources/<dataset>/masks.json": ["masks_<dataset>"],
        "lab/judge/a": ["masks_<dataset>"],
        "lab/judge/b": ["masks_<dataset>"],
        "resources/<dataset>/photos/<photo>": ["masks_<dataset>"],
    }


def test_an_output_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.smk").write_text("rule one:\n    output:\n        made_up(3),\n")
    with pytest.raises(ValueError, match=r"a.smk: one: made_up\(3\) names no file"):
        outputs(tmp_path)


def test_of_every_output_is_said_what_it_holds():
    made = outputs(RULES)
    assert [path for path in made if path not in HOLDS] == [], "say it in FOLDERS"
    assert [path for path in HOLDS if path not in made] == [], "no rule makes it"


def test_an_output_of_which_nothing_is_said_is_named(tmp_path):
    (tmp_path / "a.smk").write_text('rule one:\n    output:\n        "new/{experiment}.csv",\n')
    with pytest.raises(ValueError, match=r"FOLDERS of output_files\.py .*'new/<experiment>\.csv'"):
        outputs_tables(tmp_path)


def test_every_rule_with_outputs_is_read():
    texts = [path.read_text(encoding="utf-8") for path in RULES.glob("*.smk")]
    rules = {rule for by in outputs(RULES).values() for rule in by}
    assert len(rules) == sum(text.count("    output:\n") for text in texts)


def test_what_is_written_beside_is_by_a_rule_or_program_that_there_is():
    made = {rule for by in outputs(RULES).values() for rule in by}
    programs = {path.name for path in (ROOT / "scripts").glob("*.py")}
    assert {one.by for one in BESIDE} <= made | programs | {"every rule"}
    table = outputs_tables(RULES)
    assert all(f"| `{one.path}` |" in table for one in BESIDE)
