"""FLUX.2 klein behind the seam against diffusers' own pipeline, on a tiny random base."""

import json

import numpy as np
import pytest
import tiny_klein
import torch
import training_set
from diffusers import Flux2KleinPipeline
from PIL import Image

import encode_prompts
import render
import train
from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.common.hashing import caption_hash
from kindred.models import loading
from kindred.models.architectures.klein.facts import KLEIN
from kindred.models.architectures.noise_levels import schedule
from kindred.models.lora import injection
from kindred.models.lora.target_layers import target_layers
from kindred.models.opened_base import open_base
from kindred.rendering.manifest import read_manifest
from kindred.rendering.sampling import denoise, initial_noise
from kindred.specs.base_model import Base
from kindred.specs.training import Recipe

torch.set_num_threads(1)
WIDTH, HEIGHT, STEPS, SCALE, TOKENS = 96, 64, 3, 4.0, 48
PROMPTS = ["a photo of JRussell at the beach, smiling and looking left", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_klein.build(tmp_path_factory.mktemp("base") / "klein")


@pytest.fixture(scope="module")
def pipeline(folder):
    pipeline = Flux2KleinPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def base(folder):
    return open_base(Base(model=str(folder), dtype="float32", text_tokens=TOKENS))


@pytest.fixture(scope="module")
def texts(base):
    encode = loading.load_text_encoder(base.spec.text_encoder(), "qwen3", "cpu")
    return [{"qwen3": encode(prompt)} for prompt in PROMPTS]


def test_embeddings_are_the_pipelines(pipeline, texts):
    with torch.no_grad():
        wanted, ids = pipeline.encode_prompt(PROMPTS, max_sequence_length=TOKENS, device="cpu")
    found = KLEIN.text.collate(texts)["qwen3"]
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)
    from kindred.models.architectures.klein.denoiser import text_ids

    assert torch.equal(text_ids(TOKENS), ids[0])


@pytest.mark.parametrize("tokens", [32, 160])
def test_short_and_cut_texts_are_read_as_the_pipeline_reads_them(pipeline, base, tokens):
    prompts = ["x", "a very long walk " * 20, PROMPTS[0]]
    encoder = base.spec.text_encoder(tokens)
    encode = loading.load_text_encoder(encoder, "qwen3", "cpu")
    with torch.no_grad():
        wanted, _ = pipeline.encode_prompt(prompts, max_sequence_length=tokens, device="cpu")
    for prompt, one in zip(prompts, wanted, strict=True):
        torch.testing.assert_close(encode(prompt), one, atol=1e-5, rtol=0)


