"""Trainings in a stack end where each ends alone; what can't be stacked is said."""

import csv
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import training_set
from safetensors.torch import load_file
from trainings import stack

import train
import train_batched
from kindred.common import safetensors_files
from kindred.common.errors import KindredError, ProblemsError
from kindred.common.files import read_json
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.architectures.patches import pack
from kindred.specs.base_model import Base
from kindred.specs.training import Recipe
from kindred.training.batched import data_feed, members, stacked_lora, trainer
from kindred.training.batched import run as batched_run
from kindred.training.batches import Example, make_batch
from kindred.training.start_marker import START_MARKER
from kindred.training.trainer import WeightedDataset

CELLS = {"J": 3, "A": 2, "A+J": 3}
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def shared(tmp_path_factory, base):
    data = training_set.build(tmp_path_factory.mktemp("data") / "set", base, CELLS)
    training_set.build(data.root / "prior", base, {"J": 2, "A+C": 3})
    training_set.masks_of(data, 0.5)
    return data


@pytest.fixture
def data(shared, tmp_path):
    """A copy of the shared set, with a store of its own."""
    shutil.copytree(shared.root, tmp_path / "set", ignore=shutil.ignore_patterns("store", "work"))
    return training_set.TrainingSet(tmp_path / "set", shared.base)


def arguments(data, out, run=0, changes=None, **recipe):
    """train.py's, with prior images and masks where the recipe wants them."""
    spec = {"recipe": data.recipe(**recipe), **(changes or {})}
    given = data.spec_arguments(out, run, spec)
    if recipe.get("class_images_weight"):
        files = training_set.TrainingSet(data.root / "prior", data.base).files
        given += [part.replace("--", "--prior-", 1) for part in files]
    if recipe.get("mask_weight"):
        given += ["--masks", str(data.root / "masks.json")]
    return given


def losses(out):
    return [float(row["loss"]) for row in csv.DictReader((out / "training.csv").open())]


def same(alone, other):
    """Whether two trainings of one spec agree: weights, losses and rates."""
    first, second = (load_file(out / "lora.safetensors") for out in (alone, other))
    assert first.keys() == second.keys()
    for name, value in first.items():
        far = (value - second[name]).norm() / value.norm()
        assert far < TOLERANCE, (alone.name, name, far)
    assert losses(other) == pytest.approx(losses(alone), rel=TOLERANCE)
    rows = [list(csv.DictReader((out / "training.csv").open())) for out in (alone, other)]
    assert [row["lr"] for row in rows[0]] == [row["lr"] for row in rows[1]]


MEMBERS = {
    "plain": {},
    "other-run": {"run": 1},
    "rates": {"lr": 1e-3, "schedule": "cosine", "warmup": 3, "steps": 9, "weight_decay": 0.3},
    "clipped": {"run": 2, "max_grad_norm": 0.02, "schedule": "linear", "steps": 6},
    "unclipped": {"max_grad_norm": 0, "train_guidance": 3.5, "timesteps": "shifted"},
    "masked": {"mask_weight": 3.0, "run": 1},
    "averaged": {"ema": 0.9, "steps": 7},
    "short": {"steps": 2, "ema": 0.9},
    "uncaptioned": {"caption_dropout": 0.5, "timesteps": "logit-normal", "logit_mean": 0.5},
    "ranged": {"min_timestep": 300, "max_timestep": 600, "run": 1},
    "mode": {"timesteps": "mode", "mode_scale": 0.5},
    "loraplus": {"loraplus_lr_ratio": 8.0, "weight_decay": 0.3, "rank": 3},
    "own-data": {"changes": {"selection": {"cells": ["J"]}}},
    "scrambled": {"changes": {"pairing": "scrambled"}},
    "scaled": {"alpha": 3.0, "rslora": True},
    "smaller": {"rank": 1, "targets": "attention", "steps": 5},
    "larger": {"rank": 5, "alpha": 2.0, "run": 2},
    "patterned": {"rank_pattern": {"transformer_blocks.0": 6}, "alpha_pattern": {"to_k": 2.0}},
    "prior": {"class_images_weight": 0.7},
    "prior-more": {"class_images_weight": 1.5, "run": 1, "caption_dropout": 0.3},
}


