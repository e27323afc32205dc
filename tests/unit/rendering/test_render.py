"""Rendering: plan and keys, drawing only what is missing, adapters, equal bytes."""

import json

import pytest
import tiny_base
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image

from kindred.common.errors import KindredError, ProblemsError
from kindred.common.versions import VERSIONS
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.loading import load_transformer
from kindred.models.lora.adapters import apply_adapters, read_adapters
from kindred.rendering import image_store
from kindred.rendering.image_plan import batches, plan
from kindred.rendering.image_store import ImageStore, settings_of
from kindred.rendering.pipeline import RenderPipeline
from kindred.rendering.render import render
from kindred.specs.base_model import Base
from kindred.specs.rendering import Prompt, PromptSet, RenderSpec


@pytest.fixture(scope="module")
def loras(folder, tmp_path_factory):
    """Two adapters of different rank and alpha with some effect."""
    out = tmp_path_factory.mktemp("loras")
    for seed, (rank, alpha) in enumerate([(4, 8), (2, 2)]):
        torch.manual_seed(seed)
        model = FluxTransformer2DModel.from_pretrained(folder, subfolder="transformer")
        config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=["to_q", "to_v", "proj_mlp"])
        model.add_adapter(config)
        for name, parameter in model.named_parameters():
            if "lora" in name:
                torch.nn.init.normal_(parameter, std=0.2)
        FluxPipeline.save_lora_weights(
            out,
            get_peft_model_state_dict(model),
            weight_name=f"{seed}.safetensors",
            transformer_lora_adapter_metadata=model.peft_config["default"].to_dict(),
        )
    return [out / "0.safetensors", out / "1.safetensors"]


def spec_of(base, prompts=None, seeds=(1, 2), **more):
    prompt_set = {"seeds": list(seeds), "width": 32, "height": 48, "steps": 2}
    prompt_set["prompts"] = prompts or {"J": "headshot of JRussell"}
    return RenderSpec(base=base, prompt_set=PromptSet(**prompt_set), name="heads", **more)


def keys(spec, adapters=(), identity="base@1"):
    return [picture.key for picture in plan(spec, adapters, identity)]


class Texts(dict):
    """Embeddings that follow from the hash alone, as the real ones follow from the prompt."""

    def __missing__(self, key):
        random = torch.Generator().manual_seed(int(key[:8], 16))
        text = torch.randn(tiny_base.TEXT_TOKENS, 32, generator=random)
        return {"t5": text, "clip": torch.randn(24, generator=random)}


def render_to(store, spec, adapters=()):
    """Render with a real pipeline; returns (work, pictures)."""
    adapters = read_adapters(adapters, spec.weights)
    pictures = plan(spec, adapters, "base@1")

    def load(_missing):
        return RenderPipeline.load(spec, adapters, "cpu"), Texts(), {"device": "cpu"}

    return render(spec, pictures, adapters, store, load), pictures


def pixels(store, picture):
    with Image.open(store.path(picture.key)) as image:
        return image.convert("RGB").tobytes()


def test_plan_goes_prompt_by_prompt_and_lets_prompts_have_their_own(base):
    prompts = {"a": "one", "b": Prompt(text="two", seeds=[7], width=64)}
    pictures = plan(spec_of(base, prompts), [], "base@1")
    assert [(p.name, p.seed, p.size) for p in pictures] == [
        ("a", 1, (32, 48)),
        ("a", 2, (32, 48)),
        ("b", 7, (64, 48)),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"prompts": {"J": "headshot of ARussell"}},
        {"seeds": [3, 4]},
        {"width": 64},
        {"height": 64},
        {"steps": 3},
        {"guidance_scale": 1.0},
        {"dtype": "bfloat16"},
        {"text_tokens": 77},
        {"identity": "base@2"},
    ],
)
def test_whatever_changes_pixels_changes_the_key(base, change):
    known = set(keys(spec_of(base)))
    call = {name: change.pop(name) for name in ("identity",) if name in change}
    own = {name: change.pop(name) for name in ("dtype", "text_tokens") if name in change}
    changed = Base(**{**base.model_dump(), **own})
    spec = spec_of(changed)
    spec = spec.model_copy(update={"prompt_set": spec.prompt_set.model_copy(update=change)})
    assert known.isdisjoint(keys(spec, **call))


