"""Settings that can't do what they say beside the training's others: said while planning."""

import pytest
import small_config

from kindred.common.errors import ProblemsError
from kindred.config.contradictions import of_recipe, of_selection
from kindred.config.load_plan import load_plan
from kindred.specs.training import Recipe, Selection


@pytest.mark.parametrize(
    ("recipe", "said", "cure"),
    [
        (
            {"steps": 12, "warmup": 200},
            "warms up for 200 of its 12 steps, so the learning rate ends at 6 % of `lr`",
            "set `warmup` to 1 (a tenth of `steps`), or raise `steps`",
        ),
        (
            {"steps": 12, "warmup": 12},
            "so the learning rate reaches `lr` only in the last step",
            "`warmup` to 1",
        ),
        (
            {"steps": 25, "warmup": 20, "schedule": "cosine"},
            "warms up for 20 of its 25 steps, so `schedule: cosine` has 5 steps left",
            "`warmup` to 2",
        ),
        (
            {"steps": 1000, "ema": 0.9999},
            "a decay of 0.9999, but in 1000 steps the decay reaches only 0.9911",
            "set `ema` to 0.99 or less",
        ),
        (
            {"steps": 2000, "checkpoint_every": 5000},
            "saves a checkpoint every 5000 steps but trains only 2000, so it saves none",
            "set `checkpoint_every` below 2000",
        ),
        (
            {"steps": 90, "keep": [50, 100, 200]},
            "keeps step 100 and 200, but its last step is 90",
            "name steps below 90 in `keep`",
        ),
        (
            {"steps": 90, "keep": {"last": 3}},
            "keeps only the adapter of its last step",
            "set `keep: {every: 11}`",
        ),
        (
            {"keep_state": True, "schedule": "cosine"},
            "`keep_state` keeps nothing: `schedule: cosine` falls over all steps",
            "set `schedule: constant`",
        ),
        (
            {"caption_dropout": 1},
            "trains without any caption (`caption_dropout: 1`), so it",
            "0.05",
        ),
        ({"optimizer": "prodigy", "lr": 1e-4}, "`lr: 0.0001` for prodigy", "set `lr: 1`"),
        ({"logit_mean": 0.5}, "`logit_mean: 0.5` has no effect", "`timesteps: logit-normal`"),
        ({"logit_std": 2}, "`logit_std: 2` has no effect", "remove `logit_std`"),
        ({"mode_scale": 0.5}, "`mode_scale: 0.5` has no effect", "`timesteps: mode`"),
        (
            {"weighting_scheme": "sigma_sqrt", "timesteps": "uniform"},
            "single steps outweigh all others",
            "set `min_timestep: 50`",
        ),
        (
            {"timesteps": "uniform", "shift": 3},
            "`timesteps` is uniform",
            "set `timesteps: shifted`",
        ),
    ],
    ids=str,
)
def test_what_a_recipe_can_t_do(recipe, said, cure):
    (found,) = of_recipe(Recipe(**recipe))
    assert said in found.what and cure in found.advice


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"steps": 12, "checkpoint_every": 100},
        {"steps": 1000, "keep": {"last": 3}},
        {"steps": 1000, "keep": [500, 1000]},
        {"steps": 12},
        {"steps": 40, "warmup": 20, "schedule": "cosine"},
        {"steps": 1000, "ema": 0.99},
        {"optimizer": "prodigy", "lr": 1},
        {"timesteps": "logit-normal", "logit_mean": 0.5, "logit_std": 2},
        {"timesteps": "shifted", "shift": 3},
        {"timesteps": "mode", "mode_scale": 0.5, "weighting_scheme": "cosmap"},
        {"timesteps": "uniform", "weighting_scheme": "sigma_sqrt", "min_timestep": 20},
        {"optimizer": "adafactor", "loraplus_lr_ratio": 4},
        {"keep_state": True, "warmup": 20},
        {"caption_dropout": 0.9, "mask_weight": 1, "weight_decay": 0, "max_grad_norm": 0},
    ],
    ids=str,
)
def test_what_a_recipe_can_do_needs_no_word(recipe):
    assert [*of_recipe(Recipe(**recipe))] == []