def of(data, name, out):
    return arguments(data, out / name, **({"steps": 8} | MEMBERS[name]))


@pytest.mark.long
def test_every_member_ends_where_it_ends_alone(data, tmp_path, monkeypatch):
    report = stack(data, [of(data, name, tmp_path / "t") for name in MEMBERS], tmp_path)
    assert len(report["trained"]) == len(MEMBERS) and not report["left"] and not report["failed"]
    # Those with class images have two batches a step.
    assert sorted(one["trainings"] for one in report["stacks"]) == [2, len(MEMBERS) - 2]
    with monkeypatch.context() as patch:
        patch.setattr("kindred.training.run.train", lambda *_: pytest.fail("trained again"))
        for name in MEMBERS:
            train.main(of(data, name, tmp_path / "t"))
            assert (tmp_path / "t" / name / START_MARKER).exists()
    assert not any((data.root / "work").iterdir())
    training_set.forget(data)
    for name in MEMBERS:
        train.main(of(data, name, tmp_path / "alone"))
        same(tmp_path / "alone" / name, tmp_path / "t" / name)
        told = [read_json(tmp_path / where / name / "lora.json") for where in ("t", "alone")]
        assert told[0].pop("trained_together") in (2, len(MEMBERS) - 2)
        assert told[0].keys() == told[1].keys()
        for key in ("steps", "trainable_parameters", "spec_hash", "images", "seed", "recipe"):
            assert told[0][key] == told[1][key]
        files = [tmp_path / where / name / "lora.safetensors" for where in ("t", "alone")]
        assert safetensors_files.header(files[0]) == safetensors_files.header(files[1])


def test_other_targets_in_bfloat16_end_there_too(data, tmp_path):
    lower = {"base": {"model": data.base, "dtype": "bfloat16", "text_tokens": training_set.TOKENS}}
    # Modulations read no tokens, embedders come before the blocks.
    targets = ["attn.to_q", "norm.linear", "context_embedder", "x_embedder"]

    def given(out, run):
        return arguments(data, out / str(run), run, lower, targets=targets, steps=3)

    shutil.copy(data.root / "text.safetensors", tmp_path / "text.safetensors")
    _, header = safetensors_files.header(tmp_path / "text.safetensors")
    about = json.loads(header["kindred"]) | {"dtype": "bfloat16"}
    loaded = {
        n: v.bfloat16() for n, v in safetensors_files.load(tmp_path / "text.safetensors").items()
    }
    safetensors_files.save(data.root / "text.safetensors", loaded, {"kindred": json.dumps(about)})
    stack(data, [given(tmp_path / "t", run) for run in (0, 1)], tmp_path)
    for run in (0, 1):
        train.main(given(tmp_path / "t", run))
    training_set.forget(data)
    for run in (0, 1):
        train.main(given(tmp_path / "alone", run))
        alone, other = (
            load_file(tmp_path / where / str(run) / "lora.safetensors") for where in ("alone", "t")
        )
        for name, value in alone.items():
            assert (value - other[name]).norm() < 0.05 * value.norm(), name


