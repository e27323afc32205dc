"""Publishing claims about families: the page with its log, tables, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import made_families
import pytest
import yaml

import family_power
import publish_families
from kindred.common.chained_log import read_log
from kindred.common.errors import KindredError, ProblemsError
from kindred.common.files import read_json, write_json
from kindred.report.family_mistakes import mistakes
from kindred.scoring.score_table import write_scores

ROOT = Path(__file__).parents[3]
STUDY = """
albums: {granger: {}, hadley: {}, marsh: {}, wheeler: {}}
title: Of {album}
datasets:
  "{album}": {lab: {family: "{album}"}}
dataset: "{album}"
base: lab
judge: lab
recipe: lab-character
runs: 2
variants:
  photos: {first_run: 5001}
  composed: {compose: {cells: {1: 4}}, first_run: 5001}
  dealt: {from: composed, control: {pairing: dealt}}
  "null": {from: composed, steps: 9}
prompt_sets:
  casts:
    casts: {of: all, shapes: [[144, 128], [192, 96]]}
"""


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """A checkout with four compared families."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.rmtree(tmp_path / "config/families")
    (tmp_path / "config/families").mkdir()
    (tmp_path / "lab").symlink_to(ROOT / "lab")
    (tmp_path / "config/experiments/study.yaml").write_text(STUDY)
    told = made_families.SPEC | {"families": ["study"]}
    (tmp_path / "config/families/study.yaml").write_text(yaml.safe_dump(told))
    made_families.compared(tmp_path / "results")
    designs = dict.fromkeys(made_families.FAMILIES, made_families.DESIGN)
    power = {
        "name": "study",
        "hypotheses": made_families.SPEC["hypotheses"],
        "sequence": made_families.SPEC["sequence"],
        "designs": dict.fromkeys(made_families.SPEC["hypotheses"], designs),
    }
    out = tmp_path / "results/families/study/power.json"
    family_power.main(["--spec", json.dumps(power), "--out", str(out)])
    # The made-up figures know no datasets; they are those of the configuration.
    for name in made_families.FAMILIES:
        path = tmp_path / "results" / name / "summary.json"
        summary = {"prompt_sets": {"casts": {}}, **read_json(path)}
        for variant, one in summary["variants"].items():
            one["dataset"] = None if variant == "BASE" else name.removeprefix("study-")
        write_json(path, summary)
        write_scores(path.parent / "scores.csv", [])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_page_its_tables_and_the_log(root):
    publish_families.main(["study"])
    page = (root / "docs/findings/study/README.md").read_text(encoding="utf-8")
    assert "composed draws exactly those asked for in 92 %" in page
    assert "| published |" in page and "What was declared, and what was changed" in page
    arms = rows(root / "docs/findings/study/arms.csv")
    mean = next(
        x for x in arms if (x["arm"], x["family"], x["figure"]) == ("composed", "", "casts")
    )
    assert float(mean["value"]) == pytest.approx(0.92) and mean["families"] == "4"
    assert sum(x["arm"] == "dealt" and x["family"] != "" for x in arms) == 4
    claims = rows(root / "docs/findings/study/claims.csv")
    assert [x["hypothesis"] for x in claims if not x["family"]] == ["photos", "names", "same"]
    kinds = [one["kind"] for one in read_log(root / "config/declared/study.jsonl")]
    assert kinds == ["declared", "published"]
    # Declared for the first time when all had been seen: nothing of it is called a verdict.
    assert page.count("**Exploratory: ") == 3
    publish_families.main(["study"])
    assert len(read_log(root / "config/declared/study.jsonl")) == 2


def test_the_same_runs_with_other_figures_are_refused(root):
    publish_families.main(["study"])
    path = root / "results/families/study/verdicts.json"
    verdicts = read_json(path)
    verdicts["arms"]["casts"]["variants"]["dealt"]["by_family"]["study-marsh"] = 0.9
    write_json(path, verdicts)
    with pytest.raises(ProblemsError, match="the same runs were published"):
        publish_families.main(["study"])


def test_what_is_refused_changes_nothing_in_the_log(root):
    path = root / "config/experiments/study.yaml"
    path.write_text(path.read_text().replace("runs: 2", "runs: 1"))
    with pytest.raises(
        ProblemsError, match=r"study.yaml: variants.photos.runs: the results belong"
    ):
        publish_families.main(["study"])
    assert read_log(root / "config/declared/study.jsonl") == []


def test_a_name_of_no_file_is_said(root):
    with pytest.raises(KindredError, match=r"no file config/families/other\.yaml"):
        publish_families.main(["other"])


def test_mistakes_are_counted_by_who_was_asked_for_and_how():
    casts = [
        {"name": "A+J", "heads": 2, "strangers": 0},
        {"name": "one+2", "heads": 3, "strangers": 2},
    ]
    summary = {"casts": {"casts": {"casts": casts}}}

    def row(cast: str, wording: int, right: int, **wrong: str) -> dict[str, str]:
        told = {"kind": "image", "variant": "a", "prompt_set": "casts", "cast": cast, "count": "1"}
        told |= dict.fromkeys(("missing", "duplicated", "unasked"), "")
        told |= {"strangers": "0", "strangers_asked": "2" if cast == "one+2" else "0"}
        return told | {"prompt": f"{cast}.9x9.{wording}", "cast_right": str(right)} | wrong

    first = [row("A+J", 1, 1), row("A+J", 1, 0, missing="J", duplicated="A")]
    second = [row("A+J", 1, 0, count="0"), row("A+J", 1, 1) | {"variant": "b"}]
    # Strangers who were asked for are nobody's fault; too few or too many of them are.
    second += [row("one+2", 2, 0, strangers=number) for number in ("1", "2", "3")]
    found = list(mistakes([(summary, first), (summary, second)], ["a"]))
    one, pair = found
    asked = ("members", "strangers", "canvas", "wording")
    assert [pair[key] for key in asked] == [2, 0, "9x9", "1"]
    assert (pair["pictures"], pair["right"], pair["other_number"]) == (3, 1, 1)
    assert (pair["missing"], pair["twice"], pair["unasked"]) == (1, 1, 0)
    assert (one["members"], one["strangers"], one["pictures"]) == (1, 2, 3)
    assert (one["too_few_strangers"], one["too_many_strangers"]) == (1, 1)
