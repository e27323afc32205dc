"""Quantized FLUX.2 klein: what is kept whole, and that every precision agrees with the network."""

import pytest
import tiny_klein
import torch

from kindred.models import loading
from kindred.models.architectures.klein.facts import KLEIN
from kindred.rendering.sampling import initial_noise
from kindred.specs.base_model import Base

pytestmark = pytest.mark.usefixtures("quantized_on_cpu")
KINDS = ["nf4", "nf4-double", "int8"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_klein.build(tmp_path_factory.mktemp("base") / "klein")


def answer(network):
    source = torch.Generator().manual_seed(2)
    text = {"qwen3": torch.randn(2, 20, 96, generator=source)}
    denoiser, noise = KLEIN.denoiser(network), initial_noise([1, 2], 16, 6, 10)
    with torch.no_grad():
        return denoiser.velocity(noise, torch.tensor([0.9, 0.1]), text, 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_quantized_network_agrees(folder, kind):
    wanted = answer(loading.load_transformer(Base(model=str(folder), dtype="float32"), "cpu"))
    base = Base(model=str(folder), dtype="float32", quantization=kind)
    network = loading.load_transformer(base, "cpu")
    found = answer(network)
    far = (found - wanted).abs().mean() / wanted.abs().mean()
    assert 1e-5 < far < (0.02 if kind == "int8" else 0.3)
    for name, part in network.named_modules():
        if isinstance(part, torch.nn.Linear):
            whole = any(one in name for one in KLEIN.never_quantized)
            assert (type(part) is torch.nn.Linear) == whole, name


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[pytest.mark.long] * kind.startswith("nf4")) for kind in KINDS],
)
def test_a_quantized_text_encoder_agrees(folder, kind):
    plain, quantized = (
        loading.load_text_encoder(
            Base(model=str(folder), dtype="float32", quantization=one).text_encoder(48),
            "qwen3",
            "cpu",
        )("JRussell at the beach")
        for one in (None, kind)
    )
    far = (quantized - plain).abs().mean() / plain.abs().mean()
    assert 1e-5 < far < (0.05 if kind == "int8" else 0.5)