def test_a_batch_is_the_trainers_to_the_bit(base, monkeypatch):
    from diffusers import FluxTransformer2DModel

    network = FluxTransformer2DModel.from_pretrained(base, subfolder="transformer")
    source = torch.Generator().manual_seed(0)
    sizes = {"t5": (5, 32), "clip": (24,)}
    texts = [{n: torch.randn(*size, generator=source) for n, size in sizes.items()} for _ in "abc"]

    def example(height, width, text, number):
        weights = torch.rand(6, generator=source) if number % 2 else None
        latent = torch.randn(16, height, width, generator=source)
        return Example(str(number), "", latent, text, weights)

    buckets = {
        "wide": [example(4, 6, texts[n % 2], 1) for n in range(3)],
        "tall": [example(6, 4, texts[n % 2], 0) for n in range(3)],
    }
    dataset = WeightedDataset("photos", 1.0, buckets, texts[2])
    recipes = [
        Recipe(batch=2, caption_dropout=0.5),
        Recipe(batch=2, timesteps="shifted", shift=2.0),
    ]
    members = [(recipe, run) for recipe in recipes for run in (3, 4)]
    inputs = FLUX1.batched_inputs(network)
    tables = data_feed.DeviceTables([dataset], FLUX1.denoiser(network), inputs, FLUX1.text)
    feeds = [[data_feed.DataFeed.of(dataset, *member, tables)] for member in members]
    feeder = data_feed.StepFeeder(feeds, FLUX1, {}, 2)
    alone = [dataset.batches(*member) for member in members]
    for step, choice in enumerate(feeder.choices([(6, range(4))])):
        found = tables.look_up(choice)
        assert len(choice.noise) <= 4
        for number, (recipe, run) in enumerate(members):
            place = ("photos", step, 0)
            batch = make_batch(next(alone[number]), texts[2], recipe, FLUX1, {}, run, place)
            part = slice(2 * number, 2 * number + 2)
            assert torch.equal(found.latents[part], pack(batch.latents))
            assert torch.equal(found.noise[part], pack(batch.noise))
            assert torch.equal(found.sigmas[part], batch.sigmas)
            for name in ("t5", "clip"):
                assert torch.equal(found.text[name][part], batch.text[name])
            weights = torch.ones(2, 6) if batch.weights is None else batch.weights
            assert torch.equal(found.weights[part], weights)
    monkeypatch.setattr(
        data_feed.StepInputs, "pinned", lambda self: self
    )  # it needs a GPU's driver
    feeds = [[data_feed.DataFeed.of(dataset, *member, tables)] for member in members]
    again = data_feed.StepFeeder(feeds, FLUX1, {}, 2)
    coming = again.ahead([(2, range(4)), (6, [1, 3])])
    assert [len(choice.sigmas) for choice in coming] == [8, 8, 4, 4, 4, 4]
    again.close()
    feeder.close()
    assert FLUX1.batched_inputs(network).positions is inputs.positions


def test_an_adapter_of_its_own_is_what_a_member_starts_from(base):
    from diffusers import FluxTransformer2DModel

    from kindred.models.lora import injection

    network = FluxTransformer2DModel.from_pretrained(base, subfolder="transformer")
    recipe = Recipe(rank=2, targets="attention")
    start = stacked_lora.start_of(network, recipe, 5)
    assert not hasattr(network, "peft_config")
    other = FluxTransformer2DModel.from_pretrained(base, subfolder="transformer")
    injection.add_lora(other, recipe, 5)
    drawn = injection.lora_state(other)
    assert start.state.keys() == drawn.keys()
    assert all(torch.equal(value, drawn[name]) for name, value in start.state.items())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_further_runs_start_from_what_peft_would_draw_for_them(base, dtype, monkeypatch):
    from diffusers import FluxTransformer2DModel

    network = FluxTransformer2DModel.from_pretrained(
        base, subfolder="transformer", torch_dtype=dtype
    )
    patterns = {"rank_pattern": {"to_q": 5}, "alpha": 2, "rslora": True}
    recipes = [Recipe(rank=2, targets="attention"), Recipe(targets="all-linear", **patterns)]
    members = [(recipe, run) for recipe in recipes for run in (0, 7)]
    slow, asked = stacked_lora.start_of, []

    def start_of(*given):
        asked.append(given)
        return slow(*given)

    monkeypatch.setattr(stacked_lora, "start_of", start_of)

    def check(calls):
        asked.clear()
        starts = stacked_lora.Starts(network)
        found = [starts.of(*member) for member in members]
        assert len(asked) == calls
        for one, member in zip(found, members, strict=True):
            other = slow(network, *member)
            assert list(one.state) == list(other.state)
            assert all(torch.equal(value, other.state[name]) for name, value in one.state.items())
            assert (one.config, one.scales) == (other.config, other.scales)

    check(calls=2)
    # Another version of peft may draw otherwise.
    monkeypatch.setattr(
        stacked_lora.Starts, "_drawn", lambda _, like, run: dict.fromkeys(like.state, torch.ones(1))
    )
    check(calls=4)