def test_names_batch_and_device_change_no_key(base):
    first = keys(spec_of(base))
    renamed = spec_of(base, {"other": "headshot of JRussell"}, batch=7)
    assert keys(renamed.model_copy(update={"name": "x"})) == first
    assert keys(spec_of(base, seeds=[2, 1])) == first[::-1]


def test_adapter_bytes_weight_order_and_merging_are_in_the_key(base, loras):
    spec = spec_of(base)
    several = [
        keys(spec),
        keys(spec, read_adapters(loras[:1])),
        keys(spec, read_adapters(loras[1:])),
        keys(spec, read_adapters(loras[:1], [0.5])),
        keys(spec, read_adapters(loras)),
        keys(spec, read_adapters(loras[::-1])),
        keys(spec_of(base, merge=False), read_adapters(loras)),
    ]
    assert len({key for own in several for key in own}) == 2 * len(several)
    assert keys(spec_of(base, merge=False)) == keys(spec)


def test_the_versions_of_step_and_architecture_are_in_the_key(base, monkeypatch):
    first = keys(spec_of(base))
    found = [first]
    monkeypatch.setitem(VERSIONS, "render", 2)
    found.append(keys(spec_of(base)))
    monkeypatch.undo()
    monkeypatch.setattr(type(FLUX1), "version", 2)
    found.append(keys(spec_of(base)))
    monkeypatch.undo()
    assert len({key for own in found for key in own}) == 3 * len(first)
    monkeypatch.setitem(VERSIONS, "train", 2)
    assert keys(spec_of(base)) == first


def test_batches_are_of_one_size_and_hold_each_picture_once(base):
    prompts = {"a": "x", "b": Prompt(text="y", width=64), "again": "x"}
    spec = spec_of(base, prompts, seeds=[1, 2, 3], batch=2)
    groups = batches(plan(spec, [], "i"), spec, lambda _: (5,))
    assert [[(p.prompt, p.seed) for p in group] for group in groups] == [
        [("x", 1), ("x", 2)],
        [("x", 3)],
        [("y", 1), ("y", 2)],
        [("y", 3)],
    ]


def test_batches_are_of_texts_of_one_length(base):
    spec = spec_of(base, {"a": "short", "b": "longer", "c": "brief"}, seeds=[1], batch=4)
    groups = batches(plan(spec, [], "i"), spec, lambda picture: (len(picture.prompt),))
    assert [[p.prompt for p in group] for group in groups] == [["short", "brief"], ["longer"]]


def test_small_pictures_are_batched_and_large_ones_are_not(base):
    spec = spec_of(base)
    assert spec.batch_of(128, 144) == 4 and spec.batch_of(192, 96) == 4
    assert spec.batch_of(512, 512) == spec.batch_of(1024, 1024) == 1
    assert spec_of(base, batch=3).batch_of(1024, 1024) == 3


def test_only_missing_pictures_are_drawn_with_one_load(base, tmp_path):
    store = ImageStore(tmp_path / "store")
    work, first = render_to(store, spec_of(base))
    assert (work.asked, work.drawn, work.loads) == (2, 2, 1)
    before = {key: store.path(key).stat().st_mtime_ns for key in store}
    work, _ = render_to(store, spec_of(base))
    assert (work.asked, work.drawn, work.loads) == (2, 0, 0)
    work, more = render_to(store, spec_of(base, seeds=[1, 2, 3]))
    assert (work.asked, work.drawn, work.loads) == (3, 1, 1)
    assert {key: store.path(key).stat().st_mtime_ns for key in before} == before
    assert [p.key for p in more[:2]] == [p.key for p in first]
    assert "2 in the store, 1 drawn; 1 base load" in str(work)


