"""A LoRA that is fused while training and left away in drawing."""

import json

import pytest
import tiny_z_image
import torch
import training_set
from safetensors.torch import save_file

import train
from kindred.common import safetensors_files
from kindred.common.errors import KindredError, ProblemsError
from kindred.common.files import read_json
from kindred.models import hub, loading, quantized_weights, training_adapter
from kindred.models.architectures.z_image.facts import Z_IMAGE
from kindred.models.lora import injection
from kindred.rendering import precision
from kindred.rendering.sampling import initial_noise
from kindred.specs.base_model import Base
from kindred.specs.rendering import PromptSet, RenderSpec
from kindred.specs.training import Recipe
from kindred.training.flow_matching import flow_loss

torch.set_num_threads(1)
LAYERS = {"layers.0.attention.to_q": (48, 48), "layers.1.feed_forward.w2": (128, 48)}
RANK, ALPHA, TOKENS = 3, 1.5, 96


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_z_image.build(tmp_path_factory.mktemp("base") / "turbo", shift=3.0)


def adapter(path, layers=LAYERS, seed=0):
    """A file as ai-toolkit writes them, with alphas."""
    source, state = torch.Generator().manual_seed(seed), {}
    for name, (inputs, outputs) in layers.items():
        key = f"diffusion_model.{name}"
        state[f"{key}.lora_A.weight"] = torch.randn(RANK, inputs, generator=source)
        state[f"{key}.lora_B.weight"] = torch.randn(outputs, RANK, generator=source)
        state[f"{key}.alpha"] = torch.tensor(ALPHA)
    save_file(state, path)
    return state


def base_of(folder, file=None, **more):
    given = {"training_adapter": str(file)} if file else {}
    return Base(model=str(folder), dtype="float32", text_tokens=TOKENS, **given, **more)


def weights_by_hand(folder, state):
    """The plain network with A and B multiplied into its weights."""
    network = loading.load_transformer(base_of(folder), "cpu")
    for name in LAYERS:
        key = f"diffusion_model.{name}"
        down, up = (state[f"{key}.lora_{part}.weight"] for part in "AB")
        network.get_submodule(name).weight.data += ALPHA / RANK * up @ down
    return network


def gradients(network):
    """Of a new adapter on a network, in one batch."""
    parameters = injection.add_lora(network, Recipe(rank=2, targets="all-linear"), 0)
    latents, noise = (initial_noise(seeds, 4, 6, 10) for seeds in ([1, 2], [3, 4]))
    source = torch.Generator().manual_seed(5)
    text = Z_IMAGE.text.collate(
        [{"qwen3": torch.randn(rows, 32, generator=source)} for rows in (20, 40)]
    )
    sigmas = torch.tensor([0.8, 0.3])
    flow_loss(Z_IMAGE.denoiser(network), latents, noise, sigmas, text, 1.0).backward()
    return [parameter.grad for parameter in parameters]


def test_what_is_trained_is_trained_on_the_sum(folder, tmp_path):
    state = adapter(tmp_path / "a.safetensors")
    base = base_of(folder, tmp_path / "a.safetensors")
    network, by_hand = loading.load_transformer(base, "cpu"), weights_by_hand(folder, state)
    for name, value in by_hand.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value, atol=1e-5, rtol=0)
    assert not any(one.requires_grad for one in network.parameters())
    plain = gradients(loading.load_transformer(base_of(folder), "cpu"))
    wanted = gradients(by_hand)
    far = 0.0
    for one, other, without in zip(gradients(network), wanted, plain, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)
        far = max(far, (one - without).norm() / (without.norm() + 1e-9))
    assert far > 0.1


@pytest.mark.usefixtures("quantized_on_cpu")
@pytest.mark.parametrize("kind", [pytest.param("nf4", marks=pytest.mark.long), "int8"])
def test_it_is_fused_before_weights_are_quantized(folder, tmp_path, kind):
    state = adapter(tmp_path / "a.safetensors")
    by_hand = tmp_path / "fused"
    tiny_z_image.build(by_hand, shift=3.0)
    weights_by_hand(folder, state).save_pretrained(by_hand / "transformer")
    wanted = loading.load_transformer(base_of(by_hand, quantization=kind), "cpu")
    base = base_of(folder, tmp_path / "a.safetensors", quantization=kind)
    for _ in range(2):  # quantized, and read from the store
        found = loading.load_transformer(base, "cpu").state_dict()
        for name, value in wanted.state_dict().items():
            same = (found[name].float() - value.float()).abs() <= 1e-5
            assert same.float().mean() > 0.99, name
    plain = loading.load_transformer(base_of(folder, quantization=kind), "cpu")
    name = "layers.0.attention.to_q.weight"
    assert not torch.equal(plain.state_dict()[name], found[name])
    kept = [path for path in quantized_weights.STORE.iterdir() if path.is_dir()]
    assert len(kept) == 3


