"""Rendering in another precision than that of training, and what a small GPU makes of a base."""

import fake_gpu
import pytest
import tiny_base
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from kindred.common.errors import KindredError, ProblemsError
from kindred.compute import compilation
from kindred.models import loading, quantized_weights
from kindred.models.architectures.latent_coding import LatentCoding
from kindred.models.lora import injection, lokr_layers
from kindred.models.lora.adapters import read_adapters
from kindred.rendering import pipeline, precision
from kindred.rendering.image_plan import plan
from kindred.rendering.pipeline import RenderPipeline
from kindred.specs.base_model import Base
from kindred.specs.rendering import PromptSet, RenderSpec
from kindred.specs.training import Recipe

pytestmark = pytest.mark.usefixtures("quantized_on_cpu")


@pytest.fixture(scope="module")
def folder(tiny_folder):
    return tiny_folder


def adapter(folder, path, dora=False, seed=0):
    torch.manual_seed(seed)
    model = FluxTransformer2DModel.from_pretrained(folder, subfolder="transformer")
    targets = ["to_q", "proj_mlp", "x_embedder"]
    config = LoraConfig(r=4, lora_alpha=8, target_modules=targets, use_dora=dora)
    model.add_adapter(config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    FluxPipeline.save_lora_weights(
        path.parent,
        get_peft_model_state_dict(model),
        weight_name=path.name,
        transformer_lora_adapter_metadata=model.peft_config["default"].to_dict(),
    )
    return path


@pytest.fixture(scope="module")
def loras(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("loras")
    return [adapter(folder, out / f"{seed}.safetensors", seed=seed) for seed in (0, 1)]


def spec_of(folder, way=None, quantization="nf4", weights=(), **more):
    chosen = {} if way is None else {"precision": way}
    prompt_set = PromptSet(prompts={"a": "x"}, seeds=[1], width=32, height=32, steps=2, **chosen)
    base = Base(model=str(folder), dtype="float32", text_tokens=8, quantization=quantization)
    given = {"weights": list(weights)} if weights else {}
    return RenderSpec(base=base, prompt_set=prompt_set, name="p", **given, **more)


def keys(spec, adapters):
    return [picture.key for picture in plan(spec, adapters, "base@1")]


def test_an_unset_choice_and_one_that_changes_nothing_have_the_old_keys(folder, loras):
    adapters = read_adapters(loras[:1])
    unset = spec_of(folder)
    assert "precision" not in unset.canonical()
    (picture,) = plan(unset, adapters, "base@1")
    assert "precision" not in picture.settings
    old = keys(unset, adapters)
    assert keys(spec_of(folder, "trained"), adapters) == old
    found = [keys(spec_of(folder, way), adapters) for way in ("merged", "unquantized")]
    assert len({key for own in [old, *found] for key in own}) == 3
    # Nothing to merge in the base's own pictures; the base's own weights are another matter.
    assert keys(spec_of(folder, "merged"), []) == keys(unset, [])
    assert keys(spec_of(folder, "unquantized"), []) != keys(unset, [])


def test_on_an_unquantized_base_precisions_come_to_what_there_was(folder, loras):
    adapters = read_adapters(loras[:1])
    plain = spec_of(folder, quantization=None)
    assert keys(spec_of(folder, "unquantized", None), adapters) == keys(plain, adapters)
    half = {"base": Base(model=str(folder), dtype="bfloat16")}
    merged = spec_of(folder, "merged", None).model_copy(update=half)
    assert merged.merged() and not plain.model_copy(update=half).merged()
    with pytest.raises(ProblemsError, match="'trained', 'merged', 'unquantized' or 'fp8'"):
        RenderSpec.read(spec_of(folder, "merged").canonical().replace('"merged"', '"fused"'))


@pytest.mark.parametrize("kind", ["nf4", "nf4-double", "int8"])
def test_merged_is_the_sum_quantized_again(folder, loras, kind, monkeypatch):
    weights = [0.7, 1.0]
    adapters = read_adapters(loras, weights)
    net = precision.load(spec_of(folder, "merged", kind, weights), adapters, "cpu")
    whole = precision.load(spec_of(folder, None, None, weights), adapters, "cpu")  # fused, float32
    assert not any("lora" in name for name, _ in [*net.named_modules(), *whole.named_modules()])
    for name in ("transformer_blocks.0.attn.to_q", "single_transformer_blocks.1.proj_mlp"):
        mine, sums = net.get_submodule(name).weight, whole.get_submodule(name).weight
        expected = quantized_weights.packed(sums.detach().clone(), kind).to("cpu")
        assert torch.equal(mine.data, expected.data), name
    untouched = loading.load_transformer(spec_of(folder, quantization=kind).base, "cpu")
    same = "transformer_blocks.0.attn.to_v"
    assert torch.equal(net.get_submodule(same).weight, untouched.get_submodule(same).weight)
    error = (tiny_base.answer(net) - tiny_base.answer(whole)).abs().mean()
    change = (tiny_base.answer(whole) - tiny_base.answer(untouched)).abs().mean()
    assert error < change / 2


def test_a_lokr_is_merged_and_quantized_and_stands_beside_quantized_weights(folder, tmp_path):
    net = FluxTransformer2DModel.from_pretrained(folder, subfolder="transformer")
    for parameter in injection.add_lora(net, Recipe(adapter_type="lokr", rank=2), 0):
        torch.nn.init.normal_(parameter, std=0.3)
    path = tmp_path / "lokr.safetensors"
    injection.save_lora(path, injection.lora_state(net), net, {})
    adapters = read_adapters([path], [0.5])
    merged = precision.load(spec_of(folder, "merged", weights=[0.5]), adapters, "cpu")
    whole = precision.load(spec_of(folder, None, None, [0.5], merge=True), adapters, "cpu")
    assert not any("lora" in name for name, _ in [*merged.named_modules(), *whole.named_modules()])
    name = "single_transformer_blocks.1.proj_mlp"
    sums = whole.get_submodule(name).weight.detach().clone()
    expected = quantized_weights.packed(sums, "nf4").to("cpu")
    assert torch.equal(merged.get_submodule(name).weight.data, expected.data)
    beside = precision.load(spec_of(folder, weights=[0.5]), adapters, "cpu")
    base = loading.load_transformer(spec_of(folder).base, "cpu").get_submodule(name)
    random = torch.randn(3, base.in_features)
    change = beside.get_submodule(name)(random) - base(random)
    expected = random @ lokr_layers.change_of(beside.get_submodule(name), "adapter0").T
    assert torch.allclose(change, expected, atol=1e-4) and expected.abs().mean() > 0.01


def test_unquantized_is_the_base_itself(folder, loras):
    adapters = read_adapters(loras[:1])
    net = precision.load(spec_of(folder, "unquantized"), adapters, "cpu")
    plain = precision.load(spec_of(folder, None, None, merge=False), adapters, "cpu")
    assert torch.equal(tiny_base.answer(net), tiny_base.answer(plain))
    trained = tiny_base.answer(precision.load(spec_of(folder), adapters, "cpu"))
    assert not torch.equal(trained, tiny_base.answer(plain))


@pytest.mark.parametrize("kind", [None, "nf4"])
def test_fp8_has_the_adapters_beside_it(folder, loras, kind):
    adapters = read_adapters(loras[:1])
    found = tiny_base.answer(precision.load(spec_of(folder, "fp8", kind), adapters, "cpu"))
    trained = spec_of(folder, None, kind, merge=False)
    expected = tiny_base.answer(precision.load(trained, adapters, "cpu"))
    without = tiny_base.answer(precision.load(trained, [], "cpu"))
    error, change = (found - expected).abs().mean(), (without - expected).abs().mean()
    assert 0 < error < change / 4


def test_dora_cannot_be_merged_into_quantized_weights(folder, tmp_path):
    adapters = read_adapters([adapter(folder, tmp_path / "dora.safetensors", dora=True)])
    with pytest.raises(KindredError, match="DoRA"):
        precision.load(spec_of(folder, "merged"), adapters, "cpu")


def test_blocks_that_visit_compute_the_same(folder, loras):
    adapters = read_adapters(loras[:1])
    spec = spec_of(folder, None, None, merge=False)
    plain = precision.load(spec, adapters, "cpu")
    visiting = precision.load(spec, adapters, "cpu")
    precision.stream_blocks(visiting, torch.device("cpu"))
    assert visiting.device.type == "cpu" and visiting.dtype is torch.float32
    assert torch.equal(tiny_base.answer(visiting), tiny_base.answer(plain))


@pytest.mark.parametrize("kind", ["nf4", "nf4-double", "int8"])
@pytest.mark.parametrize("way", [None, "merged"])
def test_quantized_blocks_that_visit_compute_the_same(folder, loras, kind, way, monkeypatch):
    spec, adapters, cpu = spec_of(folder, way, kind), read_adapters(loras[:1]), torch.device("cpu")
    expected = tiny_base.answer(precision.load(spec, adapters, cpu))
    net = precision.load(spec, adapters, cpu)
    monkeypatch.setattr(precision, "available", lambda _: precision.LEAST_WORKING)
    assert not precision.offload_excess(net, cpu) and not precision.is_offloaded(net)
    monkeypatch.setattr(precision, "available", lambda _: precision.LEAST_WORKING - 1)
    assert precision.offload_excess(net, cpu) and precision.is_offloaded(net)
    weight = net.transformer_blocks[0].ff.net[0].proj.weight
    assert weight.numel() == 0
    for _ in range(2):
        with torch.inference_mode():
            assert torch.equal(tiny_base.answer(net), expected)


def test_weights_that_the_card_refuses_are_loaded_into_main_memory(folder, monkeypatch):
    asked, real = [], loading.load_transformer

    def refuses(base, device, in_main_memory=False, places=None):
        asked.append(in_main_memory)
        if not in_main_memory:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(base, device, in_main_memory, places)

    monkeypatch.setattr(loading, "load_transformer", refuses)
    spec = spec_of(folder)
    assert precision.load(spec, [], "cpu") is not None and asked == [False, True]
    with pytest.raises(torch.OutOfMemoryError):  # several GPUs are as full as the user said
        precision._load_or_take_home(spec.base, torch.device("cpu"), {"": "cpu"})


def test_too_little_memory_for_a_batch_halves_it(folder, monkeypatch, capsys):
    spec = spec_of(folder, quantization=None)
    many = spec.prompt_set.model_copy(update={"seeds": [1, 2, 3, 4]})
    pictures = plan(spec.model_copy(update={"prompt_set": many}), [], "base@1")
    texts = {pipeline.caption_hash("x"): {"t5": torch.ones(8, 32), "clip": torch.ones(24)}}
    one, real, sizes = painter(folder), pipeline.denoise, []
    expected = one.draw(pictures, texts)

    def short(transformer, noise, *rest, **more):
        sizes.append(len(noise))
        if len(noise) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(transformer, noise, *rest, **more)

    monkeypatch.setattr(pipeline, "denoise", short)
    room = 1
    found = one.draw(pictures, texts)
    assert sizes == [4, 2, 1, 1, 1, 1] and one.notes() == {"batch": 1}
    assert capsys.readouterr().err.count("not enough memory") == 2
    for mine, theirs in zip(found, expected, strict=True):
        apart = [abs(a - b) for a, b in zip(mine.tobytes(), theirs.tobytes(), strict=True)]
        assert max(apart) <= 1
    room = 0
    with pytest.raises(torch.OutOfMemoryError):
        one.draw(pictures, texts)


def test_a_base_fits_when_its_files_and_the_work_do(folder, monkeypatch):
    base = spec_of(folder, quantization=None).base
    size = (folder / "transformer/diffusion_pytorch_model.safetensors").stat().st_size
    fake_gpu.put_in(monkeypatch, total=100)
    for free, expected in ((size + precision.WORKING, True), (size + precision.WORKING - 1, False)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free, 10 * free))
        assert precision.fits(base, torch.device("cuda")) == expected


def painter(folder):
    return RenderPipeline.load(spec_of(folder, quantization=None), [], "cpu")


def draw(one, folder):
    pictures = plan(spec_of(folder, quantization=None), [], "base@1")
    random = torch.Generator().manual_seed(0)
    texts = {
        pipeline.caption_hash("x"): {
            "t5": torch.randn(8, 32, generator=random),
            "clip": torch.randn(24, generator=random),
        }
    }
    (image,) = one.draw(pictures, texts)
    return image.tobytes()


def test_too_little_memory_to_decode_ends_in_tiles(folder, monkeypatch, capsys):
    one, real, seen = painter(folder), LatentCoding.decode, []
    expected = draw(one, folder)
    assert one.notes() == {}

    def short(coding, latents):
        seen.append(coding.vae.use_tiling)
        if not coding.vae.use_tiling:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(coding, latents)

    monkeypatch.setattr(LatentCoding, "decode", short)
    assert draw(one, folder) == expected  # smaller than a tile: the same bytes
    assert draw(one, folder) == expected and seen == [False, True, True]
    assert one.notes() == {"tiled": True} and one.vae.tile_sample_min_size == 8 * pipeline.TILE
    assert capsys.readouterr().err.count("the VAE; working in tiles") == 1


def test_a_compiler_that_fails_costs_a_warning(folder, monkeypatch, capsys):
    one = painter(folder)
    expected = draw(one, folder)
    assert not compilation.is_compiled(one.transformer)  # on a CPU nothing is compiled

    def broken(*_, **__):
        raise RuntimeError("no C++ compiler\nand more")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: broken)
    assert compilation.compile_blocks(one.transformer) and one.notes() == {"compiled": True}
    assert draw(one, folder) == expected
    assert one.notes() == {}
    said = capsys.readouterr().err
    assert "can't be compiled here (no C++ compiler)" in said and "and more" not in said
    monkeypatch.setattr(type(one.transformer), "compile_repeated_blocks", broken)
    assert not compilation.compile_blocks(one.transformer)


def test_other_errors_of_drawing_are_not_taken_for_the_compilers(folder, monkeypatch):
    one = painter(folder)

    def wrong(*_, **__):
        raise ValueError("wrong shapes")

    monkeypatch.setattr(pipeline, "denoise", wrong)
    with pytest.raises(ValueError, match="wrong shapes"):
        draw(one, folder)
