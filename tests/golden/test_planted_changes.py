"""Tests of the golden tests: a change of what a step does is seen, and can't be waved through."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from golden import Output, check, described, differences
from golden_steps import versions_of
from PIL import Image

from kindred.common.files import read_jsonl, write_jsonl
from kindred.models.lora import injection
from kindred.training import trainer

TRAIN = Path(__file__).parent / "train.flux1.json"
RENDER = Path(__file__).parent / "render.flux1.json"


def of_training(output: Output) -> list[str]:
    """In what a training differs from the golden one; checked the way the golden test does."""
    with pytest.raises(AssertionError, match=r"raise VERSIONS\['train'\], then --update-golden"):
        check(TRAIN, versions_of("train.flux1"), output, update=False)
    with pytest.raises(AssertionError, match="the version does not"):
        check(TRAIN, versions_of("train.flux1"), output, update=True)
    return differences(json.loads(TRAIN.read_text(encoding="utf-8")), described(output))


def test_nothing_changed_is_no_difference(steps):
    check(TRAIN, versions_of("train.flux1"), steps.trained("same"), update=False)


def test_a_flipped_sign_is_seen(steps, monkeypatch):
    real = trainer.flow_loss
    monkeypatch.setattr(
        trainer, "flow_loss", lambda *a, **k: real(*a, **(k | {"noise": -k["noise"]}))
    )
    assert any(line.startswith("loss 1:") for line in of_training(steps.trained("sign")))


def test_a_loss_larger_by_a_hundredth_is_seen(steps, monkeypatch):
    real = trainer.flow_loss
    monkeypatch.setattr(trainer, "flow_loss", lambda *a, **k: real(*a, **k) * 1.01)
    assert any(line.startswith("loss 1:") for line in of_training(steps.trained("larger")))


def test_another_seed_is_seen(steps, monkeypatch):
    real = injection.seed_of
    monkeypatch.setattr(injection, "seed_of", lambda *a: real(*a) + 1)
    assert of_training(steps.trained("seed"))


def test_a_swapped_caption_is_seen(steps):
    assert steps.train
    rows = read_jsonl(steps.root / "captions.jsonl")
    keys = ("caption", "caption_hash")
    rows[0], rows[1] = (
        one | {key: other[key] for key in keys} for one, other in (rows[:2], rows[1::-1])
    )
    write_jsonl(steps.root / "swapped.jsonl", rows)
    assert of_training(steps.trained("swapped", captions="swapped.jsonl"))


def test_another_seed_of_pictures_is_seen(steps):
    assert steps.train
    prompts = {"j": "headshot of JRussell", "both": "JRussell and ARussell"}
    output = steps.rendered("other", prompts, seeds=(2,))
    output.exact = steps.render.exact
    output.pictures = dict(zip(steps.render.pictures, output.pictures.values(), strict=True))
    found = differences(json.loads(RENDER.read_text(encoding="utf-8")), described(output))
    assert found and all("blocks differ" in line for line in found)


def output_of(**change) -> Output:
    """A small output of every kind."""
    told = {
        "exact": {"rows": [1, "a"]},
        "numbers": {"weights": np.arange(100.0)},
        "pictures": {"p": Image.new("RGB", (64, 64), (100, 100, 100))},
        "values": {"loss": (0.5, 1e-4)},
    }
    return Output(**(told | change))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"exact": {"rows": [1, "b"]}}, "rows: another text"),
        ({"exact": {}}, "rows: is gone"),
        ({"numbers": {"weights": np.arange(100.0)[::-1]}}, "weights: differs by"),
        ({"numbers": {"weights": np.arange(100.0) * 1.002}}, "weights: differs by"),
        ({"numbers": {"weights": np.arange(101.0)}}, "weights: shape"),
        ({"pictures": {"p": Image.new("RGB", (64, 64), (103, 100, 100))}}, "p: blocks differ"),
        ({"pictures": {"p": Image.new("RGB", (64, 56), (100, 100, 100))}}, "p: size"),
        ({"values": {"loss": (0.5002, 1e-4)}}, "loss: 0.5002, was 0.5"),
    ],
)
def test_each_kind_of_difference_is_named(tmp_path, change, word):
    file = tmp_path / "train.json"
    check(file, {"train": 1}, output_of(), update=True)
    before = file.read_bytes()
    check(file, {"train": 1}, output_of(), update=False)
    for update in (False, True):
        with pytest.raises(AssertionError, match=r"raise VERSIONS\['train'\]") as error:
            check(file, {"train": 1}, output_of(**change), update)
        assert word in str(error.value)
    assert file.read_bytes() == before


def test_what_rounding_does_is_no_difference(tmp_path):
    file = tmp_path / "train.json"
    check(file, {"train": 1}, output_of(), update=True)
    near = {
        "numbers": {"weights": np.arange(100.0) + 1e-3},
        "pictures": {"p": Image.new("RGB", (64, 64), (101, 99, 100))},
        "values": {"loss": (0.50009, 1e-4)},
    }
    check(file, {"train": 1}, output_of(**near), update=False)


def test_a_raised_version_asks_for_an_update_and_gets_it(tmp_path):
    file = tmp_path / "train.json"
    with pytest.raises(AssertionError, match="is no file; run with --update-golden"):
        check(file, {"train": 1}, output_of(), update=False)
    check(file, {"train": 1, "flux1": 1}, output_of(), update=True)
    changed = output_of(exact={"rows": [2]})
    with pytest.raises(AssertionError, match="run with --update-golden"):
        check(file, {"train": 1, "flux1": 2}, changed, update=False)
    check(file, {"train": 1, "flux1": 2}, changed, update=True)
    check(file, {"train": 1, "flux1": 2}, changed, update=False)
