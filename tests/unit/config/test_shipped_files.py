"""The files that ship: they resolve, their schemas and pins have not drifted."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest

from conda_env import environment
from kindred.common.errors import Problems
from kindred.config.base_config import BaseConfig
from kindred.config.json_schema import SCHEMAS, schema_text
from kindred.config.load_plan import load_plan
from kindred.config.yaml_document import read_document
from kindred.report.measures_reference import measures_page
from kindred.specs.training import Recipe

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "config"
PINS = (ROOT / "envs" / "requirements.txt").read_text(encoding="utf-8")
EXPERIMENTS = sorted(path.stem for path in (CONFIG / "experiments").glob("*.yaml"))


@cache
def rules_of(schema: str) -> jsonschema.protocols.Validator:
    """A schema of config/, itself found to be one."""
    told = json.loads((CONFIG / schema).read_text(encoding="utf-8"))
    kind = jsonschema.validators.validator_for(told)
    kind.check_schema(told)
    return kind(told)


def test_the_default_configuration_resolves():
    plan = load_plan(ROOT)
    assert plan.experiments


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_resolves_and_names_its_schema(name, tmp_path):
    for folder in ("config", "lab"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "photos/ours").mkdir(parents=True)  # where a person's own photos would be
    load_plan(tmp_path, {"experiments": [name]})
    first = (CONFIG / "experiments" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schema.json"


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_have_not_drifted(name):
    found = (CONFIG / name).read_text(encoding="utf-8")
    assert found == schema_text(name), "run: python scripts/config_schema.py"


def test_the_page_of_measures_has_not_drifted():
    found = (ROOT / "docs" / "reference" / "measures.md").read_text(encoding="utf-8")
    assert found == measures_page(ROOT), "run: python scripts/config_schema.py"


@pytest.mark.parametrize(
    ("folder", "model", "schema"),
    [("bases", BaseConfig, "schema-base.json"), ("recipes", Recipe, "schema-recipe.json")],
)
def test_small_files_fit_model_and_schema(folder, model, schema):
    rules = rules_of(schema)
    for path in sorted((CONFIG / folder).glob("*.yaml")):
        problems = Problems()
        document = read_document(path, problems)
        assert document and document.validate(model, problems), problems.found
        rules.validate(document.data)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiments_fit_the_schema_that_editors_use(name):
    rules = rules_of("schema.json")
    document = read_document(CONFIG / "experiments" / f"{name}.yaml", Problems())
    rules.validate(document.data)
    with pytest.raises(jsonschema.ValidationError):
        rules.validate({**document.data, "titel": "x"})


def test_bases_from_a_hub_are_pinned():
    for path in (CONFIG / "bases").glob("*.yaml"):
        data = read_document(path, Problems()).data
        if not data["model"].startswith(("lab/", "resources/")):
            pinned = data["revision"]  # said, if only that it is open
            assert pinned is None or len(pinned) == 40, path


def test_the_conda_file_has_the_same_pins():
    found = (ROOT / "envs" / "environment.yaml").read_text(encoding="utf-8")
    assert found == environment(PINS), "run: python scripts/conda_env.py"


@pytest.mark.parametrize("line", [line for line in PINS.splitlines() if line[0] != "#"])
def test_what_is_tested_is_what_is_pinned(line):
    name, pinned = line.split("==")
    assert version(name).split("+")[0] == pinned
