"""Blocks are compiled where that gives back the time it takes: decided on a stand-in for a card."""

from types import SimpleNamespace

import fake_gpu
import pytest
import torch

from kindred.benchmarking import random_weights
from kindred.common import backends
from kindred.compute import compile_decision, memory_fitting, memory_plan
from kindred.compute.compile_decision import Work
from kindred.models.architectures.klein.facts import KLEIN
from kindred.rendering.pipeline import drawing_work
from kindred.specs.training import TrainSpec

CARD = torch.device("cuda", 0)
LAYOUT = random_weights.SHAPES["klein-4b"].layout
BASE = SimpleNamespace(architecture=KLEIN, layout=LAYOUT, cfg_scale=lambda _: None)
PX = (512, 640), (640, 512), (768, 960), (960, 768), (896, 1152), (1152, 896)
PHOTOS = [
    torch.empty(1, height // KLEIN.latent_px, width // KLEIN.latent_px) for width, height in PX
]


@pytest.fixture
def put(monkeypatch):
    """Puts in a card of so many GiB."""
    monkeypatch.setattr(backends, "built_for_rocm", lambda: False)
    return lambda total, free=None: fake_gpu.put_in(monkeypatch, total, free or total)


def dataset(photos=PHOTOS, preserves=False):
    text = {"qwen3": torch.empty(512, 1)}
    buckets = {
        str(number): [SimpleNamespace(latent=latent, text=text)] * 3
        for number, latent in enumerate(photos)
    }
    return SimpleNamespace(buckets=buckets | {"empty": []}, preserves=preserves)


def fitted(steps, photos=PHOTOS):
    base = {"model": "m", "architecture": "klein", "dtype": "bfloat16", "quantization": "nf4"}
    given = {"base": base, "recipe": {"steps": steps}, "characters": {}, "dataset": "d"}
    return memory_fitting.fit_training(
        TrainSpec.model_validate(given), BASE, [dataset(photos)], CARD
    )


def test_a_training_of_few_steps_is_not_compiled_and_says_why(put, capsys):
    put(141)
    look = fitted(100)
    assert not look.job.compiled and look.graphs
    said = capsys.readouterr().err
    assert said.startswith("not compiled for 100 steps: compiling takes about 180 s here")
    assert said.count("memory plan: expected peak") == 1
    assert fitted(5000).job.compiled and "not compiled" not in capsys.readouterr().err


def test_a_training_that_goes_on_decides_as_before(put):
    """Whatever is free by then."""
    for steps, expected in ((100, False), (5000, True)):
        found = []
        for free in (141, 60, 24):
            put(141, free)
            found.append(fitted(steps).job.compiled)
        assert found == [expected] * 3


def test_slow_cards_and_few_sizes_are_compiled_for_sooner(put):
    put(141)
    assert not fitted(1000).job.compiled
    assert fitted(1000, PHOTOS[:2]).job.compiled
    put(12)
    assert fitted(1000).job.compiled and not fitted(50).job.compiled


def test_what_fits_only_when_it_is_compiled_is_compiled(put, monkeypatch):
    put(141)
    job = fitted(100).job

    def least(compiled):
        asked = memory_plan.replace(job, compiled=compiled)
        return min(found.peak for found in memory_plan._arrangements(asked))

    assert least(True) < least(False)
    monkeypatch.setattr(memory_fitting, "allowance", lambda _: least(False) - 1)
    assert fitted(100).job.compiled


def test_every_size_counts_once_and_the_answers_of_the_base_again(put):
    put(141)
    job = fitted(100).job
    spec = SimpleNamespace(recipe=SimpleNamespace(steps=100, gradient_accumulation=2, batch=3))

    def work(*datasets):
        return memory_fitting.training_work(spec, KLEIN, job, datasets)

    plain, both = work(dataset()), work(dataset(), dataset(PHOTOS[:2], preserves=True))
    assert (plain.sizes, both.sizes) == (6, 8) and plain.title == "100 steps"
    one = work(dataset(PHOTOS[:1]))
    assert work(dataset(PHOTOS[:1], preserves=True)).operations == 1.5 * one.operations
    spec.recipe.steps, spec.recipe.gradient_accumulation = 2, 1
    assert work(dataset()).sizes == 2 and work(dataset(PHOTOS[:1])).operations < one.operations


def pictures(count, *sizes):
    settings = {"steps": 28, "guidance": 1.0}
    return [
        SimpleNamespace(size=sizes[number % len(sizes)], shown_sizes=(), settings=settings)
        for number in range(count)
    ]


def test_a_handful_of_pictures_is_drawn_uncompiled(put, capsys):
    put(141)
    few = drawing_work(pictures(6, (1024, 1024), (832, 1216)), BASE)
    assert few.sizes == 2 and not compile_decision.compiles(few, CARD)
    assert "not compiled for 6 pictures: compiling takes" in capsys.readouterr().err
    assert compile_decision.compiles(drawing_work(pictures(100, (1024, 1024)), BASE), CARD)
    guided = SimpleNamespace(**vars(BASE) | {"cfg_scale": lambda scale: scale})
    twice = drawing_work(pictures(6, (1024, 1024), (832, 1216)), guided)
    assert twice.operations == 2 * few.operations


def test_nothing_is_compiled_where_the_device_does_not_or_nothing_is_to_be_done(put, capsys):
    put(141)
    much = Work("many steps", 1e30, 1)
    assert compile_decision.compiles(much, CARD)
    for device in ("cpu", "mps"):
        assert not compile_decision.compiles(much, torch.device(device))
    assert not compile_decision.compiles(drawing_work([], BASE), CARD)
    assert capsys.readouterr().err == ""