def test_a_picture_has_the_same_bytes_alone_and_among_others(base, tmp_path):
    prompts = {"J": "headshot of JRussell", "A": "ARussell in the park"}
    together, later = ImageStore(tmp_path / "a"), ImageStore(tmp_path / "b")
    render_to(together, spec_of(base, prompts, seeds=[1, 2, 3]))
    render_to(later, spec_of(base, prompts, seeds=[3]))
    render_to(later, spec_of(base, prompts, seeds=[2, 3, 1]))
    assert len(list(together)) == 6
    for key in together:
        assert together.path(key).read_bytes() == later.path(key).read_bytes()


def test_stopped_in_the_middle_goes_on_with_what_is_missing(base, tmp_path, monkeypatch):
    store, spec = ImageStore(tmp_path), spec_of(base, seeds=[1, 2, 3, 4], batch=1)
    saving, count = image_store.image_writer, iter(range(9))

    def dies(*args):
        if next(count) == 2:
            raise KeyboardInterrupt
        return saving(*args)

    monkeypatch.setattr(image_store, "image_writer", dies)
    with pytest.raises(KeyboardInterrupt):
        render_to(store, spec)
    assert len(list(store)) == 2
    work, _ = render_to(store, spec)
    assert work.drawn == 2


def test_seeds_prompts_and_adapters_give_different_pictures(base, loras, tmp_path):
    store = ImageStore(tmp_path)
    prompts = {"J": "headshot of JRussell", "A": "ARussell in the park"}
    _, plain = render_to(store, spec_of(base, prompts))
    _, adapted = render_to(store, spec_of(base, prompts), loras[:1])
    seen = {pixels(store, picture) for picture in [*plain, *adapted]}
    assert len(seen) == 8


def test_a_picture_can_be_made_again_from_its_own_file(base, loras, tmp_path):
    store = ImageStore(tmp_path / "a")
    _, pictures = render_to(store, spec_of(base, weights=[0.6, 1.0]), loras)
    settings = settings_of(store.path(pictures[0].key))
    assert settings["made_with"] == {"device": "cpu"}
    assert [a["weight"] for a in settings["adapters"]] == [0.6, 1.0]
    by_hash = {adapter.content_hash: adapter.path for adapter in read_adapters(loras)}
    prompt_set = {k: settings[k] for k in ("width", "height", "steps", "guidance")}
    prompt_set |= {"prompts": {"x": settings["prompt"]}, "seeds": [settings["seed"]]}
    spec = RenderSpec(
        base=Base(model=base.model, dtype=settings["dtype"], text_tokens=settings["text_tokens"]),
        prompt_set=PromptSet(**prompt_set),
        name="again",
        weights=[adapter["weight"] for adapter in settings["adapters"]],
        merge=settings["merged"],
    )
    again = ImageStore(tmp_path / "b")
    files = [by_hash[adapter["content_hash"]] for adapter in settings["adapters"]]
    _, (picture,) = render_to(again, spec, files)
    assert picture.key == settings["key"]
    assert again.path(picture.key).read_bytes() == store.path(picture.key).read_bytes()


def velocity(transformer):
    random = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        return transformer(
            torch.randn(1, 6, 64, generator=random),
            encoder_hidden_states=torch.randn(1, 9, 32, generator=random),
            pooled_projections=torch.randn(1, 24, generator=random),
            timestep=torch.tensor([0.5]),
            guidance=torch.tensor([3.5]),
            img_ids=torch.zeros(6, 3),
            txt_ids=torch.zeros(9, 3),
            return_dict=False,
        )[0]


