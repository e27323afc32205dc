"""Z-Image behind the seam against diffusers' own pipeline, on a tiny random base."""

import copy

import numpy as np
import pytest
import tiny_z_image
import torch
import training_set
from diffusers import ZImagePipeline

from kindred.common.errors import KindredError
from kindred.models import loading
from kindred.models.architectures.noise_levels import schedule
from kindred.models.architectures.z_image.denoiser import image_ids
from kindred.models.architectures.z_image.facts import Z_IMAGE
from kindred.models.lora import injection
from kindred.models.lora.target_layers import target_layers
from kindred.models.opened_base import open_base
from kindred.rendering.sampling import denoise, initial_noise
from kindred.specs.base_model import Base

torch.set_num_threads(1)
WIDTH, HEIGHT, STEPS, TOKENS = 96, 64, 3, 128
# In bytes, each with 33 of the template's: within 64, 96 and 128 tokens, and cut off behind those.
PROMPTS = [
    "",
    "a photo of JRussell",
    "JRussell at the beach, smiling, looking to the left",
    "x" * 300,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_z_image.build(tmp_path_factory.mktemp("base") / "z-image")


@pytest.fixture(scope="module")
def pipeline(folder):
    pipeline = ZImagePipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def base(folder):
    return open_base(Base(model=str(folder), dtype="float32", text_tokens=TOKENS))


@pytest.fixture(scope="module")
def denoiser(base):
    return Z_IMAGE.denoiser(loading.load_transformer(base.spec, "cpu"))


@pytest.fixture(scope="module")
def texts(base):
    encode = loading.load_text_encoder(base.spec.text_encoder(), "qwen3", "cpu")
    return [{"qwen3": encode(prompt)} for prompt in PROMPTS]


def made_up(*rows):
    """Texts of so many rows."""
    source = torch.Generator().manual_seed(5)
    return [{"qwen3": torch.randn(count, 32, generator=source)} for count in rows]


def theirs(pipeline, noise, sigmas, texts):
    """noise - latent by the class's own forward pass, each picture alone."""
    found = []
    with torch.no_grad():
        for one, sigma, text in zip(noise, sigmas, texts, strict=True):
            ((answer,),) = pipeline.transformer(
                [one[:, None]], 1 - sigma[None], [text["qwen3"]], return_dict=False
            )
            found.append(-answer[:, 0])
    return torch.stack(found)


def test_embeddings_are_the_pipelines_row_by_row(pipeline, texts):
    with torch.no_grad():
        # It writes its template into the list that it is given.
        wanted, _ = pipeline.encode_prompt(list(PROMPTS), "cpu", False, max_sequence_length=TOKENS)
    assert [len(one) for one in wanted] == [len(text["qwen3"]) for text in texts]
    assert len({len(one) for one in wanted}) == 4 and len(wanted[-1]) == TOKENS
    for text, one in zip(texts, wanted, strict=True):
        torch.testing.assert_close(text["qwen3"], one, atol=1e-5, rtol=0)


def test_a_list_of_prompts_is_read_twice_alike(base):
    encode = loading.load_text_encoder(base.spec.text_encoder(), "qwen3", "cpu")
    first, again = ([encode(prompt) for prompt in PROMPTS] for _ in range(2))
    assert all(map(torch.equal, first, again))


def test_latents_are_the_pipelines_and_come_back(pipeline, base):
    coding = Z_IMAGE.latent_coding(loading.load_vae(base.spec, "cpu"))
    picture = training_set.picture("any", (WIDTH, HEIGHT))
    latent = coding.encode(picture)
    assert latent.shape == coding.shape(WIDTH, HEIGHT) == (4, HEIGHT // 8, WIDTH // 8)
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        wanted = (pipeline.vae.encode(pixels).latent_dist.mode()[0] - 0.1159) * 0.3611
        (drawn,) = pipeline.vae.decode(latent[None] / 0.3611 + 0.1159, return_dict=False)
    torch.testing.assert_close(latent, wanted, atol=1e-5, rtol=0)
    shown = pipeline.image_processor.postprocess(drawn, output_type="np")[0]
    ours = coding.decode(latent[None])[0].numpy()
    assert np.abs(ours / 255 - shown).max() <= 1.01 / 510


def test_tokens_are_the_networks_patches(pipeline, denoiser):
    latents = initial_noise([1, 2], 4, 6, 10)
    wanted, *_ = pipeline.transformer._patchify_image(latents[1][:, None], 2, 1)
    tokens = denoiser.pack(latents)
    assert torch.equal(tokens[1], wanted)
    assert torch.equal(denoiser.unpack(tokens, 6, 10), latents)


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 65])
def test_positions_are_the_networks(pipeline, denoiser, rows):
    latent, (text,) = torch.zeros(4, 6, 10), made_up(rows)
    network = pipeline.transformer
    *_, image, words, _, _ = network.patchify_and_embed([latent[:, None]], [text["qwen3"]], 2, 1)
    ids = image_ids(6, 10)
    begins = 1 + -(-rows // 32) * 32
    moved = ids * torch.tensor([begins, 1, 1])
    assert torch.equal(moved, image[0]) and len(ids) == 32 and ids[15:].abs().sum() == 0
    read = Z_IMAGE.text.collate([text])
    assert read["qwen3"].shape[1] == begins - 1 and "attended" not in read
    assert words[0][: begins - 1, 0].tolist() == list(range(1, begins))


@pytest.mark.parametrize("rows", [(1, 1), (20, 31), (5, 64), (33, 1), (64, 96)])
def test_one_pass_is_the_networks_own_answer_whatever_is_beside_it(pipeline, denoiser, rows):
    noise, sigmas, read = initial_noise([1, 2], 4, 6, 10), torch.tensor([0.9, 0.1]), made_up(*rows)
    wanted = theirs(pipeline, noise, sigmas, read)
    collated = [Z_IMAGE.text.collate(read, longest) for longest in (None, 128)]
    for text in collated:
        with torch.no_grad():
            found = denoiser.velocity(noise, sigmas, text, 1.0)
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    masked = -(-rows[0] // 32) != -(-rows[1] // 32)
    assert ("attended" in collated[0]) == masked and "attended" in collated[1]
    assert wanted.std() > 0.01


def test_learned_tokens_and_the_length_of_a_text_matter(pipeline, denoiser):
    noise, sigmas = initial_noise([1], 4, 6, 10), torch.tensor([0.5])
    (text,) = made_up(32)
    plain = theirs(pipeline, noise, sigmas, [text])
    for name in ("x_pad_token", "cap_pad_token"):
        network = copy.deepcopy(denoiser.network)
        getattr(network, name).data.zero_()
        cut = {"qwen3": text["qwen3"][:30]} if name == "cap_pad_token" else text
        with torch.no_grad():
            one, other = (
                Z_IMAGE.denoiser(net).velocity(noise, sigmas, Z_IMAGE.text.collate([cut]), 1.0)
                for net in (network, denoiser.network)
            )
        assert (one - other).abs().max() > 1e-3
    longer = {"qwen3": torch.cat([text["qwen3"], text["qwen3"][-1:]])}
    assert (theirs(pipeline, noise, sigmas, [longer]) - plain).abs().max() > 1e-3


@pytest.mark.parametrize("steps", [3, 8, 50])
@pytest.mark.parametrize("shift", [tiny_z_image.SHIFT, tiny_z_image.TURBO_SHIFT])
def test_noise_levels_are_the_pipelines(pipeline, steps, shift):
    scheduler = pipeline.scheduler.from_config({**pipeline.scheduler.config, "shift": shift})
    # As the pipeline asks it: mu is worked out, and has no effect.
    scheduler.set_timesteps(sigmas=torch.linspace(1, 1 / steps, steps).tolist(), mu=0.7)
    found = schedule(Z_IMAGE.shift(scheduler.config, 24, steps), steps)
    assert found == pytest.approx(scheduler.sigmas.tolist(), abs=1e-6)
    if (steps, shift) == (8, 3.0):
        assert found[:4] == pytest.approx([1, 0.9545, 0.9, 0.8333], abs=1e-4)


@pytest.mark.parametrize(("width", "height"), [(WIDTH, HEIGHT), (HEIGHT, 80)])
def test_a_picture_at_scale_0_is_the_pipelines(pipeline, base, denoiser, texts, width, height):
    noise = initial_noise([7, 8], 4, height // 8, width // 8)
    chosen = [texts[1], texts[2]]
    with torch.inference_mode():
        wanted = pipeline(
            prompt_embeds=[text["qwen3"] for text in chosen],
            latents=noise.clone(),
            width=width,
            height=height,
            num_inference_steps=STEPS,
            guidance_scale=0.0,
            output_type="np",
        ).images
        levels = schedule(base.shift(24, STEPS), STEPS)
        latents = denoise(denoiser, noise, Z_IMAGE.text.collate(chosen), levels, 0.0)
        ours = Z_IMAGE.latent_coding(pipeline.vae).decode(latents)
    assert np.abs(ours.numpy() / 255 - wanted).max() <= 1.01 / 510 + 1e-4
    assert wanted.std() > 0.01


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("chosen", [(1, 2), (0, 0)])
def test_a_picture_with_guidance_is_the_pipelines(
    pipeline, base, denoiser, texts, chosen, together
):
    """g of the model's card is added to the prompt's velocity: s = 1 + g. The empty text is shorter
    than the prompts, or as long."""
    scale = base.cfg_scale(3.0)
    assert (base.guidance, scale) == ("cfg", 4.0) and base.cfg_scale(0.0) is None
    noise, empty = initial_noise([7, 8], 4, HEIGHT // 8, WIDTH // 8), texts[0]
    read = [texts[number] for number in chosen]
    with torch.inference_mode():
        wanted = pipeline(
            prompt_embeds=[text["qwen3"] for text in read],
            negative_prompt_embeds=[empty["qwen3"], texts[1]["qwen3"]],
            latents=noise.clone(),
            width=WIDTH,
            height=HEIGHT,
            num_inference_steps=STEPS,
            guidance_scale=3.0,
            output_type="np",
        ).images
        levels = schedule(base.shift(24, STEPS), STEPS)
        text = Z_IMAGE.text.collate(read)
        negative = Z_IMAGE.text.collate([empty, texts[1]])
        latents = denoise(
            denoiser, noise, text, levels, scale, negative=negative, together=together
        )
        ours = Z_IMAGE.latent_coding(pipeline.vae).decode(latents)
    assert np.abs(ours.numpy() / 255 - wanted).max() <= 1.01 / 510 + 1e-4


def test_attention_by_cudnn_stands_where_it_is_faster(monkeypatch):
    from kindred.models.architectures.z_image import attention

    network = tiny_z_image.transformer()
    plain, asked = copy.deepcopy(network), []
    monkeypatch.setattr(attention, "cudnn_is_faster", lambda *given: asked.append(given) or True)
    Z_IMAGE.fast_attention(network, torch.device("cuda"))
    Z_IMAGE.denoiser(network)  # and stays there
    kinds = {type(block.attention.processor) for block in network.layers}
    assert kinds == {attention.CudnnTurnedAttention} and asked[0][2] == 24
    # In float32, and where something is masked, torch's is taken.
    noise, texts = initial_noise([1, 2], 4, 6, 10), made_up(20, 40)
    with torch.no_grad():
        found, wanted = (
            Z_IMAGE.denoiser(one).velocity(
                noise, torch.tensor([0.9, 0.1]), Z_IMAGE.text.collate(texts), 1.0
            )
            for one in (network, plain)
        )
    assert torch.equal(found, wanted)


def test_layout_and_targets_are_the_real_networks(base):
    network = loading.load_transformer(base.spec, "cpu")
    real = {
        name: (part.in_features, part.out_features)
        for name, part in network.named_modules()
        if isinstance(part, torch.nn.Linear)
    }
    rows = base.layout.layers
    assert {row.name: (row.inputs, row.outputs) for row in rows} == real and len(rows) == len(real)
    kept = {row.name for row in rows if row.kept}
    assert kept == {n for n in real if any(one in n for one in Z_IMAGE.never_quantized)}
    placed = {name.partition(".")[0] for name, _ in network.named_parameters()}
    blocks = {block.name.partition(".")[0] for block in base.layout.blocks}
    assert {*base.layout.before, *base.layout.after} == placed - blocks
    layers = injection.linear_layers(network)
    found = {name: target_layers(layers, name, Z_IMAGE) for name in Z_IMAGE.lora_targets}
    assert len(found["attention"]) == 2 * 4 and len(found["all-linear"]) == 2 * 7
    assert set(found["all-linear"]) < base.layout.token_layers
    assert len(target_layers(layers, ".+", Z_IMAGE)) == len(real)
    with pytest.raises(KindredError, match="not a Z-Image transformer"):
        Z_IMAGE.layout({"dim": 48})
