"""Pictures drawn by a training on its way: which, whole after any interruption, and nothing of the
training changes by them."""

import json
import shutil
import signal

import numpy as np
import pytest
import torch
import training_set
from forked_program import ForkedProgram
from PIL import Image
from trainings import as_job, lora_bytes, stop_at, wait_for_checkpoint, waiting_in

import train
from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.common.hashing import pixel_hash
from kindred.models.identity import identity_of
from kindred.models.lora.adapters import read_adapters
from kindred.rendering.image_plan import plan
from kindred.rendering.image_store import ImageStore, settings_of
from kindred.rendering.run import Machine, render_prompt_set
from kindred.specs.rendering import PromptSet, RenderSpec
from kindred.specs.samples import SampleSpec
from kindred.training import adapter_store, kept_steps
from kindred.training.batched.jobs import BatchReport, read_jobs
from kindred.training.live_log import points
from kindred.training.sampler import Sampler
from kindred.training.samples import Sample

CELLS = {"J": 3, "A": 2, "A+J": 3}
PROMPTS = {"j": "headshot of JRussell", "two": "JRussell and ARussell"}
ASKED = {"prompts": PROMPTS, "seeds": [1, 2], "width": 64, "height": 48, "steps": 2}
RECIPE = {"steps": 8, "checkpoint_every": 3}
DRAWN = [
    f"step-{step:06d}/{name}-{seed}.png"
    for step in (3, 6, 8)
    for name in PROMPTS
    for seed in (1, 2)
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory, base):
    data = training_set.build(tmp_path_factory.mktemp("data") / "set", base, CELLS)
    training_set.samples_of(data, PROMPTS, every=3)
    return data


@pytest.fixture
def data(shared, tmp_path):
    """A copy of the shared set, with a store of its own."""
    shutil.copytree(shared.root, tmp_path / "set", ignore=shutil.ignore_patterns("store", "work"))
    return training_set.TrainingSet(tmp_path / "set", shared.base)


def drawing(data):
    """The options by which a training draws."""
    texts = str(data.root / "sample-texts.safetensors")
    return ["--samples", str(data.root / "samples.json"), "--sample-texts", texts]


ARGUMENTS = training_set.TrainingSet.train_arguments


def with_drawing(data, out, run=0, **recipe):
    return [*ARGUMENTS(data, out, run, **recipe), *drawing(data)]


def run(data, out, draws=True, **recipe):
    given = data.train_arguments(out, **{**RECIPE, **recipe})
    train.main([*given, *(drawing(data) if draws else [])])
    return lora_bytes(out)


def pictures(out):
    """Path below samples/ -> hash of the pixels."""
    files = (out / "samples").rglob("*.png")
    return {
        file.relative_to(out / "samples").as_posix(): pixel_hash(Image.open(file)) for file in files
    }


def live(out):
    text = (out / "live.js").read_text()
    assert text.startswith("live({") and text.endswith("});\n")
    return json.loads(text[5:-3])


def test_pictures_are_due_at_equal_distances_and_at_the_end():
    spec = SampleSpec(every=3, prompt_set=PromptSet(**ASKED))
    assert [step for step in range(9) if spec.due(step, 8)] == [3, 6, 8]


@pytest.mark.parametrize(
    "recipe",
    [
        {"ema": 0.9, "lora_dropout": 0.3},
        pytest.param({}, marks=pytest.mark.long),
        pytest.param({"gradient_accumulation": 2, "dora": True}, marks=pytest.mark.long),
    ],
    ids=["average and dropout", "plain", "dora"],
)
def test_drawing_changes_no_byte_of_a_training(data, tmp_path, recipe):
    plain = run(data, tmp_path / "plain", draws=False, **recipe)
    log = (tmp_path / "plain/training.csv").read_text()
    training_set.forget(data)
    torch.manual_seed(7)
    state = torch.random.get_rng_state()
    assert run(data, tmp_path / "out", **recipe) == plain
    drawn = (tmp_path / "out/training.csv").read_text()
    losses = [[line.split(",")[:3] for line in text.splitlines()] for text in (log, drawn)]
    assert losses[0] == losses[1]
    assert recipe.get("lora_dropout") or torch.equal(torch.random.get_rng_state(), state)
    assert sorted(pictures(tmp_path / "out")) == sorted(DRAWN)
    assert not (tmp_path / "plain/samples").exists()
    summary = read_json(tmp_path / "out/lora.json")
    assert summary["samples"]["pictures"] == 12
    assert "samples" not in read_json(tmp_path / "plain/lora.json")


