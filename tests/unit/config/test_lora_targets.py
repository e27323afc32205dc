"""Targets that match no layer of the base are said with the configuration."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import small_config
import yaml

from kindred.common.errors import ProblemsError
from kindred.config.load_plan import load_plan
from kindred.models.lora.layer_ranks import by_pattern

ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path, base):
    """A folder with a configuration whose base is the tiny one."""
    return small_config.write(tmp_path, str(base))


def problems(root, variants):
    small_config.write_experiment(root, variants)
    with pytest.raises(ProblemsError) as caught:
        load_plan(root)
    return [str(one).split("/config/")[-1] for one in caught.value.problems]


def assert_said(found, wanted):
    """Each line holds the text that is wanted of it, and there are no others."""
    assert len(found) == len(wanted), found
    for line, text in zip(found, wanted, strict=True):
        assert text in line


def test_all_that_match_nothing_are_said_at_once_at_their_places(root):
    (root / "config/recipes/odd.yaml").write_text("targets: [to_kk]\n")
    found = problems(
        root,
        "  a: {targets: '.*to_queue'}\n  b: {from: a}\n  c: {recipe: odd}\n  d: {from: c}\n"
        "  e: {targets: [proj_out, to_queue]}\n  f: {targets: []}\n  g: {targets: proj_out}\n",
    )
    wanted = [
        "experiments/one.yaml:12: variants.a.targets: on the base 'small': '.*to_queue' matches no",
        "recipes/odd.yaml: targets: on the base 'small': no linear layer ends in 'to_kk'. Did",
        "variants.e.targets: on the base 'small': no linear layer ends in 'to_queue'",
        "variants.f.targets: on the base 'small': no layer is named. Write `all-linear`",
        "variants.g.targets: on the base 'small': single_transformer_blocks.0.proj_out",
    ]
    assert_said(found, wanted)


def test_patterns_of_ranks_are_held_against_the_layers_that_are_trained(root):
    (root / "config/recipes/odd.yaml").write_text("alpha_pattern: {to_kk: 4}\n")
    found = problems(
        root,
        "  a: {rank_pattern: {transformer_blocks.7: 4}}\n  b: {from: a}\n  c: {recipe: odd}\n"
        "  d: {targets: attention, rank_pattern: {proj_mlp: 4}}\n"
        "  e: {rank_pattern: {to_q: 4, 'transformer_blocks.0': 8}}\n"
        "  f: {targets: [to_kk], rank_pattern: {to_kk: 4}}\n",
    )
    wanted = [
        "experiments/one.yaml:12: variants.a.rank_pattern: on the base 'small': 'transformer_bl",
        "recipes/odd.yaml: alpha_pattern: on the base 'small': 'to_kk' matches no layer that is",
        "variants.d.rank_pattern: on the base 'small': 'proj_mlp' matches no layer that is trained",
        "variants.e.rank_pattern: on the base 'small': 'to_q' gives transformer_blocks.0.attn.",
        "variants.f.targets: on the base 'small': no linear layer ends in 'to_kk'",
    ]
    assert_said(found, wanted)


def test_of_a_base_that_is_not_here_the_training_says_it(root):
    (root / "config/bases/small.yaml").write_text("model: org/unknown\narchitecture: flux1\n")
    small_config.write_experiment(root, "  all: {targets: [to_queue]}\n")
    assert load_plan(root).variant("one", "all").train.recipe.targets == ["to_queue"]


def test_planning_asks_without_torch(root):
    small_config.write_experiment(root, "  all: {targets: attention}\n")
    code = (
        "import sys; from pathlib import Path; from kindred.config.load_plan import load_plan; "
        f"load_plan(Path({str(root)!r})); "
        "sys.exit(bool({'torch', 'diffusers', 'peft', 'huggingface_hub'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "scripts").returncode == 0


@pytest.mark.parametrize("page", ["docs/reference/recipe.md", "docs/reference/configuration.md"])
def test_the_patterns_that_docs_show_are_accepted(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    [shown] = re.findall(r"\{[^{}]*blocks[^{}]*: 32, [^{}]*: 8\}", text)
    names = ["transformer_blocks.0.attn.to_q", "single_transformer_blocks.1.proj_out"]
    assert list(by_pattern(names, yaml.safe_load(shown), "rank_pattern").values()) == [32, 8]
