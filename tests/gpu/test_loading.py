"""Loading, splitting and drawing at FLUX.1-dev's full size, with random weights, on a real GPU.

pytest -m gpu tests/gpu/test_loading.py     a few minutes and 50 GB of disk on an H200
"""

import shutil
import sys
import time

import pytest
import torch
from diffusers import FluxTransformer2DModel
from transformers import T5Config, T5EncoderModel

from kindred.benchmarking import random_weights, render_speed, train_step_speed
from kindred.benchmarking.peak_memory import Watch
from kindred.common.files import write_json
from kindred.common.hashing import caption_hash
from kindred.compute.device_map import over_gpus
from kindred.compute.devices import Split
from kindred.models import loading, quantized_weights
from kindred.models.identity import INDEX
from kindred.models.lora import injection
from kindred.models.lora.adapters import read_adapters
from kindred.models.opened_base import open_base
from kindred.rendering import precision
from kindred.rendering.image_plan import plan
from kindred.rendering.pipeline import RenderPipeline
from kindred.specs.base_model import Base, TextEncoder
from kindred.specs.rendering import PromptSet, RenderSpec
from kindred.specs.training import Recipe

SHAPE, DEVICE, TOKENS, EDGE, NEEDED_GIB = "flux-dev", "cuda", 512, 512, 40
PIPELINE = "FluxPipeline"
HAS_GPU = torch.cuda.is_available()
MEMORY = torch.cuda.get_device_properties(0).total_memory / 2**30 if HAS_GPU else 0
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        MEMORY < NEEDED_GIB,
        reason=f"needs a CUDA GPU of {NEEDED_GIB} GiB: the unquantized model is built on it first",
    ),
]
T5_XXL = T5Config(
    vocab_size=32128,
    d_model=4096,
    d_kv=64,
    d_ff=10240,
    num_layers=24,
    num_heads=64,
    feed_forward_proj="gated-gelu",
    dtype="bfloat16",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A base folder: 24 GB of random transformer, a VAE, a scheduler, and what says which it is."""
    root = tmp_path_factory.mktemp("base")
    write_json(root / INDEX, {"_class_name": PIPELINE})
    net = random_weights.transformer(SHAPE, DEVICE)
    net.save_config(root / "transformer")
    quantized_weights.write(
        root / "transformer" / quantized_weights.WEIGHTS["diffusers"], net.state_dict()
    )
    random_weights.vae(SHAPE, DEVICE, torch.float32).save_pretrained(root / "vae")
    random_weights.scheduler(SHAPE).save_pretrained(root / "scheduler")
    del net
    torch.cuda.empty_cache()
    yield root
    shutil.rmtree(root)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store of quantized weights, gone after the test."""
    monkeypatch.setattr(quantized_weights, "STORE", tmp_path / "store")
    yield tmp_path / "store"
    shutil.rmtree(tmp_path / "store", ignore_errors=True)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    """One for all pictures."""
    yield (root := tmp_path_factory.mktemp("quantized"))
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """A LoRA that changes something."""
    with torch.device("meta"):
        net = FluxTransformer2DModel(**random_weights.SHAPES[SHAPE].network)
    injection.add_lora(net, Recipe(rank=4, targets="attention"), 1)
    source = torch.Generator().manual_seed(0)
    state = {
        name: torch.randn(value.shape, generator=source) * 0.02
        for name, value in injection.lora_state(net).items()
    }
    path = tmp_path_factory.mktemp("lora") / "lora.safetensors"
    injection.save_lora(path, state, net, {})
    return read_adapters([path])


def base_of(folder, kind=None):
    return Base(model=str(folder), quantization=kind, text_tokens=TOKENS)


def timed(load):
    """(what was loaded, seconds, peak of main memory in GiB)."""
    with Watch() as watch:
        start = time.perf_counter()
        found = load()
        train_step_speed.wait(torch.device(DEVICE))
        seconds = time.perf_counter() - start
    return found, seconds, watch.peak_gib


def loaded_twice(load, what):
    """Load with quantizing and from disk; both within bounds and with equal weights."""
    first, making, most = timed(load)
    state = {name: value.cpu() for name, value in list(first.state_dict().items())[::50]}
    del first
    again, reading, later = timed(load)
    print(
        f"{what}: quantized in {making:.1f} s, read in {reading:.1f} s; "
        f"main memory {most:.1f} and {later:.1f} GiB",
        file=sys.stderr,
    )
    assert reading < 20 and max(most, later) < 16
    now = again.state_dict()
    assert all(torch.equal(value, now[name].cpu()) for name, value in state.items())


@pytest.mark.parametrize("kind", ["nf4", "nf4-double", "int8"])
def test_a_transformer_is_quantized_once_and_read_in_seconds(folder, store, kind):
    loaded_twice(lambda: loading.load_transformer(base_of(folder, kind), DEVICE), kind)
    assert len([path for path in store.iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize("kind", ["nf4", "int8"])
def test_t5_too(tmp_path, store, kind):
    with torch.device("meta"):
        net = T5EncoderModel(T5_XXL).to(torch.bfloat16)
    net = net.to_empty(device=DEVICE)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    part = tmp_path / "text_encoder_2"
    part.mkdir()
    net.config.save_pretrained(part)
    state = {name: value for name, value in net.state_dict().items() if "embed_tokens" not in name}
    quantized_weights.write(part / quantized_weights.WEIGHTS["transformers"], state)
    del net, state
    encoder = TextEncoder(model=str(tmp_path), architecture="flux1", quantization=kind)
    loaded_twice(lambda: loading.load_text_part(encoder, "text_encoder_2", DEVICE), f"T5 in {kind}")


@pytest.mark.parametrize("kind", ["nf4", "int8", None])
def test_a_step_in_each_precision(kind):
    recipe = Recipe(rank=4, targets="attention", optimizer="adamw8bit" if MEMORY else "adamw")
    setup = train_step_speed.SetUp(kind, checkpointing=True, compiled=False)
    device = torch.device(DEVICE)
    with Watch() as watch:  # `host_gib` is the process's, and tests before this one took more
        found = train_step_speed.train_steps(
            setup, SHAPE, EDGE, TOKENS, recipe, device, warm=1, steps=2
        )
    print(f"{setup.name}: {found['median_s']:.2f} s, {found['peak_gib']} GiB", file=sys.stderr)
    assert watch.peak_gib < 16


def spec_of(folder, way, kind="nf4"):
    prompt_set = PromptSet(
        prompts={"a": "x"}, seeds=[1], width=EDGE, height=EDGE, steps=2, precision=way
    )
    return RenderSpec(base=base_of(folder, kind), prompt_set=prompt_set, name="p")


def picture(folder, way, adapter):
    """A picture's latents, its pixels, and the peak of main memory."""
    spec = spec_of(folder, way)
    shape = random_weights.SHAPES[SHAPE].network
    source = torch.Generator().manual_seed(0)
    text = torch.randn(TOKENS, shape["joint_attention_dim"], generator=source)
    pooled = torch.randn(shape["pooled_projection_dim"], generator=source)
    with Watch() as watch:
        painter = RenderPipeline.load(spec, adapter, DEVICE)
        pictures = plan(spec, adapter, "base@1")
        (image,) = painter.draw(pictures, {caption_hash("x"): {"t5": text, "clip": pooled}})
    assert image.size == (EDGE, EDGE)
    return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).float(), watch.peak_gib


def test_a_picture_in_each_precision(folder, adapter, shared_store, monkeypatch):
    monkeypatch.setattr(quantized_weights, "STORE", shared_store)
    found = {
        way: picture(folder, way, adapter) for way in ("trained", "merged", "fp8", "unquantized")
    }
    assert max(gib for _, gib in found.values()) < 16
    monkeypatch.setattr(precision, "fits", lambda *_: False)
    visiting, gib = picture(folder, "unquantized", adapter)
    assert gib < 16
    torch.testing.assert_close(visiting, found["unquantized"][0], atol=1, rtol=0)
    for way in ("trained", "merged", "fp8"):
        apart = (found[way][0] - found["unquantized"][0]).abs().mean()
        print(f"{way}: {apart:.2f} of 255 from the unquantized picture", file=sys.stderr)
        assert not torch.equal(found[way][0], found["unquantized"][0])


def test_pictures_agree_with_flux_pipelines_compiled_too():
    device = torch.device(DEVICE)
    ways = render_speed.pictures("nf4", SHAPE, EDGE, TOKENS, 4, device, 1, with_compiler=True)
    found = dict(ways)
    assert found["ours"]["difference"] < 0.02
    same = {name: row for name, row in found.items() if name != PIPELINE and "fp8" not in name}
    assert max(figures["difference"] for figures in same.values()) < 0.03
    assert found["ours, compiled, recorded, fp8"]["difference"] < 0.1
    assert {"ours, compiled, recorded", "ours, compiled, recorded, dequantized for good"} <= {
        *found
    }


def gradients(net, device):
    shape, (edge, text) = random_weights.SHAPES[SHAPE].network, (EDGE // 16, TOKENS)
    parameters = injection.add_lora(net, Recipe(rank=4, targets="attention"), 1)
    source = torch.Generator().manual_seed(1)
    for parameter in parameters:  # B starts at zero, and A would have no gradient
        drawn = torch.randn(parameter.shape, generator=source) * 0.02
        parameter.data = drawn.to(parameter.device)
    net.enable_gradient_checkpointing()
    net.train()

    def numbers(*size):
        return torch.randn(*size, generator=source).to(device, torch.bfloat16)

    net(
        hidden_states=numbers(1, edge**2, 64),
        encoder_hidden_states=numbers(1, text, shape["joint_attention_dim"]),
        pooled_projections=numbers(1, shape["pooled_projection_dim"]),
        timestep=torch.tensor([0.5], device=device),
        guidance=torch.tensor([3.5], device=device),
        img_ids=torch.zeros(edge**2, 3, device=device),
        txt_ids=torch.zeros(text, 3, device=device),
    ).sample.float().square().mean().backward()
    return [p.grad.float().cpu() for p in parameters if p.grad is not None]


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_a_split_over_two_capped_gpus_has_the_same_gradients(folder):
    base = base_of(folder)
    whole = gradients(loading.load_transformer(base, "cuda:0"), torch.device("cuda:0"))
    torch.cuda.empty_cache()
    for index in (0, 1):
        total = torch.cuda.get_device_properties(index).total_memory
        torch.cuda.set_per_process_memory_fraction(16 * 2**30 / total, index)
    try:
        places = over_gpus(open_base(base), Split((16, 16)))
        net = loading.load_transformer(base, "cuda:0", places=places)
        split = gradients(net, torch.device("cuda:0"))
    finally:
        for index in (0, 1):
            torch.cuda.set_per_process_memory_fraction(1.0, index)
    for one, other in zip(whole, split, strict=True):
        assert (one - other).norm() <= 0.02 * one.norm()
