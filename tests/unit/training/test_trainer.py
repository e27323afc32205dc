"""Training from start to finish on the tiny base: same bytes, resume, store, controls, errors."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
import tiny_base
import torch
import training_set
from forked_program import ForkedProgram
from safetensors.torch import load_file
from trainings import lora_bytes, run, stop_at, wait_for_checkpoint, waiting_in

import train
from kindred.common import safetensors_files
from kindred.common.errors import KindredError, ProblemsError
from kindred.common.files import read_json, read_jsonl, write_json, write_jsonl
from kindred.common.versions import VERSIONS
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.opened_base import open_base
from kindred.specs.training import TrainSpec
from kindred.training import adapter_store
from kindred.training.start_marker import START_MARKER

CELLS = {"J": 3, "A": 2, "A+J": 3}


@pytest.fixture(scope="module")
def shared(tmp_path_factory, base):
    return training_set.build(tmp_path_factory.mktemp("data") / "set", base, CELLS)


@pytest.fixture
def data(shared, tmp_path):
    """A copy of the shared set, with a store of its own."""
    shutil.copytree(shared.root, tmp_path / "set", ignore=shutil.ignore_patterns("store", "work"))
    return training_set.TrainingSet(tmp_path / "set", shared.base)


def test_files_summary_and_header(data, tmp_path):
    out = tmp_path / "out"
    run(data, out)
    summary = read_json(out / "lora.json")
    assert summary["photos_per_cell"] == CELLS and summary["steps"] == 4
    assert len(summary["images"]) == 8 and summary["seconds"] > 0
    rows = list(csv.DictReader((out / "training.csv").open()))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    assert list(rows[0]) == ["step", "loss", "lr", "seconds", "memory_mib"]
    _, header = safetensors_files.header(out / "lora.safetensors")
    for name in ("spec_hash", "dataset_hash", "base", "version", "run", "seed", "pairing"):
        assert header[name] == str(summary[name])
    assert header["base"].startswith(data.base + "@")
    assert not (data.root / "work").exists() or not any((data.root / "work").iterdir())


def test_equal_runs_are_equal_bytes_and_other_runs_are_not(data, tmp_path):
    first = run(data, tmp_path / "a")
    training_set.forget(data)
    assert run(data, tmp_path / "b") == first
    train.main(data.train_arguments(tmp_path / "c", run=1))
    assert lora_bytes(tmp_path / "c") != first


def test_a_switch_that_another_program_left_in_the_process_changes_nothing(data, tmp_path):
    first = run(data, tmp_path / "a")
    training_set.forget(data)
    torch.backends.cuda.enable_flash_sdp(False)  # as the lab's programs do on a CPU
    try:
        assert run(data, tmp_path / "b") == first
    finally:
        torch.backends.cuda.enable_flash_sdp(True)


@pytest.mark.long
def test_training_fits_its_photos(data, tmp_path):
    run(data, tmp_path / "out", steps=80, rank=8, batch=4, lr=1e-2)
    losses = [float(r["loss"]) for r in csv.DictReader((tmp_path / "out/training.csv").open())]
    assert sum(losses[-20:]) < 0.9 * sum(losses[:20])


RECIPES = {
    "plain": {},
    "ema": {
        "gradient_accumulation": 2,
        "ema": 0.9,
        "schedule": "cosine",
        "warmup": 2,
        "max_grad_norm": 0.01,
    },
    "dropout": {"lora_dropout": 0.2, "caption_dropout": 0.5, "timesteps": "shifted", "dora": True},
    "lokr": {"adapter_type": "lokr", "rank": 2, "lokr_factor": 4, "ema": 0.9, "batch": 2},
    "adafactor": {"optimizer": "adafactor", "loraplus_lr_ratio": 4.0, "weighting_scheme": "cosmap"},
}
RESUMED = [
    pytest.param(recipe, id=name, marks=[] if name in ("plain", "dropout") else pytest.mark.long)
    for name, recipe in RECIPES.items()
]


@pytest.mark.parametrize("recipe", RESUMED)
def test_resuming_gives_the_bytes_of_an_unbroken_run(data, tmp_path, recipe):
    whole = run(data, tmp_path / "whole", steps=7, **recipe)
    training_set.forget(data)
    stop_at(data, 5, tmp_path / "broken", {"steps": 7, **recipe})
    saved = list((data.root / "work").rglob("step-*.pt"))
    assert {path.name for path in saved} == {"step-00000002.pt", "step-00000004.pt"}
    assert run(data, tmp_path / "resumed", steps=7, **recipe) == whole
    rows = list(csv.DictReader((tmp_path / "resumed/training.csv").open()))
    assert [int(row["step"]) for row in rows] == list(range(1, 8))


def test_what_is_called_after_a_step_may_draw_numbers_and_changes_no_byte(data, tmp_path):
    from kindred.training.trainer import Trainer

    recipe = {"steps": 5, "dropout": 0.2, "caption_dropout": 0.5}
    plain, seen = run(data, tmp_path / "plain", **recipe), []
    training_set.forget(data)

    def draws(trainer):
        torch.rand(7)
        seen.append((trainer.done, trainer.rows[-1]["loss"] > 0))

    class Watched(Trainer):
        def __post_init__(self):
            super().__post_init__()
            self.on_step = (draws,)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kindred.training.trainer.Trainer", Watched)
        assert run(data, tmp_path / "watched", **recipe) == plain
    assert seen == [(step, True) for step in range(1, 6)]


def test_a_training_without_a_gradient_ends_at_once_and_is_never_finished(data, tmp_path):
    from kindred.training import trainer

    recipe, real = {"steps": 60, "batch": 1, "checkpoint_every": 15}, trainer.flow_loss
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "flow_loss", lambda *a, **k: 0 * real(*a, **k) + 0.5)
        with pytest.raises(KindredError, match=r"zero for 20 steps, the last of them step 20"):
            run(data, tmp_path / "out", **recipe)
        # Its checkpoint after step 15 has no gradient behind it either.
        with pytest.raises(KindredError, match="the last of them step 20"):
            run(data, tmp_path / "out", **recipe)
    assert not list((data.root / "store").glob("*/lora.safetensors"))
    assert not (tmp_path / "out/lora.safetensors").exists()


def test_a_gradient_that_is_no_number_in_the_last_step_is_not_stored(data, tmp_path):
    from kindred.training import trainer

    real, steps = trainer.clip_gradients, iter([1.0, 1.0, 1.0, float("nan")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "clip_gradients", lambda *a: real(*a) * next(steps))
        with pytest.raises(KindredError, match="norm of the gradient is nan at step 4"):
            run(data, tmp_path / "out")
    assert not list((data.root / "store").glob("*/lora.safetensors"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_and_run_again(data, tmp_path, number):
    recipe = {"steps": 9, "checkpoint_every": 3}
    arguments = data.train_arguments(tmp_path / "out", **recipe)
    with pytest.MonkeyPatch.context() as patch:
        waiting_in(5, patch)
        process = ForkedProgram(train.main, arguments, tmp_path / "log")
        wait_for_checkpoint(data, process)
        process.kill(number)
        status, said = process.wait(), process.said
    assert status == (130 if number == signal.SIGTERM else -number), said
    assert not (tmp_path / "out/lora.safetensors").exists()
    assert (tmp_path / "out" / START_MARKER).exists()
    if number == signal.SIGTERM:
        assert "run the same command again" in said
    train.main(arguments)
    assert not list((data.root / "work").rglob("step-*.pt"))
    resumed = lora_bytes(tmp_path / "out")
    training_set.forget(data)
    assert run(data, tmp_path / "whole", **recipe) == resumed


def test_who_is_stopped_while_gradients_are_added_up_stops_with_the_others(data, tmp_path):
    """Most of a shared step may be waiting for the others: a signal in it is not forgotten."""
    from kindred.compute.data_parallel import ProcessGroup

    told = []

    def add_up(self, parameters, loss, stopping):
        if not told:
            os.kill(os.getpid(), signal.SIGTERM)
        told.append(stopping)
        return loss, stopping

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ProcessGroup, "add_up", add_up)
        patch.setattr(ProcessGroup, "join", lambda _: ProcessGroup(0, 2))
        run(data, tmp_path / "out", steps=9)
    assert told == [False, True]
    (saved,) = (data.root / "work").rglob("step-*.pt")
    assert saved.name == "step-00000002.pt"


def test_a_broken_checkpoint_is_passed_over(data, tmp_path, capsys):
    whole = run(data, tmp_path / "whole")
    key = next((data.root / "store").iterdir()).name
    training_set.forget(data)
    broken = data.root / "work" / key / "step-00000002.pt"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"half of it")
    assert run(data, tmp_path / "again") == whole
    assert "passed over" in capsys.readouterr().err


def test_finished_adapters_are_copied(data, tmp_path, monkeypatch):
    first = run(data, tmp_path / "a")
    monkeypatch.setattr("kindred.training.run.train", lambda *_: pytest.fail("trained again"))
    assert run(data, tmp_path / "b") == first
    assert run(data, tmp_path / "c", checkpoint_every=3) == first
    assert (tmp_path / "a" / START_MARKER).exists() and not (tmp_path / "b" / START_MARKER).exists()


def test_only_a_change_of_its_own_photos_trains_again(data, tmp_path):
    solo = {"selection": {"cells": ["J"]}, "recipe": data.recipe()}

    def key(name):
        train.main(data.spec_arguments(tmp_path / name, 0, solo))
        return read_json(tmp_path / name / "lora.json")["dataset_hash"]

    before = key("before")
    edit_caption(data, "A-1", "ARussell in another hat")
    data.encode()
    assert key("other photo's caption") == before
    edit_caption(data, "J-1", "JRussell in another hat")
    data.encode()
    assert key("own caption") != before


def edit_caption(data, name, caption, letters=None):
    rows = read_jsonl(data.root / "captions.jsonl")
    old = next(row for row in rows if row["id"] == name)
    new = training_set.caption_row(name, caption, letters or old["characters"])
    write_jsonl(data.root / "captions.jsonl", [new if row is old else row for row in rows])


def test_stale_text_file_is_refused_with_every_name(data, tmp_path):
    edit_caption(data, "A-1", "edited")
    edit_caption(data, "J-2", "edited too")
    with pytest.raises(ProblemsError) as error:
        run(data, tmp_path / "out")
    assert [p.where for p in error.value.problems] == ["A-1", "J-2"]
    assert "not encoded" in str(error.value) and not (tmp_path / "out/lora.json").exists()


def test_latents_under_another_photos_hash_are_refused(data, tmp_path):
    rows = read_json(data.root / "images.json")
    first = next(row for row in rows if row["image_id"] == "J-1")
    pair = next(row for row in rows if row["image_id"] == "A+J-1")
    first["pixel_hash"], pair["pixel_hash"] = pair["pixel_hash"], first["pixel_hash"]
    write_json(data.root / "images.json", rows)
    with pytest.raises(ProblemsError, match="which does not fit an image of"):
        run(data, tmp_path / "out")


def test_files_of_another_base_are_refused(data, tmp_path):
    other = tiny_base.build(tmp_path / "other", seed=1)
    changes = {"base": {"model": str(other), "dtype": "float32", "text_tokens": 30}}
    with pytest.raises(ProblemsError) as error:
        train.main(data.spec_arguments(tmp_path / "out", 0, changes))
    text = str(error.value)
    assert "encodes again" in text and "tokens 24, but the base has 30" in text
    assert sum("encoder" in p.what for p in error.value.problems) == 2


def test_scrambled_says_so_everywhere_and_differs(data, tmp_path, capsys):
    plain = load_file_after(run(data, tmp_path / "plain"), tmp_path)
    capsys.readouterr()
    train.main(data.spec_arguments(tmp_path / "out", 0, {"pairing": "scrambled"}))
    assert "SCRAMBLED CONTROL" in capsys.readouterr().err
    assert "SCRAMBLED" in read_json(tmp_path / "out/lora.json")["warning"]
    assert safetensors_files.header(tmp_path / "out/lora.safetensors")[1]["pairing"] == "scrambled"
    scrambled = load_file(tmp_path / "out/lora.safetensors")
    assert any(not torch.equal(plain[name], scrambled[name]) for name in plain)


def test_dealt_says_so_and_how_many_names_are_right(data, tmp_path, capsys):
    train.main(data.spec_arguments(tmp_path / "out", 0, {"pairing": "dealt"}))
    said, told = capsys.readouterr().err, read_json(tmp_path / "out/lora.json")
    assert "DEALT CONTROL" in said and "of the captions name the right people" in said
    assert told["pairing"] == "dealt" and told["warning"].startswith("DEALT")
    assert 0 <= told["names_right"] <= 1


def test_every_run_is_scrambled_in_its_own_way(data, tmp_path):
    hashes = set()
    for number in (0, 1, 2):
        out = tmp_path / str(number)
        train.main(data.spec_arguments(out, number, {"pairing": "scrambled"}))
        hashes.add(read_json(out / "lora.json")["dataset_hash"])
    assert len(hashes) > 1


def load_file_after(data, folder):
    (folder / "copy.safetensors").write_bytes(data)
    return load_file(folder / "copy.safetensors")


def test_a_cell_without_photos_is_refused(data, tmp_path):
    with pytest.raises(ProblemsError, match=r"no photo in cell A\+C"):
        train.main(data.spec_arguments(tmp_path / "out", 0, {"selection": {"cells": ["J", "A+C"]}}))


def test_prior_images_change_the_result_and_need_their_files(data, tmp_path, base):
    with pytest.raises(KindredError, match="--prior-images"):
        run(data, tmp_path / "out", class_images_weight=0.5)
    prior = training_set.build(tmp_path / "prior", base, {"J": 2})
    given = [part.replace("--", "--prior-") for part in prior.files[::2]]
    extra = [part for pair in zip(given, prior.files[1::2], strict=True) for part in pair]
    with pytest.raises(KindredError, match="files of class images are given, but the recipe has"):
        train.main(data.train_arguments(tmp_path / "out") + extra)
    plain = run(data, tmp_path / "plain")
    train.main(data.train_arguments(tmp_path / "prior-out", class_images_weight=0.5) + extra)
    assert lora_bytes(tmp_path / "prior-out") != plain


def test_a_loss_weighted_by_masks_trains_otherwise_and_needs_them(data, tmp_path):
    extra = training_set.masks_of(data, 0.5)
    with pytest.raises(KindredError, match="mask_weight needs people's masks"):
        run(data, tmp_path / "none", mask_weight=3.0)
    with pytest.raises(KindredError, match="head_weight needs people's masks"):
        run(data, tmp_path / "none", head_weight=3.0)
    plain = run(data, tmp_path / "plain")
    train.main(data.train_arguments(tmp_path / "heavy", mask_weight=3.0) + extra)
    heavy = lora_bytes(tmp_path / "heavy")
    assert heavy != plain
    extra = training_set.masks_of(data, 0.7)
    train.main(data.train_arguments(tmp_path / "other", mask_weight=3.0) + extra)
    assert lora_bytes(tmp_path / "other") != heavy
    # People everywhere: every token weighs the same, so the weights are those of a plain training.
    extra = training_set.masks_of(data, 1.0)
    train.main(data.train_arguments(tmp_path / "all", mask_weight=3.0) + extra)
    weights = [load_file(tmp_path / name / "lora.safetensors") for name in ("all", "plain")]
    for name, value in weights[0].items():
        assert torch.allclose(value, weights[1][name], atol=1e-5), name


def test_eight_bit_optimizer_needs_a_gpu(data, tmp_path):
    with pytest.raises(KindredError, match="adamw8bit needs a CUDA GPU"):
        run(data, tmp_path / "out", optimizer="adamw8bit")


def test_accumulated_gradient_is_the_mean_and_priors_weigh_as_told(base, monkeypatch):
    from diffusers import FluxTransformer2DModel

    from kindred.models.lora import injection
    from kindred.specs.training import Recipe
    from kindred.training import trainer as training
    from kindred.training.batches import Example

    network = FluxTransformer2DModel.from_pretrained(base, subfolder="transformer")
    recipe = Recipe(rank=1, gradient_accumulation=2, max_grad_norm=0)
    parameters = injection.add_lora(network, recipe, 0)
    text = {"t5": torch.zeros(3, 32), "clip": torch.zeros(24)}
    buckets = {"32x32": [Example("p", "c", torch.zeros(16, 4, 4), text)]}
    weighted = [("photos", 1.0), ("prior", 0.5)]
    datasets = [training.WeightedDataset(name, weight, buckets, text) for name, weight in weighted]
    trainer = training.Trainer(network, parameters, datasets, recipe, 0, {})
    slopes = iter([1.0, 10.0, 3.0, 20.0])  # photos, prior, photos, prior
    monkeypatch.setattr(
        training, "flow_loss", lambda *_, **__: next(slopes) * sum(p.sum() for p in parameters)
    )
    seen = []
    trainer.optimizer.register_step_pre_hook(
        lambda *_: seen.extend(p.grad.clone() for p in parameters)
    )
    total = sum(p.sum() for p in parameters).item()
    loss, _ = trainer.step(trainer.feeds())
    assert all(torch.allclose(g, torch.full_like(g, 2.0 + 0.5 * 15.0)) for g in seen) and seen
    assert loss.item() == pytest.approx(2.0 * total, rel=1e-4)


def test_prodigy_says_how_to_install_it(data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "prodigyopt", None)
    with pytest.raises(KindredError, match="pip install prodigyopt"):
        run(data, tmp_path / "out", optimizer="prodigy", lr=1.0)


def test_prodigy_resumes_to_the_same_bytes(data, tmp_path):
    pytest.importorskip("prodigyopt", reason="the package prodigyopt is not installed")
    recipe = {"optimizer": "prodigy", "lr": 1.0, "steps": 6}
    whole = run(data, tmp_path / "whole", **recipe)
    training_set.forget(data)
    stop_at(data, 4, tmp_path / "broken", recipe)
    assert run(data, tmp_path / "resumed", **recipe) == whole


@pytest.mark.long
def test_each_option_does_something(data, tmp_path):
    """What is trained with it is another adapter."""
    short = {"steps": 2, "batch": 1}
    seen = {run(data, tmp_path / "plain", **short)}
    options = [
        {"rank_pattern": {"transformer_blocks.0": 8}},
        {"alpha_pattern": {"to_q": 1.0}},
        {"optimizer": "adafactor"},
        {"loraplus_lr_ratio": 8.0},
        {"weight_decay": 0.5},
        {"max_grad_norm": 1e-8},
        {"ema": 0.9},
        {"timesteps": "mode"},
        {"timesteps": "mode", "mode_scale": 0.5},
        {"timesteps": "logit-normal", "logit_mean": 1.0},
        {"timesteps": "logit-normal", "logit_std": 2.0},
        {"min_timestep": 500},
        {"max_timestep": 500},
        {"weighting_scheme": "cosmap"},
        {"weighting_scheme": "sigma_sqrt"},
    ]
    for number, option in enumerate(options):
        seen.add(run(data, tmp_path / str(number), **short, **option))
    assert len(seen) == 1 + len(options)


def test_user_mistake_prints_no_stack_trace(data, tmp_path):
    arguments = data.train_arguments(tmp_path / "out", rank="many")
    found = subprocess.run(
        [sys.executable, train.__file__, *arguments], capture_output=True, text=True
    )
    assert found.returncode == 1 and "recipe.rank" in found.stderr
    assert "Traceback" not in found.stderr


HUB = {"model": "owner/name", "revision": "first", "architecture": "flux1"}


def test_key_depends_on_what_the_weights_follow_from():
    def key(run=0, base=None, dataset="d", pairing="matched", **recipe):
        text = {
            "base": {**HUB, **(base or {})},
            "recipe": {"rank": 4, **recipe},
            "characters": {},
            "dataset": dataset,
            "pairing": pairing,
        }
        spec = TrainSpec.model_validate_json(json.dumps(text))
        return adapter_store.training_key(
            adapter_store.training_facts(spec, run, [], open_base(spec.base))
        )

    same = [
        key(),
        key(checkpoint_every=7),
        key(dataset="e"),
        key(lora_dropout=0.0),
        key(steps=1500),
    ]
    same += [key(**adapter_store.YOUNGER)]
    assert len(set(same)) == 1
    different = [
        key(run=1),
        key(rank=5),
        key(lr=2e-4),
        key(pairing="scrambled"),
        key(base={"revision": "other"}),
        key(base={"dtype": "float32"}),
        key(base={"quantization": "nf4"}),
        key(mask_weight=3.0),
        key(head_weight=3.0),
        key(min_timestep=10),
        key(weighting_scheme="cosmap"),
        key(rank_pattern={"to_q": 8}),
        key(alpha_pattern={"to_q": 8}),
    ]
    assert len({*same, *different}) == 14


def test_the_versions_of_step_and_architecture_are_in_the_key(monkeypatch):
    def key():
        text = json.dumps(
            {
                "base": HUB,
                "recipe": {"rank": 4},
                "characters": {},
                "dataset": "d",
                "pairing": "matched",
            }
        )
        spec = TrainSpec.model_validate_json(text)
        facts = adapter_store.training_facts(spec, 0, [], open_base(spec.base))
        return adapter_store.training_key(facts)

    found = [key()]
    monkeypatch.setitem(VERSIONS, "train", 2)
    found.append(key())
    monkeypatch.undo()
    monkeypatch.setattr(type(FLUX1), "version", 2)
    found.append(key())
    monkeypatch.undo()
    assert len(set(found)) == 3
    monkeypatch.setitem(VERSIONS, "render", 2)
    assert key() == found[0]
