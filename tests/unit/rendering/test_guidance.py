"""True guidance: one pass or two, negative prompts, and what they change in keys."""

import json
from itertools import pairwise

import pytest
import tiny_klein
import torch

import encode_prompts
from kindred.common.errors import KindredError
from kindred.common.hashing import caption_hash
from kindred.common.job_summary import JobSummary
from kindred.data.encoding_cache import NO_CAPTION
from kindred.models import architectures
from kindred.models.architectures.klein.facts import KLEIN
from kindred.models.opened_base import open_base
from kindred.rendering import pipeline as pipeline_module
from kindred.rendering.batched import AdapterSwitcher, draw, jobs_of
from kindred.rendering.image_plan import plan
from kindred.rendering.image_store import ImageStore
from kindred.rendering.pipeline import RenderPipeline
from kindred.rendering.prompt_embeddings import texts_of
from kindred.rendering.sampling import denoise, initial_noise
from kindred.specs.base_model import Base
from kindred.specs.batched_jobs import RenderJobs
from kindred.specs.rendering import PromptSet, RenderSpec

SIGMAS = [1.0, 0.7, 0.3, 0.0]
HERE = ["--device", "cpu", "--threads", "1"]


@pytest.fixture(scope="module")
def klein(tmp_path_factory):
    folder = tiny_klein.build(tmp_path_factory.mktemp("base") / "klein")
    return Base(model=str(folder), dtype="float32", text_tokens=48)


@pytest.fixture(scope="module")
def drawer(klein):
    return RenderPipeline.load(spec_of(klein), [], "cpu")


def spec_of(base, prompts=None, **more):
    sizes = {"seeds": [1, 2], "width": 64, "height": 48, "steps": 2}
    asked = {"prompts": prompts or {"J": "headshot of JRussell"}, **sizes, **more}
    return RenderSpec(base=base, prompt_set=PromptSet(**asked), name="n", batch=2)


class Texts(dict):
    """Embeddings that follow from the hash alone, as the real ones follow from the prompt."""

    def __missing__(self, key):
        random = torch.Generator().manual_seed(int(key[:8], 16))
        return {"qwen3": torch.randn(48, 96, generator=random)}


def drawn(drawer, base, **more):
    pictures = plan(spec_of(base, **more), [], "base@1")
    return [one.tobytes() for one in drawer.draw(pictures, Texts(), fill_to=2)]


def test_passes_together_are_those_one_after_the_other_and_the_formula(drawer):
    noise = initial_noise([1, 2], 16, 3, 4)
    text, negative = (KLEIN.text.collate([Texts()[letter * 8]] * 2) for letter in "ab")
    denoiser = KLEIN.denoiser(drawer.transformer)
    with torch.inference_mode():
        apart = denoise(denoiser, noise, text, SIGMAS, 3.0, negative=negative)
        together = denoise(denoiser, noise, text, SIGMAS, 3.0, negative=negative, together=True)
        wanted = denoiser.pack(noise)
        for now, following in pairwise(SIGMAS):
            level = torch.full((2,), now)
            yes, no = (
                denoiser.packed_velocity(wanted, (3, 4), level, one, 1.0)
                for one in (text, negative)
            )
            wanted = wanted + (following - now) * (no + 3.0 * (yes - no))
        alone = denoise(denoiser, noise, text, SIGMAS, 3.0)
    wanted = denoiser.unpack(wanted, 3, 4)
    torch.testing.assert_close(apart, wanted, atol=1e-5, rtol=0)
    torch.testing.assert_close(together, wanted, atol=1e-5, rtol=0)
    assert (alone - wanted).abs().max() > 0.01


def test_texts_of_two_shapes_are_read_one_after_the_other(drawer):
    noise, text = initial_noise([1], 16, 3, 4), KLEIN.text.collate([Texts()["a" * 8]])
    short = {"qwen3": text["qwen3"][:, :7]}
    denoiser, seen = KLEIN.denoiser(drawer.transformer), []
    real = denoiser.packed_velocity

    def passed(tokens, *rest):
        seen.append(len(tokens))
        return real(tokens, *rest)

    denoiser.packed_velocity = passed
    with torch.inference_mode():
        denoise(denoiser, noise, text, [1.0, 0.0], 3.0, negative=short, together=True)
        denoise(denoiser, noise, text, [1.0, 0.0], 3.0, negative=text, together=True)
    assert seen == [1, 1, 2]


def test_a_scale_of_one_is_one_pass(drawer, klein):
    base = open_base(klein)
    assert base.cfg_scale(1.0) is None and base.cfg_scale(1.5) == 1.5
    asked = []
    real = drawer.transformer.forward
    drawer.transformer.forward = lambda **given: (
        asked.append(len(given["hidden_states"])) or real(**given)
    )
    try:
        one, four = drawn(drawer, klein, guidance_scale=1), drawn(drawer, klein)
    finally:
        del drawer.transformer.forward
    assert one != four and asked == [2, 2, 4, 4]


