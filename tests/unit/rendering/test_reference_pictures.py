"""Reference pictures against diffusers' own pipeline of FLUX.2 klein, and what keys follow from."""

import json

import numpy as np
import pytest
import tiny_klein
import torch
import training_set
from diffusers import Flux2KleinPipeline

from kindred.common.errors import KindredError, ProblemsError
from kindred.common.hashing import caption_hash, pixel_hash
from kindred.data.shown_photos import ShownPhoto, choose, read_shown, without_shown
from kindred.models.architectures.flux1.denoiser import Flux1Denoiser
from kindred.models.architectures.klein.facts import KLEIN
from kindred.models.architectures.noise_levels import schedule
from kindred.rendering import precision
from kindred.rendering.image_plan import batches, plan
from kindred.rendering.pipeline import RenderPipeline
from kindred.rendering.sampling import denoise, initial_noise
from kindred.specs.base_model import Base
from kindred.specs.character import Character
from kindred.specs.reference_pictures import ReferencePictures, ShownPhotos
from kindred.specs.rendering import PromptSet, RenderSpec

torch.set_num_threads(1)
WIDTH, HEIGHT, STEPS = 96, 64, 2
SIZES = [(64, 96), (80, 80), (160, 64)]
WHO = {"J": Character(name="JRussell", noun="man"), "A": Character(name="ARussell", noun="woman")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_klein.build(tmp_path_factory.mktemp("base") / "klein")


@pytest.fixture(scope="module")
def theirs(folder):
    pipeline = Flux2KleinPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def base(folder):
    return Base(model=str(folder), dtype="float32", text_tokens=48)


class Texts(dict):
    """Embeddings that follow from the hash alone, as the real ones follow from the prompt."""

    def __missing__(self, key):
        random = torch.Generator().manual_seed(int(key[:8], 16))
        return {"qwen3": torch.randn(48, 96, generator=random)}


def photo(folder, name, size=(64, 64)):
    """A prepared photo in a folder, as drawing is told of it."""
    image = training_set.picture(name, size)
    image.save(folder / f"{name}.png")
    return ShownPhoto(folder / f"{name}.png", pixel_hash(image), *size, source=name)


def spec_of(base, prompts, photos=None, **more):
    asked = {"seeds": [7, 8], "width": WIDTH, "height": HEIGHT, "steps": STEPS, **more}
    about = {"dataset": "ours", "area": 1024**2, "characters": WHO}
    given = {"references": ReferencePictures(photos=photos, **about)} if photos else {}
    return RenderSpec(base=base, prompt_set=PromptSet(prompts=prompts, **asked), name="n", **given)


@pytest.mark.parametrize("sizes", [SIZES[:1], SIZES])
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_a_picture_beside_references_is_the_pipelines(theirs, base, tmp_path, sizes, scale):
    photos = [photo(tmp_path, f"p{number}", size) for number, size in enumerate(sizes)]
    spec = spec_of(base, {"a": "headshot of JRussell"}, {"J": len(sizes)}, guidance_scale=scale)
    pictures = plan(spec, [], "base@1", {"J": photos})
    ours = RenderPipeline.load(spec, [], "cpu")
    texts = Texts()
    drawn = ours.draw(pictures, texts, fill_to=2)
    read, empty = (texts[caption_hash(text)]["qwen3"][None] for text in (pictures[0].prompt, ""))
    own = {
        "image": [training_set.picture(one.path.stem, (one.width, one.height)) for one in photos],
        "prompt_embeds": read,
        "negative_prompt_embeds": empty,
        "width": WIDTH,
        "height": HEIGHT,
        "num_inference_steps": STEPS,
        "guidance_scale": scale,
    }
    for picture, found in zip(pictures, drawn, strict=True):
        noise = initial_noise([picture.seed], 16, HEIGHT // 16, WIDTH // 16)
        with torch.inference_mode():
            wanted = theirs(**own, latents=noise, output_type="np").images[0]
        assert np.abs(np.asarray(found) / 255 - wanted).max() <= 1.01 / 255
        assert wanted.std() > 0.01
    # To more digits than a picture has; and they are seen at all.
    noise = initial_noise([7], 16, HEIGHT // 16, WIDTH // 16)
    given = {"qwen3": read}, schedule(ours.base.shift(24, STEPS), STEPS), scale
    other = {"qwen3": empty} if scale > 1 else None
    with torch.inference_mode():
        wanted = theirs(**own, latents=noise, output_type="latent").images
        found, plain = (
            ours.coding.denormalise(
                denoise(ours._denoiser(), noise, *given, negative=other, references=references)
            )
            for references in (ours._references(pictures[:1]), None)
        )
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=0)
    assert (plain - wanted).abs().max() > 1e-3


def test_ids_of_references_are_the_pipelines(theirs):
    from kindred.models.architectures.klein.denoiser import ids_beside, image_ids

    latents = [torch.zeros(1, 16, height // 16, width // 16) for width, height in SIZES]
    wanted = theirs._prepare_image_ids(latents)[0]
    sizes = [edge for latent in latents for edge in latent.shape[-2:]]
    found = ids_beside(4, 6, *sizes)
    assert torch.equal(found[24:], wanted)
    assert torch.equal(found[:24], image_ids(4, 6))


def test_both_passes_at_once_are_those_one_after_the_other(theirs, base, tmp_path):
    spec = spec_of(base, {"a": "JRussell"}, {"J": 1}, guidance_scale=4.0)
    pictures = plan(spec, [], "base@1", {"J": [photo(tmp_path, "one")]})
    pipeline = RenderPipeline.load(spec, [], "cpu")
    together = pipeline.draw(pictures, Texts(), fill_to=2)
    pipeline.passes_together = False
    apart = pipeline.draw(pictures, Texts(), fill_to=2)
    for one, other in zip(together, apart, strict=True):
        assert np.abs(np.asarray(one).astype(int) - np.asarray(other)).max() <= 1


def test_too_little_memory_for_a_batch_is_half_of_it(base, tmp_path, monkeypatch, capsys):
    """Each half keeps the references of its own pictures."""
    shown = {"J": [photo(tmp_path, "j")], "A": [photo(tmp_path, "a")]}
    spec = spec_of(base, {"j": "JRussell", "a": "ARussell"}, {"J": 1, "A": 1}, seeds=[3])
    pictures = plan(spec, [], "base@1", shown)
    whole = RenderPipeline.load(spec, [], "cpu")
    wanted = [np.asarray(one).astype(int) for one in whole.draw(pictures, Texts(), 2)]
    small, calls = RenderPipeline.load(spec, [], "cpu"), []
    small.passes_together = False
    real = small._denoise

    def denoise_one(noise, *rest, **more):
        calls.append(len(noise))
        if len(noise) > 1:
            raise torch.OutOfMemoryError("too small")
        return real(noise, *rest, **more)

    monkeypatch.setattr(small, "_denoise", denoise_one)
    found = small.draw(pictures, Texts(), 2)
    assert calls == [2, 1, 1] and "1 at a time from now on" in capsys.readouterr().err
    for one, other in zip(found, wanted, strict=True):
        assert np.abs(np.asarray(one).astype(int) - other).max() <= 1


def test_other_architectures_say_that_they_read_none():
    with pytest.raises(TypeError, match="Flux1Denoiser reads no reference pictures"):
        Flux1Denoiser(None).velocity_beside(None, None, (1, 1), None, {}, 1.0)
    assert KLEIN.reference_area == 1024 * 1024


def test_keys_name_photos_by_content_and_only_of_those_asked_for(base, tmp_path):
    prompts = {"j": "JRussell", "both": "ARussell and JRussell", "none": "a dog"}
    shown = {"J": [photo(tmp_path, "j")], "A": [photo(tmp_path, "a", (64, 48))]}
    plain = {p.name: p for p in plan(spec_of(base, prompts, seeds=[1]), [], "base@1")}
    spec = spec_of(base, prompts, {"J": 1, "A": 1}, seeds=[1])
    found = {p.name: p for p in plan(spec, [], "base@1", shown)}
    assert found["none"].key == plain["none"].key and found["none"].shown == ()
    assert found["j"].settings == plain["j"].settings | {"references": [shown["J"][0].content]}
    assert [p.path.stem for p in found["both"].shown] == ["a", "j"]
    assert found["j"].key != plain["j"].key
    # Of another name the same picture, of another photo another one.
    (tmp_path / "more").mkdir()
    again = {"J": [photo(tmp_path / "more", "j")], "A": shown["A"]}
    assert [p.key for p in plan(spec, [], "base@1", again)] == [p.key for p in found.values()]
    other = {"J": [photo(tmp_path, "x")], "A": shown["A"]}
    assert next(iter(plan(spec, [], "base@1", other))).key != found["j"].key
    assert str(tmp_path) not in json.dumps(found["both"].settings)


def test_batches_hold_references_of_equal_sizes_and_count_their_tokens(base, tmp_path):
    prompts = {"j": "JRussell", "a": "ARussell", "none": "a dog"}
    shown = {"J": [photo(tmp_path, "j")], "A": [photo(tmp_path, "a", (64, 48))]}
    spec = spec_of(base, prompts, {"J": 1, "A": 1}, seeds=[1, 2, 3])
    groups = batches(plan(spec, [], "base@1", shown), spec, lambda picture: (48,))
    assert [[p.name for p in group] for group in groups] == [["j"] * 3, ["a"] * 3, ["none"] * 3]
    assert spec.batch_of(WIDTH, HEIGHT) == 4
    assert spec.batch_of(WIDTH, HEIGHT, [(256, 256)]) == 512 // (24 + 256)
    assert spec.batch_of(WIDTH, HEIGHT, [(512, 512)] * 2) == 1


def row(name, sharpness, size=(64, 64), **more):
    about = {"photo": name, "width": size[0], "height": size[1], "sharpness": sharpness}
    return {"image_id": name, "source_sha256": name, "pixel_hash": f"px-{name}", **about, **more}


ROWS = [
    row("a", 10),
    row("b", 30),
    row("c", 30),
    row("c-large", 90, (2048, 2048), source_sha256="c", photo="c"),
    row("c-copy", 30, source_sha256="c"),
    row("d", 99),
    row("e", 99, made="cropped"),
]
CAPTIONS = [{"id": one["image_id"], "characters": ["J"]} for one in ROWS]
CAPTIONS[5]["characters"] = ["J", "A"]


def test_the_sharpest_photos_of_a_person_alone_are_taken(tmp_path):
    spec = ShownPhotos(dataset="ours", photos={"J": 2}, area=1024**2)
    found = choose(spec, ROWS, CAPTIONS, tmp_path / "ours")
    assert [one.path.name for one in found["J"]] == ["b.png", "c-copy.png"]
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "images.json").write_text(json.dumps(ROWS))
    lines = "".join(json.dumps(one) + "\n" for one in CAPTIONS)
    (folder / "captions.jsonl").write_text(lines)
    assert read_shown(spec, tmp_path) == found
    with pytest.raises(ProblemsError, match=r"asks for 4 .* has 3"):
        choose(spec.model_copy(update={"photos": {"J": 4}}), ROWS, CAPTIONS, folder)


def test_the_judge_s_references_are_without_them_in_every_size():
    left, _ = without_shown({"ours": (ROWS, CAPTIONS)}, {"J": {"c"}})["ours"]
    assert [one["image_id"] for one in left] == ["a", "b", "d", "e"]
    rows = [one for one in ROWS if one["source_sha256"] == "c"]
    with pytest.raises(KindredError, match="every photo that shows J alone"):
        without_shown({"ours": (rows, CAPTIONS)}, {"J": {"c"}})
    # Another dataset may have some left, and a person without photos is another step's to tell.
    both = without_shown({"best": (rows, CAPTIONS), "ours": (ROWS, CAPTIONS)}, {"J": {"c"}})
    assert both["best"][0] == [] and len(both["ours"][0]) == 4
    assert without_shown({"ours": ([], [])}, {"J": {"c"}}) == {"ours": ([], [])}
    assert without_shown({"ours": (rows, [])}, {}) == {"ours": (rows, [])}


def test_a_photo_that_was_edited_is_not_drawn_with(base, tmp_path):
    shown = photo(tmp_path, "j")
    training_set.picture("another", (64, 64)).save(shown.path)
    spec = spec_of(base, {"j": "JRussell"}, {"J": 1})
    pipeline = RenderPipeline.load(spec, [], "cpu")
    with pytest.raises(KindredError, match=r"its pixels differ from those in images.json"):
        pipeline.draw(plan(spec, [], "base@1", {"J": [shown]}), Texts(), 2)


def test_no_references_are_what_was_drawn_before(base):
    denoiser = KLEIN.denoiser(RenderPipeline.load(spec_of(base, {"a": "x"}), [], "cpu").transformer)
    noise = initial_noise([1], 16, 4, 6)
    text = {"qwen3": torch.randn(1, 48, 96)}
    with torch.inference_mode():
        one, other = (
            denoise(denoiser, noise, text, schedule(1.0, 2), 1.0, **more)
            for more in ({}, {"references": None})
        )
    assert torch.equal(one, other)


def test_reference_tokens_count_in_what_fits_a_card(base, monkeypatch):
    monkeypatch.setattr(precision, "available", lambda _: 10 * 2**30)
    card, spec = torch.device("cuda"), spec_of(base, {"j": "JRussell"}, {"J": 2, "A": 1})
    assert precision.working_beside(spec_of(base, {"j": "JRussell"})) == 0
    beside = precision.working_beside(spec)
    assert beside == 3 * 4096 * precision.TOKEN_BYTES
    assert precision.room(card) - precision.room(card, beside) == beside
    size = precision.room(card)
    assert precision.fits(base, card) and size > 0
    assert not precision.fits(base, card, size)


def test_blocks_visit_the_card_where_references_need_the_room(theirs, base, monkeypatch):
    spec = spec_of(base, {"j": "JRussell"}, {"J": 1})
    network, card = theirs.transformer, torch.device("cpu")
    monkeypatch.setattr(precision, "available", lambda _: precision.LEAST_WORKING + 10**6)
    monkeypatch.setattr(precision, "place", lambda *_: None)
    seen = []
    monkeypatch.setattr(precision, "to_offload", lambda sizes, excess: seen.append(excess) or [])
    for beside in (0, precision.working_beside(spec)):
        assert not precision.offload_excess(network, card, beside)
    assert seen[1] - seen[0] == 4096 * precision.TOKEN_BYTES
