"""Networks larger than their GPU that are used without gradients: T5."""

import fake_gpu
import pytest
import tiny_base
import torch

from kindred.compute import memory_limit
from kindred.compute.group_offload import stream_blocks
from kindred.data import text_encoding
from kindred.models import loading
from kindred.models.vae import encode_t5
from kindred.specs.base_model import TextEncoder

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    base = tiny_base.build(tmp_path_factory.mktemp("base") / "tiny")
    return TextEncoder(model=str(base), dtype="float32")


def test_t5_visits_block_by_block_with_the_same_states(encoder):
    tokenizer, model = loading.load_t5(encoder, CPU)
    expected = encode_t5(tokenizer, model, "a photo of ARussell", 8)
    stream_blocks(model.encoder, CPU)
    for _ in range(2):
        assert torch.equal(encode_t5(tokenizer, model, "a photo of ARussell", 8), expected)


def test_t5_visits_a_card_that_cannot_hold_it(encoder, monkeypatch, capsys):
    gpu, asked = fake_gpu.put_in(monkeypatch), []
    streamed = []
    real = loading.load_t5

    def loaded(_, device):
        asked.append(device)
        return real(encoder, CPU)

    monkeypatch.setattr(loading, "load_t5", loaded)
    monkeypatch.setattr(
        "kindred.compute.group_offload.stream_blocks", lambda *given: streamed.append(given)
    )
    text_encoding.t5_that_fits(encoder, CUDA)
    assert asked == [CUDA] and not streamed
    gpu.free = text_encoding.WORKING / memory_limit.GIB
    text_encoding.t5_that_fits(encoder.model_copy(update={"quantization": "nf4"}), CUDA)
    text_encoding.t5_that_fits(encoder, CPU)
    assert asked[1:] == [CUDA, CPU] and not streamed
    _, model = text_encoding.t5_that_fits(encoder, CUDA)
    assert asked[3:] == ["cpu"] and streamed == [(model.encoder, CUDA)]
    assert "T5 is larger than the GPU" in capsys.readouterr().err
