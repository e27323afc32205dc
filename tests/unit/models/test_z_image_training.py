"""Trainings of Z-Image: the loss of diffusers' script, the programs, many in one loop."""

import copy
import json

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
from kindred.models.architectures.z_image.facts import Z_IMAGE
from kindred.models.lora import injection
from kindred.rendering.image_store import ImageStore
from kindred.rendering.manifest import read_manifest
from kindred.rendering.sampling import initial_noise
from kindred.specs.training import Recipe
from kindred.training.flow_matching import flow_loss

torch.set_num_threads(1)
TOKENS = 96
MEMBERS = {
    "plain": {"steps": 4},
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


@pytest.mark.parametrize("checkpointed", [False, True])
@pytest.mark.parametrize("rows", [(20, 21), (9, 40)])
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


def arguments(data, out, run=0, **recipe):
    return data.train_arguments(out, run, **({"steps": 3} | recipe))


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


def test_from_photos_to_pictures_by_the_programs(folder, data, tmp_path):
    train.main(arguments(data, tmp_path / "lora", lr=1e-2))
    adapter = tmp_path / "lora/lora.safetensors"
    base = {"model": str(folder), "dtype": "float32", "text_tokens": TOKENS}
    encoder = {"model": str(folder), "dtype": "float32", "tokens": TOKENS}
    prompts = {"long": "JRussell at the beach and in the snow", "short": "x", "other": "y"}
    where = ["--device", "cpu", "--threads", "1"]
    asked = ["--spec", json.dumps({"encoder": encoder, "prompts": prompts})]
    store = ["--store", str(data.root / "encoded")]
    encode_prompts.main([*asked, "--out", str(tmp_path / "p.safetensors"), *store, *where])

    def spec_of(chosen, guidance):
        sizes = {"seeds": [1], "width": 64, "height": 48, "steps": 2, "guidance_scale": guidance}
        texts = {one: prompts[one] for one in chosen}
        return {"base": base, "prompt_set": {"prompts": texts, **sizes}, "name": "n", "batch": 3}

    def drawn(name, chosen, adapters, guidance=0.0):
        out = tmp_path / f"results/{name}/n.json"
        given = ["--spec", json.dumps(spec_of(chosen, guidance))]
        given += ["--prompts", str(tmp_path / "p.safetensors")]
        given += [*adapters, "--store", str(tmp_path / name), "--out", str(out)]
        render.main([*given, *where])
        pictures = {}
        for row in read_manifest(out).rows:
            with Image.open(row.path) as image:
                pictures[row.name] = image.convert("RGB").tobytes()
        return pictures

    every = drawn("every", prompts, [])
    assert len(set(every.values())) == 3
    # Whatever is drawn beside it, and however long its text is.
    assert drawn("alone", ["short"], []).items() <= every.items()
    assert drawn("adapted", ["long"], ["--adapter", str(adapter)])["long"] != every["long"]
    guided = drawn("every", prompts, [], 3.0)
    assert not {*guided.values()} & {*every.values()}
    # Many renderings in one process have the same bytes.
    spec, listed = spec_of(prompts, 3.0), {"prompts": str(tmp_path / "p.safetensors")}
    jobs = [
        {"spec": "n", "adapters": own, **listed, "out": str(tmp_path / f"many/{number}/n.json")}
        for number, own in enumerate([[], [str(adapter)]])
    ]
    (tmp_path / "jobs.json").write_text(json.dumps({"specs": {"n": spec}, "jobs": jobs}))
    given = ["--jobs", str(tmp_path / "jobs.json"), "--store", str(tmp_path / "many-store")]
    assert render_batched.main([*given, "--out", str(tmp_path / "done.json"), *where]) == 0
    drawn("alone", prompts, [], 3.0)
    drawn("alone", prompts, ["--adapter", str(adapter)], 3.0)
    many, single = ImageStore(tmp_path / "many-store"), ImageStore(tmp_path / "alone")
    assert len(list(many)) == 6 and set(many) <= set(single)
    for key in many:
        assert many.path(key).read_bytes() == single.path(key).read_bytes()
