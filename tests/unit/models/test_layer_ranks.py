"""Ranks and alphas of single layers: by peft's patterns, and by names of blocks."""

import json

import pytest
from peft import LoraConfig
from peft.utils.other import get_pattern_key
from pydantic import ValidationError

from kindred.common.errors import KindredError
from kindred.models.lora.layer_ranks import layer_ranks, other_ranks, patterns_for_peft
from kindred.models.lora.lora_config import scale_of
from kindred.specs.training import Recipe

LAYERS = [
    *(f"transformer_blocks.{n}.attn.{part}" for n in (0, 1, 11) for part in ("to_q", "to_out.0")),
    "single_transformer_blocks.1.proj_out",
    "proj_out",
]
RECIPES = [
    {"rank_pattern": {"transformer_blocks.1": 8}},
    {"rank_pattern": {"to_q": 8, r"single_.*\.proj_out": 2}, "alpha": 3.0},
    {"rank_pattern": {"to_q": 8}, "alpha_pattern": {"to_q": 2.0, "to_out": 1.0}},
    {"alpha_pattern": {"^proj_out": 9.0}, "rslora": True},
    {"rank_pattern": {r"transformer_blocks\.[01]": 8}, "alpha_pattern": {"to_q": 5.0}, "alpha": 2},
]


def of(**recipe):
    return layer_ranks(LAYERS, Recipe(rank=4, **recipe))


def test_without_patterns_every_layer_is_the_recipes():
    assert {(one.rank, one.alpha) for one in of().values()} == {(4, 4)}
    assert {(one.rank, one.alpha) for one in of(alpha=2.0).values()} == {(4, 2.0)}
    assert patterns_for_peft(of(), Recipe(rank=4)) == {"rank_pattern": {}, "alpha_pattern": {}}


def test_a_block_is_all_its_layers_and_no_other_block():
    found = other_ranks(LAYERS, Recipe(rank=4, rank_pattern={"transformer_blocks.1": 8}))
    mine = ("transformer_blocks.1.attn.to_q", "transformer_blocks.1.attn.to_out.0")
    assert found == dict.fromkeys(mine, 8)


def test_alpha_is_its_own_else_the_recipes_else_the_layers_rank():
    pattern = {"to_q": 8}
    name = "transformer_blocks.0.attn.to_q"
    assert of(rank_pattern=pattern)[name].scale(False) == 1
    assert of(rank_pattern=pattern, alpha=4.0)[name].scale(False) == 0.5
    assert of(rank_pattern=pattern, alpha=4.0, alpha_pattern={"to_q": 2.0})[name].alpha == 2
    assert of(rank_pattern={"to_q": 16}, rslora=True)[name].scale(True) == 4


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_peft_and_our_reader_understand_what_is_written_in_any_order(recipe):
    """Each layer by its whole name: the order of a header's keys is lost."""
    asked = Recipe(rank=4, **recipe)
    wanted = layer_ranks(LAYERS, asked)
    patterns = patterns_for_peft(wanted, asked)
    patterns = json.loads(json.dumps(patterns, sort_keys=True))
    config = LoraConfig(r=4, lora_alpha=asked.alpha or 4, use_rslora=asked.rslora, **patterns)
    for name, one in wanted.items():
        ranks, alphas = config.rank_pattern, config.alpha_pattern
        assert ranks.get(get_pattern_key(ranks.keys(), name), config.r) == one.rank
        assert alphas.get(get_pattern_key(alphas.keys(), name), config.lora_alpha) == one.alpha
        scale = scale_of(f"transformer.{name}", one.rank, config.to_dict())
        assert scale == pytest.approx(one.scale(asked.rslora))


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"rank_pattern": {"transformer_block.1": 8}}, "Did you mean 'transformer_blocks.1'"),
        ({"alpha_pattern": {"qqq": 8}}, "alpha_pattern: 'qqq' matches no layer"),
        ({"rank_pattern": {"to_q": 8, r".*blocks\.0": 2}}, "'to_q' gives transformer_blocks.0"),
    ],
)
def test_what_fits_no_layer_or_contradicts_itself_is_said(recipe, said):
    with pytest.raises(KindredError, match=said):
        of(**recipe)


def test_equal_values_contradict_nothing():
    found = other_ranks(LAYERS, Recipe(rank=4, rank_pattern={"to_q": 8, r".*blocks\.0": 8}))
    assert len(found) == 4


@pytest.mark.parametrize("patterns", [{}, {"(": 4}, {"to_q": 0}])
def test_what_is_no_pattern_or_no_rank_is_refused(patterns):
    with pytest.raises(
        ValidationError, match=r"at least 1|not a valid regular expression|greater than 0"
    ):
        Recipe(rank_pattern=patterns)
