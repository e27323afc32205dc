"""Files in config/families, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.common.errors import ProblemsError
from kindred.config.family_files import asked, comparable, family_specs

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


def test_only_what_may_be_configured_is_looked_at(config):
    file = config / "families" / "both.yaml"
    file.write_text(FILE)
    assert asked(config, ["one"]) == {} and list(asked(config, ["one", "two"])) == ["both"]
    file.write_text(FILE.replace("measure: cast", "paired: true"))
    assert asked(config, ["one"]) == {}
    with pytest.raises(ProblemsError, match="paired"):
        asked(config, ["one", "two"])


def test_a_name_that_is_no_experiment_is_said_whatever_is_configured(config):
    (config / "families" / "both.yaml").write_text(FILE.replace("[one, two]", "[one, tow]"))
    with pytest.raises(ProblemsError, match="tow"):
        asked(config, ["other"])


@pytest.mark.parametrize("text", ["families: one\n", "title: x\n", "a: [\n"])
def test_a_file_that_can_t_be_read_is_said_whatever_is_configured(config, text):
    (config / "families" / "both.yaml").write_text(text)
    with pytest.raises(ProblemsError):
        asked(config, ["other"])


def test_albums_of_a_file_are_its_experiments(config):
    (config / "experiments" / "two.yaml").write_text("title: x\nalbums: [russell, okorie]\n")
    (config / "families" / "both.yaml").write_text(FILE)
    assert asked(config, ["one", "two-russell"]) == {}
    assert list(asked(config, ["one", "two-russell", "two-okorie"])) == ["both"]