def test_start_noise_is_the_pipelines(pipeline):
    wanted, ids = pipeline.prepare_latents(
        1, 4, HEIGHT, WIDTH, torch.float32, "cpu", torch.Generator("cpu").manual_seed(7)
    )
    noise = initial_noise([7], 16, HEIGHT // 16, WIDTH // 16)
    assert torch.equal(KLEIN.denoiser(None).pack(noise), wanted)
    from kindred.models.architectures.klein.denoiser import image_ids

    assert torch.equal(image_ids(HEIGHT // 16, WIDTH // 16), ids[0])


def test_latents_and_ids_are_the_pipelines(pipeline, base):
    coding = KLEIN.latent_coding(loading.load_vae(base.spec, "cpu"))
    picture = training_set.picture("any", (WIDTH, HEIGHT))
    latent = coding.encode(picture)
    assert latent.shape == coding.shape(WIDTH, HEIGHT) == (16, HEIGHT // 16, WIDTH // 16)
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1
    torch.testing.assert_close(pixels, pipeline.image_processor.preprocess(picture))
    with torch.no_grad():
        wanted = pipeline._encode_vae_image(pixels, None)[0]
    torch.testing.assert_close(latent, wanted, atol=1e-5, rtol=0)
    again = coding.normalise(coding.denormalise(latent[None]))[0]
    torch.testing.assert_close(again, latent, atol=1e-5, rtol=0)
    denoiser = KLEIN.denoiser(None)
    tokens = denoiser.pack(latent[None])
    assert torch.equal(tokens, pipeline._pack_latents(latent[None]))
    assert torch.equal(denoiser.unpack(tokens, *latent.shape[1:])[0], latent)
    from kindred.models.architectures.klein.denoiser import image_ids

    wanted = pipeline._prepare_latent_ids(latent[None])[0]
    assert torch.equal(image_ids(*latent.shape[1:]), wanted)


@pytest.mark.parametrize("steps", [3, 4, 28, 50])
@pytest.mark.parametrize("tokens", [24, 1024, 4096, 5000])
def test_noise_levels_are_the_pipelines(pipeline, base, steps, tokens):
    from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu

    even = np.linspace(1.0, 1 / steps, steps)
    mu = compute_empirical_mu(image_seq_len=tokens, num_steps=steps)
    pipeline.scheduler.set_timesteps(sigmas=even, mu=mu)
    found = schedule(base.shift(tokens, steps), steps)
    assert found == pytest.approx(pipeline.scheduler.sigmas.tolist(), abs=1e-6)


def test_one_pass_is_the_networks_own_answer(pipeline, texts):
    noise = initial_noise([1, 2], 16, 4, 6)
    sigmas = torch.tensor([0.9, 0.1])
    read = KLEIN.text.collate(texts)
    with torch.no_grad():
        found = KLEIN.denoiser(pipeline.transformer).velocity(noise, sigmas, read, 1.0)
        wanted = pipeline.transformer(
            hidden_states=pipeline._pack_latents(noise),
            encoder_hidden_states=read["qwen3"],
            timestep=sigmas,
            img_ids=pipeline._prepare_latent_ids(noise),
            txt_ids=pipeline._prepare_text_ids(read["qwen3"]),
            guidance=None,
            return_dict=False,
        )[0]
    wanted = wanted.transpose(1, 2).reshape(found.shape)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)


def test_a_picture_with_guidance_is_the_pipelines(pipeline, base, texts):
    assert base.guidance == "cfg"
    read, empty = (KLEIN.text.collate([text] * 2) for text in texts)
    noise = initial_noise([7, 8], 16, HEIGHT // 16, WIDTH // 16)
    with torch.inference_mode():
        theirs = pipeline(
            prompt_embeds=read["qwen3"],
            negative_prompt_embeds=empty["qwen3"],
            latents=noise,
            width=WIDTH,
            height=HEIGHT,
            num_inference_steps=STEPS,
            guidance_scale=SCALE,
            output_type="np",
        ).images
        times = schedule(base.shift(24, STEPS), STEPS)
        denoiser = KLEIN.denoiser(pipeline.transformer)
        latents = denoise(denoiser, noise, read, times, SCALE, negative=empty)
        ours = KLEIN.latent_coding(pipeline.vae).decode(latents)
    assert np.abs(ours.numpy() / 255 - theirs).max() <= 1.01 / 255
    assert theirs.std() > 0.01


def test_layout_and_targets_are_the_real_networks(base):
    network = loading.load_transformer(base.spec, "cpu")
    real = {
        name: (part.in_features, part.out_features)
        for name, part in network.named_modules()
        if isinstance(part, torch.nn.Linear)
    }
    rows = base.layout.layers
    assert {row.name: (row.inputs, row.outputs) for row in rows} == real and len(rows) == len(real)
    assert {row.name for row in rows if row.kept} == {row.name for row in base.layout.outside}
    modules = {name for name, _ in network.named_children()} - {
        "transformer_blocks",
        "single_transformer_blocks",
    }
    assert {*base.layout.before, *base.layout.after} == modules
    layers = injection.linear_layers(network)
    found = {name: target_layers(layers, name, KLEIN) for name in KLEIN.lora_targets}
    assert len(found["attention"]) == 2 * 8 + 2 * 2
    assert set(found["all-linear"]) == base.layout.token_layers and len(found["all-linear"]) == 28
    with pytest.raises(KindredError, match=r"norm_out\.linear can't be trained"):
        target_layers(layers, ".*norm_out.*", KLEIN)


def test_a_distilled_one_goes_without_guidance(tmp_path):
    other = tiny_klein.build(tmp_path / "distilled", distilled=True)
    assert open_base(Base(model=str(other))).guidance == "none"


def test_from_photos_to_pictures_by_the_programs(folder, tmp_path):
    data = training_set.build(tmp_path / "set", folder, {"J": 2})
    train.main(data.train_arguments(tmp_path / "lora", steps=2, timesteps="shifted"))
    file = tmp_path / "lora/lora.safetensors"
    state = safetensors_files.load(file)
    assert any(value.abs().max() > 0 for name, value in state.items() if "lora_B" in name)
    base = {"model": str(folder), "dtype": "float32", "text_tokens": training_set.TOKENS}
    encoder = {"model": str(folder), "dtype": "float32", "tokens": training_set.TOKENS}
    prompts = {"p": "JRussell at the beach"}
    where = ["--device", "cpu", "--threads", "1"]
    asked = ["--spec", json.dumps({"encoder": encoder, "prompts": prompts})]
    store = ["--store", str(data.root / "encoded")]
    encode_prompts.main([*asked, "--out", str(tmp_path / "p.safetensors"), *store, *where])
    sizes = {"seeds": [1], "width": 64, "height": 48, "steps": 2}
    spec = {"base": base, "prompt_set": {"prompts": prompts, **sizes}, "name": "n"}
    drawn = []
    for adapters in ([], ["--adapter", str(file)]):
        out = tmp_path / f"results/{len(adapters)}/n.json"
        arguments = ["--spec", json.dumps(spec), "--prompts", str(tmp_path / "p.safetensors")]
        arguments += [*adapters, "--store", str(tmp_path / "pictures"), "--out", str(out)]
        render.main([*arguments, *where])
        (row,) = read_manifest(out).rows
        with Image.open(row.path) as image:
            drawn.append(image.convert("RGB").tobytes())
    assert drawn[0] != drawn[1]
    found = safetensors_files.header(tmp_path / "p.safetensors")[0]
    assert f"{caption_hash(prompts['p'])}.qwen3" in found


def test_a_recipe_of_attention_alone_trains_whole_layers(folder):
    network = loading.load_transformer(Base(model=str(folder), dtype="float32"), "cpu")
    parameters = injection.add_lora(network, Recipe(rank=2, targets="attention"), 0)
    assert len(parameters) == 2 * (2 * 8 + 2 * 2)
