"""Quantized weights on disk: made once, read back alike, under a key of what they follow from."""

import json
import shutil

import pytest
import tiny_base
import torch
from waiting import until

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.models import loading, quantized_weights
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.specs.base_model import Base

pytestmark = pytest.mark.usefixtures("quantized_on_cpu")
KINDS = ["nf4", pytest.param("nf4-double", marks=pytest.mark.long), "int8"]


@pytest.fixture(scope="module")
def folder(tiny_folder):
    return tiny_folder


def base_of(folder, kind, dtype="float32"):
    return Base(model=str(folder), dtype=dtype, quantization=kind, text_tokens=8)


def forbid_quantizing(monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("the base's own weights were read again")

    monkeypatch.setattr(loading, "_load", forbidden)


@pytest.mark.parametrize("kind", KINDS)
def test_a_transformer_read_from_the_store_is_the_one_that_was_quantized(folder, kind, monkeypatch):
    base = base_of(folder, kind)
    plain = tiny_base.answer(
        loading.load_transformer(Base(model=str(folder), dtype="float32"), "cpu")
    )
    first = loading.load_transformer(base, "cpu")
    made = tiny_base.answer(first)
    assert 1e-5 < (made - plain).abs().mean() / plain.abs().mean() < 0.3
    forbid_quantizing(monkeypatch)
    again = loading.load_transformer(base, "cpu")
    layer = again.transformer_blocks[0].attn.to_q
    assert type(layer).__name__ == ("Linear8bitLt" if kind == "int8" else "Linear4bit")
    assert not any(p.requires_grad for p in again.parameters()) and not again.training
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    torch.testing.assert_close(tiny_base.answer(again), made, rtol=0, atol=0)
    if kind != "int8":
        assert layer.weight.quant_state.nested == (kind == "nf4-double")


@pytest.mark.parametrize("kind", KINDS)
def test_t5_too(folder, kind, monkeypatch):
    encoder = base_of(folder, kind).text_encoder()
    ids = torch.arange(8)[None]
    first = loading.load_text_part(encoder, "text_encoder_2", "cpu")
    made = first(ids)[0]
    monkeypatch.setattr(quantized_weights, "_keep", None)
    again = loading.load_text_part(encoder, "text_encoder_2", "cpu")
    assert type(again.encoder.block[0].layer[0].SelfAttention.q).__name__.startswith("Linear")
    assert again.is_quantized
    torch.testing.assert_close(again(ids)[0], made, rtol=0, atol=0)


def test_lora_trains_on_weights_from_the_store(folder):
    from kindred.models.lora import injection
    from kindred.specs.training import Recipe

    base = base_of(folder, "nf4")
    for _ in range(2):
        net = loading.load_transformer(base, "cpu")
        parameters = injection.add_lora(net, Recipe(rank=2, targets="attention"), 1)
        net(
            hidden_states=torch.randn(1, 6, 64),
            encoder_hidden_states=torch.randn(1, 5, 32),
            pooled_projections=torch.randn(1, 24),
            timestep=torch.tensor([0.5]),
            guidance=torch.tensor([3.5]),
            img_ids=torch.zeros(6, 3),
            txt_ids=torch.zeros(5, 3),
        ).sample.sum().backward()
        assert any(p.grad.abs().max() > 0 for p in parameters if p.grad is not None)


def stored(tmp_path):
    return sorted(p for p in (tmp_path / "store").iterdir() if p.is_dir())


def test_a_broken_file_is_made_again_and_nothing_half_made_stays(folder, tmp_path, capsys):
    base = base_of(folder, "nf4")
    loading.load_transformer(base, "cpu")
    (kept,) = stored(tmp_path)
    (kept.parent / f".tmp-{kept.name}-killed").mkdir()
    weights = kept / quantized_weights.WEIGHTS["diffusers"]
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    loading.load_transformer(base, "cpu")
    assert "quantizing it again" in capsys.readouterr().err
    assert weights.read_bytes() == whole
    assert stored(tmp_path) == [kept]


def test_a_full_disk_costs_only_time(folder, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(quantized_weights, "write", full)
    tiny_base.answer(loading.load_transformer(base_of(folder, "nf4"), "cpu"))
    assert "No space left" in capsys.readouterr().err
    assert stored(tmp_path) == []


def test_the_key_follows_from_base_part_precision_and_libraries(folder, tmp_path, monkeypatch):
    calls = [
        ("m@1", "transformer", "nf4", "bfloat16"),
        ("m@2", "transformer", "nf4", "bfloat16"),
        ("m@1", "text_encoder_2", "nf4", "bfloat16"),
        ("m@1", "transformer", "nf4-double", "bfloat16"),
        ("m@1", "transformer", "nf4", "float16"),
    ]
    calls = [(base, FLUX1.parts.find(part), *rest) for base, part, *rest in calls]
    keys = [quantized_weights.key(*call) for call in calls]
    assert len(set(keys)) == len(keys)
    monkeypatch.setattr(quantized_weights.metadata, "version", lambda _: "99.1.2")
    assert quantized_weights.key(*calls[0]) != keys[0]
    monkeypatch.setattr(quantized_weights.metadata, "version", lambda _: "99.3")
    assert quantized_weights._major("x") == "99"
    monkeypatch.setattr(quantized_weights.metadata, "version", lambda _: "0.42.1")
    assert quantized_weights._major("x") == "0.42"


def test_changed_weights_of_a_local_base_are_quantized_anew(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    loading.load_transformer(base_of(copy, "nf4"), "cpu")
    config = copy / "transformer/config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"_name_or_path": "other"}))
    loading.load_transformer(base_of(copy, "nf4"), "cpu")
    assert len(stored(tmp_path)) == 2


def test_every_dtype_is_written_as_safetensors_reads_it(tmp_path):
    state = {
        "odd": torch.arange(7, dtype=torch.uint8),
        "bf16": torch.randn(3, 5).bfloat16(),
        "half": torch.randn(2).half(),
        "scalar": torch.tensor(1.5),
        "empty": torch.zeros(0, 4),
        "int8": torch.tensor([-3, 4], dtype=torch.int8),
        "turned": torch.randn(4, 3).T,
    }
    quantized_weights.write(tmp_path / "x.safetensors", state)
    read = safetensors_files.load(tmp_path / "x.safetensors")
    assert read.keys() == state.keys()
    for name, value in state.items():
        assert read[name].dtype == value.dtype and torch.equal(read[name], value)
    entries, _ = safetensors_files.header(tmp_path / "x.safetensors")
    assert all(e["data_offsets"][0] % 4 == 0 for e in entries.values() if e["dtype"] == "F32")


def test_a_store_that_cannot_be_written_is_named(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(quantized_weights, "STORE", tmp_path / "file/store")
    with pytest.raises(KindredError, match="can't be written"):
        loading.load_transformer(base_of(folder, "nf4"), "cpu")


def test_reading_maps_files_instead_of_filling_main_memory(tmp_path):
    from diffusers import FluxTransformer2DModel

    from kindred.benchmarking.peak_memory import Watch, own_gib

    torch.manual_seed(0)
    net = FluxTransformer2DModel(
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=128,
        num_attention_heads=6,
        joint_attention_dim=64,
        pooled_projection_dim=64,
    ).to(torch.bfloat16)
    size = sum(p.numel() * p.element_size() for p in net.parameters()) / 2**30
    net.save_pretrained(tmp_path / "base/transformer", max_shard_size="20MB")
    assert len(list((tmp_path / "base/transformer").glob("*.safetensors"))) > 2
    del net
    base = base_of(tmp_path / "base", "nf4", "bfloat16")
    base = base.model_copy(update={"architecture": "flux1"})
    loading.load_transformer(base, "cpu")  # quantizes and keeps
    for chosen in (base, base.model_copy(update={"quantization": None})):
        before = own_gib()
        with Watch() as watch:
            loaded = loading.load_transformer(chosen, "cpu")
        assert watch.peak_gib - before < size / 4
        del loaded


def test_two_processes_quantize_once(folder, tmp_path, monkeypatch, capsys):
    """Two threads with open files of their own lock each other out as processes do."""
    import threading

    made, heard, real = [], [], loading._load

    def said():
        heard.append(capsys.readouterr().err)
        return "".join(heard)

    def slow(*arguments, **settings):
        made.append(arguments)
        until(lambda: "waiting for another process" in said())
        return real(*arguments, **settings)

    monkeypatch.setattr(loading, "_load", slow)
    found = []
    base = base_of(folder, "nf4")
    other = threading.Thread(target=lambda: found.append(loading.load_transformer(base, "cpu")))
    other.start()
    until(lambda: made)
    found.append(loading.load_transformer(base, "cpu"))
    other.join()
    assert len(made) == 1 and len(found) == 2
    assert torch.equal(*(tiny_base.answer(net) for net in found))
    assert said().count("quantizing transformer once") == 1