def test_a_picture_is_what_the_adapter_of_its_step_draws(data, tmp_path):
    """The average of weights where there is one, as the adapter of that step would be kept."""
    run(data, tmp_path / "out", ema=0.9, lora_dropout=0.3, keep=[3], lr=3e-2)
    adapter = kept_steps.fetch(data.root / "store", tmp_path / "out", 3)
    base = {"model": data.base, "dtype": "float32", "text_tokens": training_set.TOKENS}
    spec = RenderSpec(base=base, prompt_set=ASKED, name="x", merge=False)
    store = ImageStore(tmp_path / "images")
    texts, machine = data.root / "sample-texts.safetensors", Machine("cpu", 1)
    render_prompt_set(spec, texts, [adapter], store, tmp_path / "list.json", machine)
    worn = read_adapters([adapter], [1.0])
    first = tmp_path / "out/samples/step-000003"
    for asked in plan(spec, worn, identity_of(spec.base)):
        own = np.array(Image.open(first / f"{asked.name}-{asked.seed}.png")).astype(int)
        other = np.array(Image.open(store.path(asked.key))).astype(int)
        assert np.abs(own - other).max() <= 1
    last = np.array(Image.open(tmp_path / "out/samples/step-000008/j-1.png")).astype(int)
    assert np.abs(last - np.array(Image.open(first / "j-1.png"))).max() > 1


def test_a_picture_says_what_it_is_of(data, tmp_path):
    run(data, tmp_path / "out")
    told = settings_of(tmp_path / "out/samples/step-000006/two-2.png")
    assert (told["step"], told["seed"], told["prompt"]) == (6, 2, PROMPTS["two"])
    facts = {name: read_json(tmp_path / "out/lora.json")[name] for name in adapter_store.FACTS}
    assert told["training"] == adapter_store.training_key(facts)
    assert told["made_with"]["device"] == "cpu"


@pytest.mark.parametrize(
    "interrupted",
    [7, *(pytest.param(step, marks=pytest.mark.long) for step in (3, 5, 6))],
)
def test_interrupted_at_any_step_no_picture_is_missing_or_drawn_twice(
    data, tmp_path, interrupted, monkeypatch
):
    run(data, tmp_path / "whole")
    wanted = pictures(tmp_path / "whole")
    training_set.forget(data)
    written = []
    original = Sample.write

    def write(self, *given):
        written.append(self.path)
        original(self, *given)

    monkeypatch.setattr(Sample, "write", write)
    with monkeypatch.context() as patch:
        patch.setattr(training_set.TrainingSet, "train_arguments", with_drawing)
        stop_at(data, interrupted, tmp_path / "out", RECIPE)
    run(data, tmp_path / "out")
    assert pictures(tmp_path / "out") == wanted
    assert len(written) == len({*written}) == len(DRAWN)


def test_killed_it_has_the_same_adapter_and_pictures_after_the_next_start(data, tmp_path):
    plain = run(data, tmp_path / "plain", draws=False)
    training_set.forget(data)
    run(data, tmp_path / "whole")
    wanted = pictures(tmp_path / "whole")
    training_set.forget(data)
    given = [*data.train_arguments(tmp_path / "out", **RECIPE), *drawing(data)]
    with pytest.MonkeyPatch.context() as patch:
        waiting_in(7, patch)
        process = ForkedProgram(train.main, given, tmp_path / "log")
        wait_for_checkpoint(data, process)
        process.kill(signal.SIGKILL)
        process.wait()
    assert live(tmp_path / "out")["state"] == "training"  # as it was seen last
    train.main(given)
    assert lora_bytes(tmp_path / "out") == plain
    assert pictures(tmp_path / "out") == wanted
    told = live(tmp_path / "out")
    assert told["state"] == "finished" and len(told["pictures"]) == len(DRAWN)


def test_stopped_while_it_draws_it_draws_the_rest_when_it_goes_on(data, tmp_path, monkeypatch):
    plain = run(data, tmp_path / "plain", draws=False)
    training_set.forget(data)
    original = Sampler._pictures

    def stop(self, trainer, *given):
        trainer.stop()
        return original(self, trainer, *given)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Sampler, "_pictures", stop)
        patch.setattr(RenderSpec, "batch_of", lambda *_: 1)
        run(data, tmp_path / "out")
    assert list(pictures(tmp_path / "out")) == ["step-000003/j-1.png"]
    assert live(tmp_path / "out")["state"] == "interrupted"
    assert run(data, tmp_path / "out") == plain
    assert sorted(pictures(tmp_path / "out")) == sorted(DRAWN)