def test_merged_and_active_adapters_agree_and_weights_count(base, loras):
    results = {}
    for merge in (False, True):
        for weights in ([1.0, 1.0], [0.5, 1.0], [0.0, 0.0]):
            transformer = load_transformer(base, "cpu")
            apply_adapters(transformer, read_adapters(loras, weights), merge)
            results[merge, tuple(weights)] = velocity(transformer)
            assert merge != any("lora" in name for name, _ in transformer.named_modules())
            assert not any(part.training for part in transformer.modules())
    for (merge, weights), result in results.items():
        torch.testing.assert_close(result, results[not merge, weights], atol=1e-5, rtol=1e-4)
    plain = velocity(load_transformer(base, "cpu"))
    torch.testing.assert_close(results[True, (0.0, 0.0)], plain)
    assert (results[True, (1.0, 1.0)] - results[True, (0.5, 1.0)]).abs().max() > 1e-3


def test_merging_equals_diffusers_own_loading(base, folder, loras):
    pipeline = FluxPipeline.from_pretrained(folder)
    pipeline.load_lora_weights(str(loras[0]))
    theirs = velocity(pipeline.transformer)
    transformer = load_transformer(base, "cpu")
    apply_adapters(transformer, read_adapters(loras[:1]), merge=True)
    torch.testing.assert_close(velocity(transformer), theirs, atol=1e-5, rtol=1e-4)


def test_merging_is_the_default_only_where_it_is_exact(base):
    assert spec_of(base).merged()
    half = Base(**{**base.model_dump(), "dtype": "bfloat16"})
    assert not spec_of(half).merged() and spec_of(half, merge=True).merged()
    with pytest.raises(ValueError, match="needs a base without quantization"):
        spec_of(Base(model="x", quantization="nf4"), merge=True)


def test_unusable_adapters_are_named_together(base, tmp_path, folder, loras):
    (tmp_path / "text.safetensors").write_text("not tensors")
    transformer = folder / "transformer/diffusion_pytorch_model.safetensors"
    paths = [tmp_path / "none.safetensors", tmp_path / "text.safetensors", transformer]
    with pytest.raises(ProblemsError) as caught:
        read_adapters(paths)
    text = str(caught.value)
    assert "none.safetensors: no such file" in text and "contains no LoRA weights" in text
    assert len(caught.value.problems) == 3
    with pytest.raises(KindredError, match="2 weights are given for 1 adapter"):
        read_adapters(loras[:1], [1.0, 2.0])


def test_an_adapter_of_another_base_is_refused(base, loras, tmp_path):
    from safetensors.torch import load_file, save_file

    state = {
        k: torch.cat([v, v], -1) if "lora_A" in k else v for k, v in load_file(loras[0]).items()
    }
    save_file(state, tmp_path / "wide.safetensors")
    adapters = read_adapters([tmp_path / "wide.safetensors"])
    with pytest.raises(KindredError, match=r"wide\.safetensors: does not fit this base"):
        apply_adapters(load_transformer(base, "cpu"), adapters, merge=True)


def test_an_adapter_with_layers_that_the_base_lacks_is_refused(base, loras, tmp_path):
    from safetensors.torch import load_file, save_file

    state = load_file(loras[0])
    deeper = {
        k.replace("single_transformer_blocks.1.", "single_transformer_blocks.9."): v
        for k, v in state.items()
    }
    save_file(deeper, tmp_path / "deep.safetensors")
    with pytest.raises(KindredError, match=r"deep\.safetensors: .*3 of its 8 layers are not in"):
        apply_adapters(
            load_transformer(base, "cpu"), read_adapters([tmp_path / "deep.safetensors"]), True
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 100}, "multiples of 16 px; nearest: 96"),
        ({"seeds": [1, 1]}, "repeated here: 1"),
        ({"seeds": [-1]}, "greater than or equal to 0"),
        ({"steps": 0}, "greater than or equal to 1"),
    ],
)
def test_impossible_prompt_sets_are_refused(base, change, message):
    value = json.loads(spec_of(base).canonical())
    value["prompt_set"].update(change)
    with pytest.raises(ProblemsError, match=message):
        RenderSpec.read(json.dumps(value))
