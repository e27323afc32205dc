"""Krea 2 behind the seam against diffusers' own pipeline, on a tiny random base."""

import json
import math

import numpy as np
import pytest
import tiny_krea2
import torch
import training_set
from diffusers import Krea2Pipeline
from PIL import Image

import encode_prompts
import render
import render_batched
import train
from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.models import loading, tokenizers
from kindred.models.architectures.krea2 import facts
from kindred.models.architectures.krea2.denoiser import joint_ids
from kindred.models.architectures.krea2.facts import KREA2
from kindred.models.architectures.noise_levels import schedule
from kindred.models.lora import injection
from kindred.models.lora.target_layers import target_layers
from kindred.models.opened_base import open_base
from kindred.rendering.manifest import read_manifest
from kindred.rendering.sampling import denoise, initial_noise
from kindred.specs.base_model import Base
from kindred.specs.training import Recipe
from kindred.training.flow_matching import flow_loss

torch.set_num_threads(1)
WIDTH, HEIGHT, STEPS, SCALE, TOKENS = 96, 64, 3, 4.5, 64
LONG = "a photo of JRussell at the beach, smiling and looking left"
BEYOND = f"{LONG}, while the lamp beside ARussell is on"
PROMPTS = ["J", LONG, BEYOND, ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_krea2.build(tmp_path_factory.mktemp("base") / "krea2")


@pytest.fixture(scope="module")
def pipeline(folder):
    pipeline = Krea2Pipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def base(folder):
    return open_base(Base(model=str(folder), dtype="float32", text_tokens=TOKENS))


@pytest.fixture(scope="module")
def texts(base):
    encode = loading.load_text_encoder(base.spec.text_encoder(), "qwen3vl", "cpu")
    return [{"qwen3vl": encode(prompt)} for prompt in PROMPTS]


@pytest.fixture(scope="module")
def theirs(pipeline):
    """States and mask of all prompts as the pipeline has them, padding in the middle."""
    with torch.no_grad():
        return pipeline.encode_prompt(PROMPTS, max_sequence_length=TOKENS, device="cpu")


def test_real_rows_are_the_pipelines(pipeline, texts, theirs):
    states, mask = theirs
    counts = [len(pipeline.tokenizer(prompt).input_ids) for prompt in PROMPTS]
    assert counts[0] == 1 and counts[1] > 33 and counts[2] > TOKENS
    assert mask.sum(1).tolist() == [min(count + 5, TOKENS) for count in counts]
    assert not mask[0, 1] and mask[0, -5:].all()  # the padding lies in the middle
    for text, own, real in zip(texts, states, mask, strict=True):
        assert text["qwen3vl"].shape == (int(real.sum()), 12, 32)
        torch.testing.assert_close(text["qwen3vl"], own[real], atol=1e-5, rtol=0)


def test_the_template_is_the_pipelines_and_counts_as_its_tokenizer_does(pipeline, base):
    assert pipeline.prompt_template_encode_prefix == facts.OPENING
    assert pipeline.prompt_template_encode_suffix == facts.CLOSING
    assert pipeline.prompt_template_encode_start_idx == facts.OPENING_TOKENS == 34
    assert pipeline.prompt_template_encode_num_suffix_tokens == facts.CLOSING_TOKENS == 5
    assert pipeline.text_encoder_select_layers == facts.LAYERS
    (reader,) = KREA2.text.tokenizers
    template = reader.before, reader.uncounted
    prompts = dict(zip("abcd", PROMPTS, strict=True))
    found = tokenizers.too_long(pipeline.tokenizer, TOKENS, prompts, *template)
    (cut,) = found["cut"]
    count = len(pipeline.tokenizer(BEYOND).input_ids)
    assert cut["id"] == "c" and cut["tokens"] == found["longest"] == count + 5
    read = BEYOND.removesuffix(cut["lost"])
    words = len(read.split())
    assert len(pipeline.tokenizer(read.strip()).input_ids) <= TOKENS - 5
    more = " ".join(BEYOND.split()[: words + 1])
    assert len(pipeline.tokenizer(more).input_ids) > TOKENS - 5


def test_another_tokenizer_is_refused(pipeline, folder, monkeypatch):
    monkeypatch.setattr(facts, "OPENING", facts.OPENING.replace("user", "User"))
    encoder = Base(model=str(folder), dtype="float32").text_encoder()
    with pytest.raises(
        KindredError, match="into 37 and 5 tokens, but Krea 2's own tokenizer into 34 and 5"
    ):
        loading.load_text_encoder(encoder, "qwen3vl", "cpu")


def test_what_sees_and_what_is_behind_the_last_state_is_dropped(base):
    model = loading.load_text_part(base.spec.text_encoder(), "text_encoder", "cpu")
    from kindred.models.architectures.krea2.text_encoder import trimmed

    language = trimmed(model, facts.LAYERS)
    assert len(language.layers) == 36 and model.visual is None


def test_texts_of_any_length_are_one_batch(texts, pipeline, theirs):
    found = KREA2.text.collate(texts)
    assert found["qwen3vl"].shape == (4, TOKENS, 12, 32)
    assert found["mask"].sum(1).tolist() == theirs[1].sum(1).tolist()
    more = KREA2.text.collate(texts[:2], TOKENS + 3)
    assert more["qwen3vl"].shape[1] == more["mask"].shape[1] == TOKENS + 3
    assert list(KREA2.text.collate(texts[1:2] * 2)) == ["qwen3vl"]  # nothing to mask
    noise = initial_noise([1, 2, 3, 4], 4, 8, 12)
    sigmas = torch.tensor([0.9, 0.5, 0.3, 0.1])
    denoiser = KREA2.denoiser(pipeline.transformer)
    with torch.no_grad():
        together = denoiser.velocity(noise, sigmas, found, 1.0)
        alone = [
            denoiser.velocity(noise[i : i + 1], sigmas[i : i + 1], KREA2.text.collate([text]), 1.0)
            for i, text in enumerate(texts)
        ]
        wanted = _their_velocity(pipeline, noise, sigmas, theirs)
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together, wanted, atol=1e-5, rtol=1e-5)
    blind = denoiser.velocity(noise, sigmas, {"qwen3vl": found["qwen3vl"]}, 1.0)
    assert (blind - wanted)[0].abs().max() > 1e-3  # the mask matters