def test_what_cannot_be_stacked_is_left_with_its_reason(data, tmp_path):
    odd = {
        "dora": {"dora": True},
        "dropout": {"lora_dropout": 0.1, "gradient_accumulation": 2},
        "prodigy": {"optimizer": "prodigy", "lr": 1.0},
    }
    jobs = [arguments(data, tmp_path / name, steps=2, **recipe) for name, recipe in odd.items()]
    jobs.append(arguments(data, tmp_path / "fine", steps=2))
    jobs.append(arguments(data, tmp_path / "twin", steps=2))
    report = stack(data, jobs, tmp_path)
    left = {Path(name).name: why for name, why in report["left"].items()}
    assert left == {
        "dora": "recipe: dora",
        "dropout": "recipe: gradient_accumulation: 2, recipe: lora_dropout: 0.1",
        "prodigy": "recipe: optimizer: prodigy",
    }
    assert [Path(name).name for name in report["trained"]] == ["fine"]
    assert {Path(k).name: Path(v).name for k, v in report["same"].items()} == {"twin": "fine"}
    assert stack(data, jobs[-2:], tmp_path)["trained"] == {}
    base = Base(model=data.base, dtype="float32", quantization="nf4")
    spec = SimpleNamespace(base=base, recipe=Recipe())
    from kindred.training.batched.jobs import why_alone

    assert why_alone(spec) == "base: quantization: nf4"
    spec = SimpleNamespace(base=base, recipe=Recipe(adapter_type="lokr"))
    assert why_alone(spec) == "base: quantization: nf4, recipe: adapter_type: lokr"


def test_pictures_of_unequal_numbers_of_tokens_are_left(data, tmp_path, base):
    text = {"t5": torch.zeros(3, 32), "clip": torch.zeros(24)}
    sizes = [torch.zeros(16, 4, 4), torch.zeros(16, 4, 6)]
    buckets = {str(n): [Example("p", "c", latent, text)] for n, latent in enumerate(sizes)}
    assert (
        members.mixed_sizes([WeightedDataset("photos", 1.0, buckets, text)])
        == "pictures of 4 and 6 tokens"
    )


def test_what_is_finished_before_an_end_is_kept(data, tmp_path, monkeypatch):
    names = ["plain", "other-run", "rates", "clipped"]
    jobs = [of(data, name, tmp_path) for name in names]
    done, original = [], trainer.BatchedTrainer.train

    def breaks(self, what):
        if done:
            raise KeyboardInterrupt
        done.append(what)
        return original(self, what)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trainer.BatchedTrainer, "train", breaks)
        stack(data, jobs, tmp_path, "--at-once", "2")
    assert len(list((data.root / "store").iterdir())) == 2
    report = stack(data, jobs, tmp_path, "--at-once", "2")
    assert len(report["trained"]) == len(report["there"]) == 2


def test_too_many_for_a_card_are_halved(data, tmp_path, monkeypatch, capsys):
    original = trainer.BatchedTrainer.train

    def narrow(self, what):
        if len(self.members) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(self, what)

    monkeypatch.setattr(trainer.BatchedTrainer, "train", narrow)
    jobs = [arguments(data, tmp_path / str(run), run, steps=2) for run in range(5)]
    report = stack(data, jobs, tmp_path)
    assert len(report["trained"]) == 5
    assert [one["trainings"] for one in report["stacks"]] == [2, 1, 2]
    assert "not enough memory for 5 trainings at once" in capsys.readouterr().err


def test_a_loss_that_is_no_number_is_named_and_the_others_kept(data, tmp_path):
    jobs = [arguments(data, tmp_path / "good", steps=6)]
    jobs.append(arguments(data, tmp_path / "bad", 1, steps=6, lr=1e30))
    with pytest.raises(ProblemsError, match=r"bad: .*the loss is nan at step 2.*Lower `lr`"):
        stack(data, jobs, tmp_path)
    report = read_json(tmp_path / "trained.json")
    assert [Path(name).name for name in report["trained"]] == ["good"]
    assert len(list((data.root / "store").iterdir())) == 1
    train.main(jobs[0])
    training_set.forget(data)
    train.main(arguments(data, tmp_path / "alone", steps=6))
    same(tmp_path / "alone", tmp_path / "good")


