"""The glossary speaks of what is there: every module, class, function and key that it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from kindred.config.user_schema import (
    DatasetConfig,
    DeviceConfig,
    ExperimentConfig,
    PromptSetConfig,
    VariantConfig,
)
from kindred.specs.training import Recipe

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "scripts" / "kindred"
GLOSSARY = (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")
MODELS = {
    "recipe": Recipe,
    "variant": VariantConfig,
    "dataset": DatasetConfig,
    "prompt set": PromptSetConfig,
    "experiment": ExperimentConfig,
    "device": DeviceConfig,
}


def rows(columns: int) -> list[list[str]]:
    """The cells of all tables with so many columns, without their headings."""
    lines = [line for line in GLOSSARY.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if len(row) == columns and row[0] not in ("term", "old key")]


TERMS = rows(4)


def defined(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    names = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    targets = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
    keywords = [n for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "alias"]
    aliases = {ast.literal_eval(n.value) for n in keywords}
    return names | {n.id for n in targets if isinstance(n.ctx, ast.Store)} | aliases


@pytest.mark.parametrize("row", TERMS, ids=[row[0] for row in TERMS])
def test_a_term_names_what_is_in_the_code(row):
    module = None
    places = re.findall(r"`([^`]+)`", row[2])
    assert places
    for place in places:
        if "/" in place:
            module = LIBRARY / place
            assert module.exists(), place
        else:
            assert module is not None and place in defined(module), place


def test_no_term_stands_twice():
    assert len({row[0] for row in TERMS}) == len(TERMS) > 50


def test_the_renamed_keys_are_all_here():
    told = {
        (MODELS[where], old.strip("`"), new.strip("`"))
        for old, new, places in rows(3)
        for where in places.split(", ")
    }
    read = {(m, old, new) for m in MODELS.values() for old, new in m.renamed_keys.items()}
    assert told == read
