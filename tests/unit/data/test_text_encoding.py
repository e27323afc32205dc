"""Text encoders larger than their GPU, which visit it block by block."""

import fake_gpu
import pytest
import tiny_klein
import tiny_krea2
import tiny_z_image
import torch

from kindred.compute import memory_limit
from kindred.compute.group_offload import stream_blocks
from kindred.data import text_encoding
from kindred.models import loading
from kindred.models.architectures.flux1.text_encoders import encode_t5
from kindred.models.identity import architecture_of
from kindred.specs.base_model import TextEncoder

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
LARGE = "text_encoder_2"


@pytest.fixture(scope="module")
def encoder(base):
    return TextEncoder(model=str(base), dtype="float32")


def test_t5_visits_block_by_block_with_the_same_states(encoder):
    tokenizer, model = (
        loading.load_text_part(encoder, folder, CPU) for folder in ("tokenizer_2", LARGE)
    )
    expected = encode_t5(tokenizer, model, "a photo of ARussell", 8)
    stream_blocks(model.encoder, CPU)
    for _ in range(2):
        assert torch.equal(encode_t5(tokenizer, model, "a photo of ARussell", 8), expected)


@pytest.mark.parametrize("builder", [tiny_klein, tiny_z_image, tiny_krea2])
def test_others_visit_block_by_block_with_the_same_states(builder, tmp_path):
    spec = TextEncoder(model=str(builder.build(tmp_path / "base")), dtype="float32", tokens=40)
    architecture = architecture_of(spec)
    (tensor,) = architecture.text.tensors

    def visiting(folder):
        model = loading.load_text_part(spec, folder, CPU)
        part = architecture.parts.find(folder)
        if part.has_weights:
            assert part.blocks is not None
            stream_blocks(model.get_submodule(part.blocks), CPU)
        return model

    expected = loading.load_text_encoder(spec, tensor.name, CPU)("a photo of ARussell")
    encode = architecture.text.encoder(tensor.name, visiting, spec.tokens)
    for _ in range(2):
        assert torch.equal(encode("a photo of ARussell"), expected)


def test_t5_visits_a_card_that_cannot_hold_it(encoder, monkeypatch, capsys):
    gpu, asked = fake_gpu.put_in(monkeypatch), []
    streamed = []
    real = loading.load_text_part

    def loaded(_, folder, device):
        asked.append(device)
        return real(encoder, folder, CPU)

    monkeypatch.setattr(loading, "load_text_part", loaded)
    monkeypatch.setattr(
        "kindred.compute.group_offload.stream_blocks", lambda *given: streamed.append(given)
    )
    text_encoding.part_that_fits(encoder, CUDA, LARGE)
    assert asked == [CUDA] and not streamed
    gpu.free = text_encoding.WORKING / memory_limit.GIB
    nf4 = encoder.model_copy(update={"quantization": "nf4"})
    text_encoding.part_that_fits(nf4, CUDA, LARGE)
    text_encoding.part_that_fits(encoder, CPU, LARGE)
    assert asked[1:] == [CUDA, CPU] and not streamed
    model = text_encoding.part_that_fits(encoder, CUDA, LARGE)
    assert asked[3:] == ["cpu"] and streamed == [(model.encoder, CUDA)]
    assert "T5 is larger than the GPU" in capsys.readouterr().err