def _their_velocity(pipeline, noise, sigmas, read):
    """One pass of the pipeline's transformer, called as the pipeline does."""
    count, channels, height, width = noise.shape
    states, mask = read
    ids = pipeline.prepare_position_ids(states.shape[1], height // 2, width // 2, "cpu")
    (velocity,) = pipeline.transformer(
        hidden_states=pipeline._pack_latents(noise, count, channels, height, width),
        encoder_hidden_states=states,
        timestep=sigmas,
        position_ids=ids,
        encoder_attention_mask=mask,
        return_dict=False,
    )
    return pipeline._unpack_latents(velocity, height * 8, width * 8)[:, :, 0]


def test_latents_noise_and_ids_are_the_pipelines(pipeline, base):
    coding = KREA2.latent_coding(loading.load_vae(base.spec, "cpu"))
    picture = training_set.picture("any", (WIDTH, HEIGHT))
    latent = coding.encode(picture)
    assert latent.shape == coding.shape(WIDTH, HEIGHT) == (4, HEIGHT // 8, WIDTH // 8)
    pixels = pipeline.image_processor.preprocess(picture)
    config = pipeline.vae.config
    mean, deviation = (
        torch.tensor(values).view(1, -1, 1, 1)
        for values in (config.latents_mean, config.latents_std)
    )
    with torch.no_grad():
        plain = pipeline.vae.encode(pixels[:, :, None]).latent_dist.mode()[:, :, 0]
    torch.testing.assert_close(latent[None], (plain - mean) / deviation, atol=1e-5, rtol=0)
    torch.testing.assert_close(coding.denormalise(latent[None]), plain, atol=1e-5, rtol=0)
    tokens = KREA2.denoiser(None).pack(latent[None])
    assert torch.equal(tokens, pipeline._pack_latents(latent[None], 1, *latent.shape))
    assert torch.equal(KREA2.denoiser(None).unpack(tokens, *latent.shape[1:])[0], latent)
    ids = pipeline.prepare_position_ids(7, HEIGHT // 16, WIDTH // 16, "cpu")
    assert torch.equal(joint_ids(7, *latent.shape[1:]), ids)
    generators = [torch.Generator().manual_seed(seed) for seed in (5, 6)]
    noise = pipeline.prepare_latents(2, 4, HEIGHT, WIDTH, torch.float32, "cpu", generators)
    own = initial_noise([5, 6], *latent.shape)
    assert torch.equal(KREA2.denoiser(None).pack(own), noise)


def test_pictures_in_tiles_are_nearly_the_same(base):
    coding = KREA2.latent_coding(loading.load_vae(base.spec, "cpu"))
    latents = initial_noise([1], 4, 24, 32)
    whole = coding.decode(latents).float()
    coding.decode_in_tiles(16)
    tiles = coding.decode(latents).float()
    assert coding.vae.use_tiling and tiles.shape == whole.shape == (1, 192, 256, 3)
    assert 0 < (tiles - whole).abs().mean() < 4


@pytest.mark.parametrize("turbo", [False, True])
@pytest.mark.parametrize("steps", [4, 8, 28, 52])
@pytest.mark.parametrize("tokens", [24, 1024, 4096, 7000])
def test_noise_levels_are_the_pipelines(pipeline, base, steps, tokens, turbo):
    from diffusers.pipelines.krea2.pipeline_krea2 import calculate_shift

    even = np.linspace(1.0, 1 / steps, steps)
    mu = 1.15 if turbo else calculate_shift(tokens, 256, 6400, 0.5, 1.15)
    pipeline.scheduler.set_timesteps(sigmas=even, mu=mu)
    shift = KREA2.shift(base.scheduler, tokens, steps, {"is_distilled": turbo})
    found = schedule(shift, steps)
    assert found == pytest.approx(pipeline.scheduler.sigmas.tolist(), abs=1e-6)


def test_shifts_of_training_follow_the_tokens(base):
    assert base.shift(1024, 28) == KREA2.shift({}, 1024, None, {"is_distilled": True})
    assert math.log(base.shift(1024)) == pytest.approx(0.581, abs=1e-3)
    assert base.shift(4096) == pytest.approx(2.475, abs=1e-3)


@pytest.mark.parametrize("turbo", [False, True])
def test_a_picture_is_the_pipelines(pipeline, base, texts, tmp_path, turbo):
    spec = base.spec
    if turbo:
        spec = spec.model_copy(update={"model": str(tiny_krea2.build(tmp_path / "t", turbo=True))})
        pipeline = Krea2Pipeline.from_pretrained(spec.model)
        pipeline.set_progress_bar_config(disable=True)
    own = open_base(spec)
    assert own.guidance == ("none" if turbo else "cfg")
    read = KREA2.text.collate([texts[1], texts[0]])
    empty = None if turbo else KREA2.text.collate([texts[3]] * 2)
    noise = initial_noise([7, 8], 4, HEIGHT // 8, WIDTH // 8)
    with torch.inference_mode():
        wanted = pipeline(
            prompt=[LONG, "J"],
            latents=KREA2.denoiser(None).pack(noise),
            width=WIDTH,
            height=HEIGHT,
            num_inference_steps=STEPS,
            guidance_scale=0.0 if turbo else SCALE,
            max_sequence_length=TOKENS,
            output_type="np",
        ).images
        times = schedule(own.shift(24, STEPS), STEPS)
        denoiser = KREA2.denoiser(pipeline.transformer)
        scale = own.cfg_scale(SCALE)
        assert scale == (None if turbo else 1 + SCALE)  # cond + g (cond - uncond)
        latents = denoise(denoiser, noise, read, times, scale or 1.0, negative=empty)
        ours = KREA2.latent_coding(pipeline.vae).decode(latents)
    assert np.abs(ours.numpy() / 255 - wanted).max() <= 1.01 / 255
    assert wanted.std() > 0.01


@pytest.mark.parametrize("dropped", [False, True])
def test_loss_and_gradients_are_those_of_diffusers_training_script(pipeline, base, texts, dropped):
    """Formulas of examples/dreambooth/train_dreambooth_lora_krea2.py. It takes both edges of a
    picture from one `--resolution`, which is right for its square crops alone; here each edge is
    its own. It draws latents from the VAE's distribution; here they are given."""
    network = loading.load_transformer(base.spec, "cpu")
    recipe = Recipe(rank=2, alpha=2, targets="attention")
    parameters = injection.add_lora(network, recipe, 0)
    with torch.no_grad():
        for number, parameter in enumerate(parameters):
            source = torch.Generator().manual_seed(number)
            parameter.copy_(torch.randn(parameter.shape, generator=source) * 0.1)
    latents, noise = (initial_noise(seeds, 4, 8, 12) for seeds in ([1, 2], [3, 4]))
    sigmas = torch.tensor([0.9, 0.3])
    prompts = ["" if dropped else LONG, "J"]
    read = KREA2.text.collate([texts[3] if dropped else texts[1], texts[0]])
    loss = flow_loss(KREA2.denoiser(network), latents, noise, sigmas, read, 1.0)
    ours = torch.autograd.grad(loss, parameters)

    with torch.no_grad():
        states, mask = pipeline.encode_prompt(prompts, max_sequence_length=TOKENS, device="cpu")
    frames, noise_frames = latents[:, :, None], noise[:, :, None]
    level = sigmas[:, None, None, None, None]
    noisy = (1.0 - level) * frames + level * noise_frames
    packed = noisy.permute(0, 2, 1, 3, 4).reshape(2, 4, 4, 2, 6, 2)
    packed = packed.permute(0, 2, 4, 1, 3, 5).reshape(2, 24, 16)
    (predicted,) = network(
        hidden_states=packed,
        encoder_hidden_states=states,
        timestep=sigmas * 1000 / 1000,
        position_ids=pipeline.prepare_position_ids(TOKENS, 4, 6, "cpu"),
        encoder_attention_mask=mask,
        return_dict=False,
    )
    predicted = predicted.view(2, 4, 6, 4, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(2, 4, 1, 8, 12)
    target = noise_frames - frames
    wanted = torch.mean(((predicted - target) ** 2).reshape(2, -1), 1).mean()
    torch.testing.assert_close(loss, wanted, atol=0, rtol=1e-5)
    for own, other in zip(ours, torch.autograd.grad(wanted, parameters), strict=True):
        assert other.abs().max() > 0
        torch.testing.assert_close(own, other, atol=1e-5 * float(other.abs().max()), rtol=1e-4)


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
    modules = {name for name, _ in network.named_children()} - {"transformer_blocks"}
    assert {*base.layout.before, *base.layout.after} == modules
    layers = injection.linear_layers(network)
    found = {name: target_layers(layers, name, KREA2) for name in KREA2.lora_targets}
    assert len(found["attention"]) == 2 * 5 and len(found["all-linear"]) == 2 * 8
    assert set(found["all-linear"]) == base.layout.token_layers


def test_the_full_size_is_arithmetic():
    """Counts of ARCHITECTURES: 12.820 billion weights, LoRAs of rank 16 by target."""
    config = {
        "num_text_layers": 12,
        "text_hidden_dim": 2560,
        "num_key_value_heads": 12,
        "intermediate_size": 16384,
    }
    layout = KREA2.layout(config)
    weights = sum(row.inputs * row.outputs for row in layout.layers)
    assert weights == pytest.approx(12.820e9, rel=1e-3)
    sizes = layout.sizes
    for targets, modules, millions in (("attention", 140, 23.4), ("all-linear", 224, 53.7)):
        chosen = target_layers(layout.names, targets, KREA2)
        count = sum(16 * sum(sizes[name]) for name in chosen)
        assert len(chosen) == modules and count / 1e6 == pytest.approx(millions, abs=0.05)
    with pytest.raises(KindredError, match="has no num_text_layers"):
        KREA2.layout({"num_layers": 1})


def test_norms_stay_in_float32(folder):
    network = loading.load_transformer(Base(model=str(folder), dtype="bfloat16"), "cpu")
    kinds = {name: one.dtype for name, one in network.named_parameters()}
    norms = {name for name in kinds if ".norm" in name}
    assert len(norms) == 2 * 4 + 2 * 4 + 2
    assert all((kinds[name] == torch.float32) == (name in norms) for name in kinds)
    assert network.dtype == torch.bfloat16
    parameters = injection.add_lora(network, Recipe(rank=2, targets="all-linear"), 0)
    noise = initial_noise([1], 4, 4, 4)
    text = {"qwen3vl": torch.randn(1, 6, 12, 32)}
    loss = flow_loss(KREA2.denoiser(network), noise, noise, torch.tensor([0.5]), text, 1.0)
    loss.backward()
    assert all(one.grad is not None for one in parameters) and network.dtype == torch.bfloat16


def test_from_photos_to_pictures_by_the_programs(folder, tmp_path):
    data = training_set.build(tmp_path / "set", folder, {"J": 2})
    train.main(data.train_arguments(tmp_path / "lora", steps=2, timesteps="shifted"))
    file = tmp_path / "lora/lora.safetensors"
    state = safetensors_files.load(file)
    assert any(value.abs().max() > 0 for name, value in state.items() if "lora_B" in name)
    base = {"model": str(folder), "dtype": "float32", "text_tokens": training_set.TOKENS}
    encoder = {"model": str(folder), "dtype": "float32", "tokens": training_set.TOKENS}
    prompts = {"p": "JRussell at the beach", "q": "J"}
    where = ["--device", "cpu", "--threads", "1"]
    asked = ["--spec", json.dumps({"encoder": encoder, "prompts": prompts})]
    store = ["--store", str(data.root / "encoded")]
    encode_prompts.main([*asked, "--out", str(tmp_path / "p.safetensors"), *store, *where])
    sizes = {"seeds": [1], "width": 64, "height": 48, "steps": 2}
    drawn = {}
    for adapters in ([], ["--adapter", str(file)]):
        for names in ("pq", "q"):
            asked = {name: prompts[name] for name in names}
            spec = {"base": base, "prompt_set": {"prompts": asked, **sizes}, "name": "n"}
            out = tmp_path / f"results/{len(adapters)}{names}/n.json"
            arguments = ["--spec", json.dumps(spec), "--prompts", str(tmp_path / "p.safetensors")]
            arguments += [*adapters, "--store", str(out.parent / "pictures"), "--out", str(out)]
            render.main([*arguments, *where])
            for row in read_manifest(out).rows:
                with Image.open(row.path) as image:
                    drawn[len(adapters), names, row.prompt] = image.convert("RGB").tobytes()
    pairs = {(worn, prompt) for worn, _, prompt in drawn}
    assert len(set(drawn.values())) == len(pairs) == 4
    # All of them by one process, the base loaded once.
    specs = {
        name: {"base": base, "prompt_set": {"prompts": {name: text}, **sizes}, "name": name}
        for name, text in prompts.items()
    }
    told = {"prompts": str(tmp_path / "p.safetensors")}
    jobs = [
        {"spec": name, **told, "out": f"{name}{len(worn)}.json", "adapters": worn}
        for name in prompts
        for worn in ([], [str(file)])
    ]
    together = ["--jobs", json.dumps({"specs": specs, "jobs": jobs})]
    together += ["--store", str(tmp_path / "both"), "--out", str(tmp_path / "all.json")]
    render_batched.main([*together, *where])
    assert pixels(tmp_path / "both") == pixels(tmp_path / "results")


def pixels(folder):
    """Name -> pixels of the stored pictures below a folder."""
    found = {}
    for path in folder.rglob("*.png"):
        with Image.open(path) as image:
            found[path.name] = image.convert("RGB").tobytes()
    return found
