"""One file with albums is an experiment an album, with everybody's letters in place."""

import shutil
from pathlib import Path

import pytest
import yaml

from kindred.common.errors import ProblemsError
from kindred.config.albums import experiment_names, file_of
from kindred.config.declaration import files_of
from kindred.config.family_files import family_specs
from kindred.config.load_plan import load_plan

ROOT = Path(__file__).parents[3]
TEXT = """
albums: [draper, ashford]
title: Of {album}
datasets:
  "{album}": {lab: {family: "{album}"}}
  "{album}-even": {lab: {family: "{album}", coverage: {1: 2, 2: 1}}}
dataset: "{album}"
base: lab
judge: lab
recipe: lab-character
variants:
  composed: {compose: {cells: {1: 4, 2: 6}}}
  even: {dataset: "{album}-even", cells: ["1", "2"]}
  only: {sweep: {characters: each}}
  added: {adapters: {only: 0.5}}
prompt_sets:
  casts: {casts: {of: all, shapes: [[144, 128], [192, 96]]}}
"""


@pytest.fixture
def root(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "lab").symlink_to(ROOT / "lab")
    (tmp_path / "config" / "experiments" / "both.yaml").write_text(TEXT)
    return tmp_path


def plan_of(root, name="both", **changes):
    path = root / "config" / "experiments" / "both.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(TEXT), **changes}, sort_keys=False))
    return load_plan(root, {"experiments": [name]})


def test_a_file_is_an_experiment_an_album(root):
    plan = plan_of(root)
    assert [*plan.experiments] == ["both-draper", "both-ashford"]
    two, three = plan.experiments.values()
    assert two.title == "Of draper"
    assert len(two.characters) == 2 and len(three.characters) == 3
    assert two.variants["composed"].root == "draper"
    a, b = two.characters
    counts = two.variants["composed"].made.spec.compose.counts()
    assert counts == {a: 4, b: 4, "+".join(sorted((a, b))): 6}
    assert sorted(three.variants["even"].train.selection.cells) == sorted(
        {*three.characters, *("+".join(sorted(p)) for p in _pairs(three.characters))}
    )
    assert plan.datasets["draper-even"].lab.coverage == f"{a}: 2, {b}: 2, {a}{b}: 1"


def _pairs(letters):
    letters = list(letters)
    return [(x, y) for k, x in enumerate(letters) for y in letters[k + 1 :]]


def test_everybody_has_a_variant_and_all_are_loaded_together(root):
    three = plan_of(root).experiments["both-ashford"]
    only = [f"only-{letter}" for letter in sorted(three.characters)]
    assert {*only} <= {*three.variants}
    assert three.variants["added"].adapters == tuple((name, 0.5) for name in only)


def test_one_album_is_asked_for_by_its_name(root):
    assert [*plan_of(root, "both-draper").experiments] == ["both-draper"]
    assert {"both", "both-draper", "both-ashford"} <= experiment_names(root / "config")
    assert file_of(root / "config", "both-draper") == "both"
    assert file_of(root / "config", "casts-alike") == "casts-alike"
    with pytest.raises(ProblemsError, match="no file config/experiments/both-nobody"):
        plan_of(root, "both-nobody")


def test_an_album_has_keys_of_its_own(root):
    albums = {"draper": {"variants": {"added": None}}, "ashford": None}
    two, three = plan_of(root, albums=albums).experiments.values()
    assert "added" not in two.variants and "added" in three.variants


def test_it_is_declared_with_the_file_that_describes_it(root):
    plan = plan_of(root)
    files = files_of(plan.experiments["both-draper"], root / "config")
    assert files[0] == "experiments/both.yaml"


@pytest.mark.parametrize(
    ("albums", "said"),
    [
        (["nobody"], "'nobody' is not one of the lab's families"),
        ([], "no album is named"),
        (["a b"], "'a b' is not one of the lab's families"),
    ],
)
def test_what_is_wrong_with_albums_is_said(root, albums, said):
    with pytest.raises(ProblemsError, match=said):
        plan_of(root, albums=albums)


def test_a_file_of_an_album_s_name_is_in_the_way(root):
    (root / "config" / "experiments" / "both-draper.yaml").write_text(TEXT)
    with pytest.raises(ProblemsError, match="there is also a file 'both-draper'"):
        plan_of(root)


def test_a_comparison_of_families_names_the_file_for_all_its_albums(root):
    (root / "config" / "experiments" / "both.yaml").write_text(TEXT)
    (root / "config" / "families").mkdir(exist_ok=True)
    (root / "config" / "families" / "all.yaml").write_text(
        "title: x\nfamilies: [both]\nhypotheses:\n"
        "  h: {claim: x, variant: composed, against: even, measure: cast, prompt_set: casts}\n"
    )
    spec = family_specs(root / "config")["all"]
    assert spec.families == ["both-draper", "both-ashford"]