@pytest.mark.parametrize(
    ("name", "scale", "wanted"),
    [("klein", 4.0, 4.0), ("klein", 1.0, 1.0), ("z-image", 0.0, 1.0), ("z-image", 3.0, 4.0),
     ("krea2", 3.5, 4.5), ("krea2", 0.0, 1.0)],
)  # fmt: skip
def test_a_scale_is_what_the_model_s_own_page_calls_so(name, scale, wanted):
    assert architectures.by_name(name, "").cfg_scale(scale) == wanted


def test_a_negative_prompt_changes_pictures_and_its_own_key_alone(drawer, klein):
    def keys(**more):
        return [one.key for one in plan(spec_of(klein, **more), [], "base@1")]

    assert keys() == keys(negative=None) == keys(negative=" "), "as before there were any"
    settings = plan(spec_of(klein), [], "base@1")[0].settings
    assert "negative" not in settings
    assert not {*keys()} & {*keys(negative="blurry")}
    own = {"J": {"text": "headshot of JRussell", "negative": "blurry"}}
    assert keys(prompts=own) == keys(negative="blurry")
    without = {"J": {"text": "headshot of JRussell", "negative": ""}}
    assert keys(prompts=without, negative="blurry") == keys()
    assert drawn(drawer, klein, negative="blurry") == drawn(drawer, klein, prompts=own)
    assert drawn(drawer, klein, negative="blurry") != drawn(drawer, klein)


def test_each_picture_has_the_negative_of_its_own_prompt(drawer, klein):
    prompts = {"a": {"text": "one", "negative": "blurry"}, "b": {"text": "one", "negative": "dark"}}
    both = plan(spec_of(klein, prompts=prompts, seeds=[3]), [], "base@1")
    together = [one.tobytes() for one in drawer.draw(both, Texts())]
    repeated = [drawer.draw([one, one], Texts())[0].tobytes() for one in both]
    assert together == repeated and together[0] != together[1]


def test_too_little_memory_for_both_passes_is_one_after_the_other(klein, monkeypatch, capsys):
    one = RenderPipeline.load(spec_of(klein), [], "cpu")
    expected, real = drawn(one, klein), pipeline_module.denoise
    assert one.notes() == {}

    def short(denoiser, noise, *rest):
        if len(noise) * (2 if rest[5] else 1) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(denoiser, noise, *rest)

    monkeypatch.setattr(pipeline_module, "denoise", short)
    found = drawn(one, klein)
    said = capsys.readouterr().err
    assert said.count("both guidance passes") == 1 and "pictures at once" not in said
    assert one.notes() == {"passes_apart": True}
    pairs = [zip(a, b, strict=True) for a, b in zip(found, expected, strict=True)]
    assert max(abs(a - b) for pair in pairs for a, b in pair) <= 1


def test_what_is_encoded_names_each_negative_once():
    asked = PromptSet(
        prompts={"a": "one", "b": {"text": "two", "negative": "dark"}, "c": "three"},
        seeds=[1], width=64, height=64, negative=" blurry ",
    )  # fmt: skip
    assert asked.texts() == {"a": "one", "b": "two", "c": "three"}
    assert asked.texts_to_encode() == {
        **asked.texts(),
        "negative of a": "blurry",
        "negative of b": "dark",
    }


def test_a_base_that_would_not_read_it_says_so(klein, tmp_path):
    pictures = plan(spec_of(klein, negative="blurry", guidance_scale=1), [], "base@1")
    with pytest.raises(KindredError, match=r"has a negative prompt, which .* at guidance 1"):
        texts_of(tmp_path / "none", pictures, open_base(klein))


def test_caption_dropout_reads_what_guidance_leads_away_from():
    for architecture in architectures.every():
        assert caption_hash(architecture.text.unconditional) == NO_CAPTION, architecture.name


def test_drawn_together_is_drawn_alone(klein, drawer, tmp_path):
    spec = spec_of(klein, negative="blurry")
    encoder = {"model": klein.model, "dtype": "float32", "tokens": 48}
    asked = {"encoder": encoder, "prompts": spec.prompt_set.texts_to_encode()}
    file = tmp_path / "p.safetensors"
    files = ["--out", str(file), "--store", str(tmp_path / "encoded")]
    encode_prompts.main(["--spec", json.dumps(asked), *files, *HERE])
    summary = JobSummary(1)
    job = {"spec": "n", "prompts": str(file), "adapters": [], "out": str(tmp_path / "n.json")}
    jobs = jobs_of(RenderJobs(specs={"n": spec}, jobs=[job]), summary)
    store = ImageStore(tmp_path / "pictures")
    draw(jobs, store, AdapterSwitcher(torch.device("cpu"), jobs), summary)
    pictures = jobs[0].pictures
    texts = texts_of(file, pictures, open_base(klein))
    alone = drawer.draw(pictures, texts, fill_to=2)
    for picture, image in zip(pictures, alone, strict=True):
        with pipeline_module.Image.open(store.path(picture.key)) as found:
            assert found.convert("RGB").tobytes() == image.tobytes()