def test_pictures_of_another_training_are_not_taken_for_its_own(data, tmp_path):
    run(data, tmp_path / "out")
    (tmp_path / "out/samples/step-000004").mkdir()
    shutil.copy(
        tmp_path / "out/samples/step-000003/j-1.png", tmp_path / "out/samples/step-000004/j-1.png"
    )
    before = pictures(tmp_path / "out")
    run(data, tmp_path / "out", lr=1e-2)
    after = pictures(tmp_path / "out")
    assert sorted(after) == sorted(DRAWN)
    assert all(after[name] != before[name] for name in DRAWN)
    training_set.forget(data)
    run(data, tmp_path / "again", lr=1e-2, draws=False)
    shutil.copytree(tmp_path / "out/samples", tmp_path / "other/samples")
    run(data, tmp_path / "other", lr=1e-2, steps=4)
    assert sorted({name[:11] for name in pictures(tmp_path / "other")}) == [
        "step-000003",
        "step-000004",
    ]


def test_drawing_that_fails_ends_the_drawing_alone(data, tmp_path, monkeypatch, capsys):
    plain = run(data, tmp_path / "plain", draws=False)
    training_set.forget(data)

    def fails(*_):
        raise torch.OutOfMemoryError("no memory for a picture")

    monkeypatch.setattr(Sampler, "_pictures", fails)
    assert run(data, tmp_path / "out") == plain
    said = capsys.readouterr().err
    assert said.count("can't be drawn while this trains (no memory for a picture)") == 1


def test_prompts_of_another_encoder_are_refused_before_anything_is_trained(data, tmp_path):
    (data.root / "samples.json").write_text(
        json.dumps({"every": 3, "prompt_set": {**ASKED, "prompts": {"k": "somebody else"}}})
    )
    with pytest.raises(KindredError, match="lacks “somebody else”"):
        run(data, tmp_path / "out")


def test_the_live_log_tells_losses_time_left_and_pictures(data, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(
        "kindred.training.live_log.write_text",
        lambda path, text: told.append(json.loads(text[5:-3])),
    )
    run(data, tmp_path / "v/run-1", keep=[4])
    states = [(one["state"], one["step"], len(one["pictures"])) for one in told]
    due = [("training", 3, 4), ("training", 6, 8), ("training", 8, 12), ("finished", 8, 12)]
    assert states[0] == ("training", 0, 0) and set(due) <= set(states)
    assert told[-1]["run"] == "v/run-1" and told[-1]["steps"] == 8
    assert [step for step, _ in told[-1]["loss"]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert told[-1]["left"] is None and told[-2]["left"] is not None
    assert told[-1]["pictures"][0] == [3, "j", 1, "samples/step-000003/j-1.png"]


def test_a_training_that_goes_wrong_tells_why(data, tmp_path):
    with pytest.raises(KindredError, match="the loss is"):
        run(data, tmp_path / "out", lr=1e30, max_grad_norm=0)
    told = live(tmp_path / "out")
    assert told["state"] == "failed" and "the loss is" in told["why"]


def test_an_adapter_from_the_store_tells_its_losses(data, tmp_path):
    run(data, tmp_path / "out", draws=False)
    run(data, tmp_path / "again")
    told = live(tmp_path / "again")
    assert told["state"] == "finished" and not told["pictures"]
    assert told["loss"] == live(tmp_path / "out")["loss"]


def test_long_curves_are_told_as_means():
    rows = [{"step": float(step), "loss": float(step % 2)} for step in range(1, 1001)]
    rows[0]["held_out_loss"] = 0.5
    found = points(rows, "loss")
    assert len(found) == 250 and found[0] == [2.5, 0.5]
    assert points(rows, "held_out_loss") == [[1, 0.5]]


def test_a_stack_draws_nothing_and_says_why(data, tmp_path, capsys):
    given = with_drawing(data, tmp_path / "out", **RECIPE)
    job = {key: value for key, value in as_job(given).items() if key != "sample_texts"}
    read = read_jobs(json.dumps([job]), BatchReport())
    assert len(read) == 1 and read[0].samples is None
    assert "trainings that run together draw no `samples`, because" in capsys.readouterr().err
