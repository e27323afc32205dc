"""Files in config/families, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.common.errors import ProblemsError
from kindred.config.family_files import comparable, family_specs

FILE = """
title: Three families
families: [one, two]
hypotheses:
  h: {claim: c, variant: a, against: b, prompt_set: casts, measure: cast}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("experiments", "families"):
        (tmp_path / name).mkdir()
    for name in ("one", "two", "other"):
        (tmp_path / "experiments" / f"{name}.yaml").write_text("title: x\n")
    return tmp_path


def test_a_file_names_experiments_and_claims(config):
    (config / "families" / "both.yaml").write_text(FILE)
    found = family_specs(config)
    assert found["both"].families == ["one", "two"]
    assert comparable(found, ["one", "two", "other"]) == ["both"]
    assert comparable(found, ["one"]) == []


def test_without_files_there_is_nothing(tmp_path):
    assert family_specs(tmp_path) == {}


def test_all_mistakes_are_said_at_once(config):
    text = FILE.replace("[one, two]", "[one, tow, one]").replace("measure: cast", "paired: true")
    (config / "families" / "both.yaml").write_text(text)
    with pytest.raises(ProblemsError) as caught:
        family_specs(config)
    said = [str(one) for one in caught.value.problems]
    assert len(said) == 3
    assert any("tow" in one and "Did you mean" in one for one in said)
    assert any("twice" in one for one in said) and any("Remove `paired`" in one for one in said)
