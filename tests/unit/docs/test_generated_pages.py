"""Pages and tables that programs write say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from kindred.common.errors import KindredError
from kindred.common.page_blocks import with_block
from kindred.config.json_schema import SCHEMAS
from kindred.config.keys_reference import STALE, configuration_page, keys, stale
from kindred.starting import confirmation_hours
from kindred.starting.confirmation_hours import hours_table
from kindred.starting.needs_table import Need, needs, needs_table
from kindred.workflow.flow_figure import flow_figure, read_graph
from kindred.workflow.output_files import outputs_tables
from kindred.workflow.rules_reference import commands_page, make_targets, read_steps, steps_table

ROOT = Path(__file__).parents[3]
REPAIR = "run: python scripts/config_schema.py"
GRAPH = """
\tid0[all]
\tid1[report]
\tid2[score]
\tid3[draw_ours]
\tid4[preprocess]
\tid5[compose_ours-1]
\tid6[render]
\tid1 --> id0
\tid2 --> id1
\tid6 --> id2
\tid6 --> id1
\tid4 --> id6
\tid3 --> id4
\tid5 --> id4
"""


@pytest.fixture(scope="module")
def by_base() -> list[Need]:
    return needs(ROOT)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_the_page_of_keys_is_as_the_models_are():
    assert text_of("docs/reference/configuration.md") == configuration_page(), REPAIR


def test_the_page_of_commands_is_as_the_programs_are():
    assert text_of("docs/reference/commands.md") == commands_page(ROOT), REPAIR


def test_the_table_of_steps_is_as_the_rules_are():
    page = text_of("docs/reference/workflow.md")
    assert page == with_block(page, "steps", steps_table(ROOT / "rules"), "page"), REPAIR


def test_the_tables_of_files_are_as_the_rules_are():
    page = text_of("docs/reference/workflow.md")
    assert page == with_block(page, "files", outputs_tables(ROOT / "rules"), "page"), REPAIR


def test_readme_says_what_bases_take(by_base):
    page = text_of("README.md")
    assert page == with_block(page, "needs", needs_table(by_base), "page"), REPAIR


def test_the_hours_of_the_confirmation_are_those_of_its_experiment():
    page = text_of("docs/guide/confirmation.md")
    asked = yaml.safe_load(text_of("config/experiments/confirm.yaml"))
    casts, base = asked["prompt_sets"]["casts"], asked["base"]
    assert page == with_block(page, "hours", hours_table(base), "page"), REPAIR
    defaults = yaml.safe_load(text_of(f"config/bases/{base}.yaml"))["training_defaults"]
    one = confirmation_hours
    assert (defaults["steps"], casts["steps"]) == (one.STEPS, one.DRAWING_STEPS)
    assert asked["runs"] * len(asked["variants"]) == one.TRAININGS
    assert tuple(map(tuple, casts["casts"]["shapes"])) == one.SIZES


@pytest.mark.parametrize("file", SCHEMAS)
def test_every_key_has_a_meaning_and_says_what_becomes_stale(file):
    told = {key.path: key for key in keys(SCHEMAS[file][0])}
    assert [path for path, key in told.items() if not key.meaning] == []
    assert all(stale(file, path) for path in told)
    beginnings = {path[: len(one)] for path in told for one in STALE[file]}
    assert set(STALE[file]) <= beginnings | {""}, "nothing is said of keys that are not there"


def test_keys_of_models_in_models_are_found():
    (model, _) = SCHEMAS["schema.json"]
    paths = {key.path for key in keys(model)}
    assert {"variants.<name>.compose.cells", "prompt_sets.<name>.casts.of"} <= paths
    assert "variants.<name>.rank" not in paths and "variants.<name>.from" in paths


def test_larger_cards_take_no_longer(by_base):
    for need in by_base:
        assert need.download_gib < need.disk_gib
        training, _, on_larger, _ = (float(re.match(r"[\d.]+", one)[0]) for one in need.hours)
        assert on_larger <= training
    assert [need.base for need in by_base] == [
        "klein-4b",
        "z-image",
        "klein-9b",
        "flux-dev-nf4",
    ]


def test_every_rule_file_says_what_it_needs_and_gives(tmp_path):
    found = {one.name: one for one in read_steps(ROOT / "rules")}
    assert "lora.safetensors" in found["train"].gives and "captions" in found["train"].needs
    (tmp_path / "new.smk").write_text('"""Something new."""\n')
    with pytest.raises(ValueError, match="no head with needs and gives"):
        read_steps(tmp_path)


def test_commands_of_make_are_those_of_its_help():
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))
    named = {
        command.partition(" ")[2].partition(" ")[0] or "all" for command, _ in make_targets(ROOT)
    }
    assert named <= targets


def test_the_figure_joins_datasets_and_leaves_out_what_follows():
    graph = read_graph(GRAPH)
    assert graph["preprocess"] == {"draw"} and graph["compose"] == set()
    figure = flow_figure(GRAPH)
    assert "render --> score" in figure and "score --> report" in figure
    assert "render --> report" not in figure and "all" not in graph


def test_a_page_without_a_place_is_refused():
    with pytest.raises(KindredError, match="no place for the block 'x'"):
        with_block("# Page\n", "x", "new", "page.md")
    page = "a\n<!-- x: written by a program -->\n\nold\n\n<!-- end of x -->\nb\n"
    assert with_block(page, "x", "new", "page.md") == page.replace("old", "new")
    told = page.replace("a program", "`python scripts/x.py`")
    assert with_block(told, "x", "new", "page.md") == told.replace("old", "new")


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("docs/reference/*.md")), ROOT / "README.md"])
def test_a_block_says_by_which_program_it_is_written(page):
    text = page.read_text(encoding="utf-8")
    for name, by in re.findall(r"<!-- (\w+): written by (.+?) -->", text):
        programs = re.findall(r"scripts/(\w+\.py)", by if name != "figure" else text)
        assert programs and all((ROOT / "scripts" / one).exists() for one in programs), name