def test_a_member_without_a_gradient_is_named_and_the_others_kept(data, tmp_path, monkeypatch):
    real = trainer.BatchedTrainer._gradients

    def without_the_second(self, samples):
        losses = real(self, samples)
        self.adapters.slopes[1] = 0
        return losses

    monkeypatch.setattr(trainer.BatchedTrainer, "_gradients", without_the_second)
    jobs = [arguments(data, tmp_path / str(run), run) for run in (0, 1, 2)]
    with pytest.raises(ProblemsError, match="zero for 4 steps, the last of them step 4"):
        stack(data, jobs, tmp_path)
    report = read_json(tmp_path / "trained.json")
    assert list(report["failed"]) == [str(tmp_path / "1")] and len(report["trained"]) == 2


def test_an_adapter_that_cannot_be_stored_takes_no_other_with_it(data, tmp_path, monkeypatch):
    real = batched_run.store_adapter

    def full(job, *given):
        if job.run == 1:
            raise KindredError("can't be written (No space left on device)", "store", "free some")
        return real(job, *given)

    jobs = [arguments(data, tmp_path / str(run), run, steps=2) for run in (0, 1, 2)]
    with monkeypatch.context() as patch, pytest.raises(KindredError, match="No space left"):
        patch.setattr(batched_run, "store_adapter", full)
        stack(data, jobs, tmp_path)
    report = stack(data, jobs, tmp_path)
    assert [Path(name).name for name in report["trained"]] == ["1"] and len(report["there"]) == 2


def test_mistakes_in_jobs_are_said_and_do_not_stop_the_others(data, tmp_path):
    good = arguments(data, tmp_path / "good", steps=2)
    bad = arguments(data, tmp_path / "bad", steps=2, mask_weight=2.0)[:-2]
    with pytest.raises(ProblemsError, match="bad: recipe: mask_weight needs people's masks"):
        stack(data, [good, bad], tmp_path)
    assert len(read_json(tmp_path / "trained.json")["trained"]) == 1
    where = ["--out", str(tmp_path / "out.json")]
    for text, said in (
        ("[1]", "JSON list of objects"),
        ('[{"rum": 1}]', "unknown keys: rum"),
        ('[{"spec": {}, "out_dir": "a"}]', "no run, images, captions, latents, text"),
    ):
        with pytest.raises(KindredError, match=said):
            train_batched.main(["--jobs", text, *where])


def test_folders_of_variants_stand_for_their_runs(data, tmp_path):
    arguments(data, tmp_path / "variant", steps=2)  # writes spec.json
    files = dict(zip(data.files[::2], data.files[1::2], strict=True))
    entry = {name[2:]: path for name, path in files.items()}
    entry |= {"folders": {str(tmp_path / "variant"): [1, 3]}}
    stores = ["--store", str(data.root / "store"), "--checkpoints", str(data.root / "work")]
    where = ["--jobs", json.dumps([entry]), "--out", str(tmp_path / "out.json")]
    train_batched.main([*where, *stores, "--device", "cpu", "--threads", "1"])
    trained = read_json(tmp_path / "out.json")["trained"]
    assert [Path(name).name for name in trained] == ["run-1", "run-3"]


def test_stacks_are_even_and_the_finished_leave_when_it_pays():
    assert members.parts([5, 5, 5]) == [(5, [0, 1, 2])]
    assert members.parts([2, 5, 5]) == [(2, [0, 1, 2]), (5, [1, 2])]
    assert members.parts([3, *[5] * 20]) == [(5, list(range(21)))]
    still = Recipe(steps=3, max_grad_norm=0, ema=0.9)
    assert members.controls(still, 3)[0] == members.controls(still, 3)[4] == 0
    assert members.controls(still, 3)[2] == 1
    text = {"t5": torch.zeros(3, 32), "clip": torch.zeros(24)}
    datasets = [
        WeightedDataset(
            "photos", 1.0, {"a": [Example("p", "c", torch.zeros(16, 4, 4), text)]}, text
        )
    ]
    base = SimpleNamespace(canonical=lambda: "b")
    several = [
        members.BatchedRun(SimpleNamespace(base=base, recipe=Recipe(steps=s, batch=b)), 0, datasets)
        for s in (5, 9)
        for b in (2, 3)
        for _ in range(3)
    ]
    found = members.group_runs(several, 4)
    assert [len(group) for group in found] == [3, 3, 3, 3]
    assert [group[0].recipe.steps for group in found] == [9, 5, 9, 5]
    assert all(len({member.recipe.batch for member in group}) == 1 for group in found)
