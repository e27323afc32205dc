"""Scores that the history keeps: the command of docs/findings/recipe.md gets them back, and what is
published of study 2 follows from them."""

import csv
import os
import re
import subprocess
from pathlib import Path

import pytest

from kindred.common.files import read_json
from kindred.config.family_files import family_specs
from kindred.evidence.families import families_verdicts
from kindred.report.family_publishing import CLAIMS, claim_rows
from kindred.scoring.score_table import read_scores

ROOT = Path(__file__).parents[3]


def test_claims_follow_from_the_kept_scores(tmp_path):
    page = (ROOT / "docs/findings/recipe.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    (git show .*)$", page, re.MULTILINE)
    git = ["git", "-C", str(ROOT)]
    commit = command.split()[2].split(":")[0]
    if subprocess.run([*git, "cat-file", "-e", commit], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("needs a clone with the whole history")
    folder = subprocess.check_output([*git, "rev-parse", "--absolute-git-dir"], text=True).strip()
    subprocess.run(
        ["bash", "-o", "pipefail", "-ec", command],
        cwd=tmp_path,
        env={**os.environ, "GIT_DIR": folder},
        check=True,
    )
    results = tmp_path / "results"
    spec = family_specs(ROOT / "config")["study2"]
    summaries = {name: read_json(results / name / "summary.json") for name in spec.families}
    found = families_verdicts(
        spec, summaries, lambda name: read_scores(results / name / "scores.csv")
    )
    with open(ROOT / "docs/findings/study2/claims.csv", newline="", encoding="utf-8") as file:
        published = [tuple(row[name] for name in CLAIMS) for row in csv.DictReader(file)]
    again = [tuple(str(row[name]) for name in CLAIMS) for row in claim_rows(found)]
    assert len(published) == 47  # five claims, three of ten families and two of six
    assert sorted(again) == sorted(published)