def test_pictures_are_drawn_without_it(folder, tmp_path):
    adapter(tmp_path / "a.safetensors")
    base = base_of(folder, tmp_path / "a.safetensors")
    asked = PromptSet(prompts={"a": "x"}, seeds=[1], width=64, height=48)
    spec = RenderSpec(base=base, prompt_set=asked, name="n")
    plain = RenderSpec(base=base_of(folder), prompt_set=asked, name="n")
    assert spec.canonical() == plain.canonical()
    assert base.image_encoder() == base_of(folder).image_encoder()
    assert base.text_encoder() == base_of(folder).text_encoder()
    drawn = precision.load(spec, [], "cpu").state_dict()
    for name, value in loading.load_transformer(base_of(folder), "cpu").state_dict().items():
        assert torch.equal(drawn[name], value)


def test_between_two_steps_it_is_taken_from_each_answer(folder, tmp_path):
    adapter(tmp_path / "a.safetensors")
    base = base_of(folder, tmp_path / "a.safetensors")
    fused, plain = (loading.load_transformer(one, "cpu") for one in (base, base_of(folder)))
    injection.add_lora(fused, Recipe(rank=2, targets="all-linear"), 0)  # which adds nothing yet
    text = Z_IMAGE.text.collate([{"qwen3": torch.randn(20, 32)}])
    given = initial_noise([1], 4, 6, 10), torch.tensor([0.8]), text, 1.0
    added = training_adapter.pairs(base, Z_IMAGE)
    before = {name: value.clone() for name, value in fused.state_dict().items()}
    with torch.no_grad():
        wanted = Z_IMAGE.denoiser(plain).velocity(*given)
        with training_adapter.left_away(fused, added):
            torch.testing.assert_close(
                Z_IMAGE.denoiser(fused).velocity(*given), wanted, atol=1e-4, rtol=1e-4
            )
        assert (Z_IMAGE.denoiser(fused).velocity(*given) - wanted).abs().max() > 1e-2
    assert all(torch.equal(value, before[name]) for name, value in fused.state_dict().items())


def test_a_trainings_key_follows_its_content(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(training_set, "TOKENS", TOKENS)
    data = training_set.build(tmp_path / "set", folder, {"J": 2})
    file = tmp_path / "a.safetensors"
    keys = []
    for number, seed in enumerate((None, 0, 1, 0)):
        if seed is not None:
            adapter(file, seed=seed)
        base = base_of(folder, None if seed is None else file)
        told = json.loads(base.canonical())
        out = tmp_path / str(number)
        train.main(data.spec_arguments(out, 0, {"base": told, "recipe": data.recipe(steps=1)}))
        summary = read_json(out / "lora.json")
        keys.append(summary["spec_hash"])
        assert summary.get("training_adapter") == told.get("training_adapter")
    assert keys[1] == keys[3] and len(set(keys)) == 3


def problem_of(base):
    with pytest.raises((KindredError, ProblemsError)) as caught:
        training_adapter.content(base)
    return str(caught.value)


def test_what_does_not_fit_says_why_and_what_to_do(folder, tmp_path):
    said = problem_of(base_of(folder, tmp_path / "none.safetensors"))
    assert "no file" in said and "Correct the path" in said
    adapter(tmp_path / "wide.safetensors", {"layers.0.attention.to_q": (96, 48)})
    said = problem_of(base_of(folder, tmp_path / "wide.safetensors"))
    assert "reads 96 features, but 48 in the base" in said
    adapter(tmp_path / "other.safetensors", {"double_blocks.0.img_attn.proj": (48, 48)})
    said = problem_of(base_of(folder, tmp_path / "other.safetensors"))
    assert "LoRA of" in said and "Z-Image" in said and "Set `base:`" in said


def test_one_in_a_repository_is_taken_from_the_cache(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    name = "ostris/adapters/v2.safetensors"
    assert training_adapter.local_file(name) is None
    assert training_adapter.known_identity(base_of(folder, name)) == f" + {name}"
    cached = hub.cached("ostris/adapters")
    for part in ("refs", "snapshots/abc"):
        (cached / part).mkdir(parents=True)
    (cached / "refs/main").write_text("abc")
    adapter(cached / "snapshots/abc/v2.safetensors")
    found = training_adapter.fetched_file(base_of(folder, name))
    assert safetensors_files.header(found)[0]
    pinned = base_of(folder, f"{name}@{'d' * 40}")
    assert training_adapter.local_file(pinned.training_adapter) is None
    assert training_adapter.known_identity(base_of(folder, name)) not in ("", f" + {name}")


def test_one_that_can_not_be_fetched_says_so(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", offline)
    said = problem_of(base_of(folder, "ostris/adapters/v2.safetensors"))
    assert "and the download failed (no network)" in said and "path of a copy" in said
