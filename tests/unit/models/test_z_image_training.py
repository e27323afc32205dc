"""Trainings of Z-Image: the loss of diffusers' script, the programs, many in one loop."""

import copy
import json
from itertools import islice
from types import SimpleNamespace

import pytest
import tiny_z_image
import torch
import training_set
from diffusers import FlowMatchEulerDiscreteScheduler
from PIL import Image

import encode_prompts
import render
import render_batched
import train
import train_batched
from kindred.common import safetensors_files
from kindred.common.files import read_json
from kindred.compute.memory_fitting import FittedMemory
from kindred.compute.memory_plan import MemoryPlan
from kindred.models.architectures.z_image.facts import Z_IMAGE
from kindred.models.lora import injection
from kindred.rendering.image_store import ImageStore
from kindred.rendering.manifest import read_manifest
from kindred.rendering.sampling import initial_noise
from kindred.specs.training import Recipe
from kindred.training.batches import Example
from kindred.training.flow_matching import flow_loss
from kindred.training.step_graphs import key_of
from kindred.training.trainer import Trainer, WeightedDataset

torch.set_num_threads(1)
TOKENS = 96
WHERE = ["--device", "cpu", "--threads", "1"]
PROMPTS = {"long": "JRussell at the beach and in the snow", "short": "x", "other": "y"}
MEMBERS = {
    "plain": {"steps": 2},
    "uncaptioned": {"run": 1, "caption_dropout": 0.5, "timesteps": "shifted"},
    "everywhere": {"targets": ".+", "rank": 3, "timesteps": "shifted"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_z_image.build(tmp_path_factory.mktemp("base") / "z-image")


@pytest.fixture(scope="module")
def data(folder, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_set, "TOKENS", TOKENS)
        cells = {"J": 2, "A+J": 2}
        yield training_set.build(tmp_path_factory.mktemp("data") / "set", folder, cells)


def with_adapter(network, recipe):
    """An adapter on a network, with effect; its parameters."""
    parameters = injection.add_lora(network, recipe, 0)
    source = torch.Generator().manual_seed(3)
    for parameter in parameters:
        parameter.data = torch.randn(parameter.shape, generator=source) * 0.2
    return parameters


def gradients(loss, parameters):
    """Of a loss, and the loss."""
    loss.backward()
    return [parameter.grad.clone() for parameter in parameters], loss.detach()


def script_loss(network, latents, noise, indices, texts):
    """By the formulas of diffusers' train_dreambooth_lora_z_image.py of version 0.42, uniform
    weighting: noise levels from the scheduler's own grid, time as 1 - level, the answer negated."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=tiny_z_image.SHIFT)
    times = scheduler.timesteps[indices]
    sigmas = scheduler.sigmas[indices].reshape(-1, 1, 1, 1)
    noisy = (1.0 - sigmas) * latents + sigmas * noise
    answers = network(
        list(noisy.unsqueeze(2).unbind(0)),
        (1000 - times) / 1000,
        [text["qwen3"] for text in texts],
        return_dict=False,
    )[0]
    predicted = -torch.stack(answers).squeeze(2)
    target = noise - latents
    loss = ((predicted.float() - target.float()) ** 2).reshape(len(latents), -1).mean(1).mean()
    return loss, sigmas.flatten()


@pytest.mark.parametrize(
    ("rows", "checkpointed"),
    [
        ((9, 40), True),
        pytest.param((9, 40), False, marks=pytest.mark.long),
        pytest.param((20, 21), True, marks=pytest.mark.long),
        pytest.param((20, 21), False, marks=pytest.mark.long),
    ],
)
def test_loss_and_gradients_are_the_scripts(rows, checkpointed):
    recipe = Recipe(rank=2, targets=".+")
    plain = tiny_z_image.transformer().requires_grad_(False)
    other = copy.deepcopy(plain)
    latents, noise = (initial_noise(seeds, 4, 6, 10) for seeds in ([1, 2], [3, 4]))
    source = torch.Generator().manual_seed(5)
    texts = [{"qwen3": torch.randn(count, 32, generator=source)} for count in rows]
    theirs = with_adapter(plain, recipe)
    loss, sigmas = script_loss(plain, latents, noise, [150, 800], texts)
    wanted, theirs_loss = gradients(loss, theirs)
    ours = with_adapter(other, recipe)
    if checkpointed:
        other.train().enable_gradient_checkpointing()
    for longest in (None, 96):
        for parameter in ours:
            parameter.grad = None
        text = Z_IMAGE.text.collate(texts, longest)
        loss = flow_loss(Z_IMAGE.denoiser(other), latents, noise, sigmas, text, 1.0)
        found, our_loss = gradients(loss, ours)
        torch.testing.assert_close(our_loss, theirs_loss, rtol=1e-5, atol=0)
        for one, another in zip(found, wanted, strict=True):
            assert (one - another).norm() < 1e-4 * another.norm()
    assert all(one.abs().max() > 0 for one in wanted)


@pytest.mark.parametrize(("checkpointed", "away"), [(3, ()), (4, (0, 1)), (4, (0, 1, 2, 3))])
def test_checkpointed_and_offloaded_blocks_change_no_gradient(checkpointed, away):
    network = tiny_z_image.transformer().requires_grad_(False).train()
    parameters = with_adapter(network, Recipe(rank=2, targets="all-linear"))
    latents, noise = (initial_noise(seeds, 4, 6, 10) for seeds in ([1, 2], [3, 4]))
    source = torch.Generator().manual_seed(5)
    texts = [{"qwen3": torch.randn(rows, 32, generator=source)} for rows in (9, 40)]

    def of_batch():
        for parameter in parameters:
            parameter.grad = None
        inputs = latents, noise, torch.tensor([0.9, 0.2]), Z_IMAGE.text.collate(texts)
        return gradients(flow_loss(Z_IMAGE.denoiser(network), *inputs, 1.0), parameters)

    wanted, loss = of_batch()
    fitted = object.__new__(FittedMemory)
    fitted.device, fitted.preserve_rng, fitted.offloader = torch.device("cpu"), False, None
    fitted.job = SimpleNamespace(compiled=False)
    fitted.plan = MemoryPlan(2, 2, checkpointed, away, 4, 0.0, 1.0)
    fitted.apply(network)
    found, again = of_batch()
    assert torch.equal(again, loss)
    assert all(map(torch.equal, found, wanted))


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("batch", [1, 2])
def test_batches_of_a_shape_share_a_recording_whatever_their_captions(batch, dropout):
    def example(number, height, rows):
        latent, text = torch.zeros(4, height, 6), {"qwen3": torch.zeros(rows, 32)}
        return Example(str(number), str(number), latent, text)

    wide = [example(number, 4, rows) for number, rows in enumerate((9, 40, 70))]
    tall = [example(number + 3, 8, 33) for number in range(2)]
    empty = {"qwen3": torch.zeros(8, 32)}
    dataset = WeightedDataset("photos", 1.0, {"wide": wide, "tall": tall}, empty)
    trainer = Trainer.__new__(Trainer)
    trainer.recipe, trainer.fitting = Recipe(batch=batch, caption_dropout=dropout), None
    trainer.architecture, trainer.datasets = Z_IMAGE, [dataset]
    trainer.scheduler, trainer.run, trainer.done = {"shift": 6.0}, 0, 0
    made = [made for _, made in islice(trainer._batches(dataset), 40)]
    assert {key_of(one) for one in made} == trainer.kinds() and len(trainer.kinds()) == 2
    lengths = {tuple(one.text["length"].tolist()) for one in made}
    assert len(lengths) > 3
    tokens = {one.latents.shape[2]: one.text["qwen3"].shape[1] for one in made}
    assert tokens == {4: 96, 8: 64}
    uneven = {one.latents.shape[2]: "attended" in one.text for one in made}
    assert uneven == {4: True, 8: dropout > 0}


def arguments(data, out, run=0, **recipe):
    return data.train_arguments(out, run, **({"steps": 2} | recipe))


@pytest.mark.long
def test_trainings_in_one_loop_end_where_each_ends_alone(data, tmp_path):
    jobs = []
    for name, recipe in MEMBERS.items():
        given = arguments(data, tmp_path / "together" / name, **recipe)
        named = dict(zip(given[::2], given[1::2], strict=True))
        for key in ("--store", "--checkpoints", "--device", "--threads"):
            del named[key]
        job = {key[2:].replace("-", "_"): value for key, value in named.items()}
        jobs.append(job | {"run": int(job["run"])})
    stores = ["--store", str(tmp_path / "store"), "--checkpoints", str(tmp_path / "work")]
    where = ["--jobs", json.dumps(jobs), "--out", str(tmp_path / "trained.json")]
    train_batched.main([*where, *stores, "--device", "cpu", "--threads", "1"])
    report = read_json(tmp_path / "trained.json")
    assert len(report["trained"]) == len(MEMBERS) and not report["left"] and not report["failed"]
    for name, recipe in MEMBERS.items():
        train.main(arguments(data, tmp_path / "alone" / name, **recipe))
        key = report["trained"][str(tmp_path / "together" / name)]
        other = safetensors_files.load(tmp_path / "store" / key / "lora.safetensors")
        alone = safetensors_files.load(tmp_path / "alone" / name / "lora.safetensors")
        assert alone.keys() == other.keys()
        for tensor, value in alone.items():
            assert (value - other[tensor]).norm() < 1e-4 * value.norm(), (name, tensor)


class Drawn:
    """Pictures of three prompts by the programs, with an adapter or without."""

    def __init__(self, folder, data, root):
        self.root = root
        self.base = {"model": str(folder), "dtype": "float32", "text_tokens": TOKENS}
        encoder = {"model": str(folder), "dtype": "float32", "tokens": TOKENS}
        asked = ["--spec", json.dumps({"encoder": encoder, "prompts": PROMPTS})]
        store = ["--store", str(data.root / "encoded")]
        self.embedded = str(root / "p.safetensors")
        encode_prompts.main([*asked, "--out", self.embedded, *store, *WHERE])
        train.main(arguments(data, root / "lora", lr=1e-2))
        self.adapter = str(root / "lora/lora.safetensors")

    def spec(self, chosen, guidance):
        sizes = {"seeds": [1], "width": 64, "height": 48, "steps": 2, "guidance_scale": guidance}
        asked = {"prompts": {one: PROMPTS[one] for one in chosen}, **sizes}
        return {"base": self.base, "prompt_set": asked, "name": "n", "batch": 3}

    def __call__(self, store, chosen=PROMPTS, adapters=(), guidance=0.0):
        """Prompt -> bytes of its picture."""
        out = self.root / f"results/{store}/n.json"
        given = ["--spec", json.dumps(self.spec(chosen, guidance)), "--prompts", self.embedded]
        given += [part for one in adapters for part in ("--adapter", one)]
        render.main([*given, "--store", str(self.root / store), "--out", str(out), *WHERE])
        pictures = {}
        for row in read_manifest(out).rows:
            with Image.open(row.path) as image:
                pictures[row.name] = image.convert("RGB").tobytes()
        return pictures


@pytest.fixture(scope="module")
def drawn(folder, data, tmp_path_factory):
    return Drawn(folder, data, tmp_path_factory.mktemp("drawn"))


def test_from_photos_to_pictures_by_the_programs(drawn):
    every = drawn("every")
    assert len(set(every.values())) == 3
    # Whatever is drawn beside it, and however long its text is.
    assert drawn("alone", ["short"]).items() <= every.items()
    assert drawn("adapted", ["long"], [drawn.adapter])["long"] != every["long"]


@pytest.mark.long
def test_many_renderings_in_one_process_have_the_bytes_of_single_ones(drawn, tmp_path):
    guided = drawn("single", guidance=3.0)
    assert not {*guided.values()} & {*drawn("plain").values()}
    drawn("single", adapters=[drawn.adapter], guidance=3.0)
    jobs = [
        {
            "spec": "n",
            "adapters": own,
            "prompts": drawn.embedded,
            "out": str(tmp_path / f"many/{number}/n.json"),
        }
        for number, own in enumerate([[], [drawn.adapter]])
    ]
    wanted = {"specs": {"n": drawn.spec(PROMPTS, 3.0)}, "jobs": jobs}
    (tmp_path / "jobs.json").write_text(json.dumps(wanted))
    given = ["--jobs", str(tmp_path / "jobs.json"), "--store", str(tmp_path / "store")]
    assert render_batched.main([*given, "--out", str(tmp_path / "done.json"), *WHERE]) == 0
    many, single = ImageStore(tmp_path / "store"), ImageStore(drawn.root / "single")
    assert len(list(many)) == 6 and list(many) == list(single)
    for key in many:
        assert many.path(key).read_bytes() == single.path(key).read_bytes()