def test_what_a_selection_can_t_choose():
    (lost,) = of_selection(Selection(characters=["A", "J"], cells=["J"]))
    assert lost.what == "`characters` lists A, who is in none of the `cells`"
    (uncounted,) = of_selection(Selection(cells=["J"], per_cell={"J": 2, "A": 3}))
    assert uncounted.what == "`per_cell` gives a number for A, which `cells` leaves out"
    for nothing in ({"per_cell": 0}, {"cells": ["J"], "per_cell": {"J": 0}}):
        (stop,) = of_selection(Selection(**nothing))
        assert stop.stops and "nothing is left to train on" in stop.what
    for fine in ({}, {"per_cell": {"A": 0}}, {"characters": ["J"]}, {"cells": ["A", "J"]}):
        assert [*of_selection(Selection(**fine))] == []


@pytest.fixture
def root(tmp_path, base):
    """A folder with a configuration whose base is the tiny one, 32 features wide."""
    return small_config.write(tmp_path, str(base))


def planned(root, variants):
    small_config.write_experiment(root, variants)
    plan = load_plan(root)
    return plan, [str(one).split("/config/experiments/")[-1] for one in plan.warnings]


def test_it_is_told_with_its_place_once_and_in_the_audit(root):
    plan, told = planned(
        root, "  all: {steps: 12, warmup: 200}\n  more: {from: all, rank: 8}\n  fine: {}\n"
    )
    (line,) = told
    assert line.startswith("one.yaml:12: variants.all: warms up for 200 of its")
    (misfit,) = plan.audit_spec("one", "ours").misfits
    assert (misfit.where, misfit.key) == ("variants.all", "warmup") and misfit.cure[1:] in line


def test_what_the_base_has_no_use_for(root):
    _, told = planned(root, "  all: {rank: 64, targets: attention}\n  few: {rank: 32}\n")
    (line,) = told
    assert "has rank 64, but transformer_blocks.0.attn.to_q of the base 'small' is 32 x 32" in line
    assert line.endswith("Set `rank` to at most 32; 4 to 64 are usual.")


def test_guidance_of_a_base_that_takes_none(root, base):
    config = root / "schnell/transformer/config.json"
    config.parent.mkdir(parents=True)
    text = (base / "transformer/config.json").read_text()
    config.write_text(text.replace('"guidance_embeds": true', '"guidance_embeds": false'))
    (root / "schnell/model_index.json").write_text((base / "model_index.json").read_text())
    (root / "config/bases/schnell.yaml").write_text("model: schnell\n")
    variants = "  a: {train_guidance: 3.5}\n  b: {train_guidance: 3.5, base: schnell}\n"
    _, told = planned(root, variants)
    (line,) = told
    assert "variants.b: `train_guidance: 3.5` has no effect: the base 'schnell'" in line


def test_kinds_that_nothing_makes(root):
    with pytest.raises(
        ProblemsError, match="asks for composed pictures, but the variant makes none"
    ):
        planned(root, "  all: {kinds: [composed]}\n")
    _, told = planned(root, "  all: {kinds: [photo, cropped]}\n")
    assert "`kinds` asks for cropped pictures" in told[0] and "nothing is left" not in told[0]


def test_prodigy_s_rate_is_no_misfit_of_the_base(root):
    with (root / "config/bases/small.yaml").open("a") as file:
        file.write("fits: {lr: [1e-5, 1e-3]}\n")
    assert planned(root, "  all: {optimizer: prodigy, lr: 1}\n")[1] == []
    assert "has a learning rate of 1" in planned(root, "  all: {lr: 1}\n")[1][0]
