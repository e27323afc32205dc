"""docs/reference/recipe.md has every key of a recipe: its default, whether it is batched."""

import re
from pathlib import Path

import pytest

from kindred.common.errors import ProblemsError
from kindred.specs.base_model import Base
from kindred.specs.other_trainers import OURS
from kindred.specs.training import Recipe, TrainSpec
from kindred.training.batched.jobs import why_alone

TABLE = Path(__file__).parents[3] / "docs/reference/recipe.md"
ROWS = re.findall(r"^\| `(\w+)` \| ([^|]*) \|[^|]*\|[^|]*\| ([^|]*) \|", TABLE.read_text(), re.M)
# A value that is another training than the default's.
OTHERS = {
    "rank_pattern": {"to_q": 4},
    "alpha_pattern": {"to_q": 4},
    "lora_dropout": 0.1,
    "dora": True,
    "adapter_type": "lokr",
    "gradient_accumulation": 2,
    "weighting_scheme": "cosmap",
    "keep_state": True,
    "diff_output_preservation": 1.0,
    "loraplus_lr_ratio": 4.0,
    "timesteps": "mode",
    "min_timestep": 100,
    "optimizer": "adafactor",
    "ema": 0.9,
}


def test_every_key_has_one_row():
    assert [key for key, _, _ in ROWS] == list(Recipe.model_fields)


def test_defaults_are_the_codes():
    for key, told, _ in ROWS:
        default = Recipe.model_fields[key].default
        if default is not None:
            assert told == (
                str(default).lower()
                if isinstance(default, bool)
                else f"{default:g}"
                if isinstance(default, float)
                else str(default)
            ), key


def test_another_trainers_name_leads_to_ours():
    assert set(OURS.values()) <= set(Recipe.model_fields)
    assert not set(OURS) & set(Recipe.model_fields)
    named = {
        name: key
        for key, names in re.findall(
            r"^\| `(\w+)` \| [^|]* \| [^|]* \| ([^|]*) \|", TABLE.read_text(), re.M
        )
        for name in re.findall(r"\w+", names)
    }
    assert {name: OURS[name] for name in OURS if name in named} == {
        name: named[name] for name in OURS if name in named
    }
    with pytest.raises(ProblemsError, match=r"max_train_steps: unknown key. Did you mean 'steps'?"):
        Recipe.read('{"max_train_steps": 40}')
    with pytest.raises(ProblemsError, match=r"learning_rat: unknown key"):
        Recipe.read('{"learning_rat": 40}')


@pytest.mark.parametrize("key", OTHERS)
def test_whether_it_is_trained_with_others(key):
    told = next(together for name, _, together in ROWS if name == key)
    recipe = Recipe(**{key: OTHERS[key]})
    base = Base(model="owner/name", architecture="flux1")
    alone = why_alone(TrainSpec(base=base, recipe=recipe, characters={}, dataset="d"))
    assert bool(alone) == (told != "yes"), alone
