"""Quantized Z-Image: what is kept whole, and that every precision agrees with the network."""

import pytest
import tiny_z_image
import torch

from kindred.models import loading
from kindred.models.architectures.z_image.facts import Z_IMAGE
from kindred.rendering.sampling import initial_noise
from kindred.specs.base_model import Base

pytestmark = pytest.mark.usefixtures("quantized_on_cpu")
# What is reported of the real network: `layers.0.feed_forward.w2` reads up to 3.4e5.
LARGEST = 3.4e5


def answer(network):
    source = torch.Generator().manual_seed(2)
    texts = [{"qwen3": torch.randn(rows, 32, generator=source)} for rows in (20, 40)]
    denoiser, read = Z_IMAGE.denoiser(network), Z_IMAGE.text.collate(texts)
    with torch.no_grad():
        return denoiser.velocity(initial_noise([1, 2], 4, 6, 10), torch.tensor([0.9, 0.1]), read, 1)


LONG = [("nf4", 500.0), ("nf4-double", 1.0), ("nf4-double", 500.0), ("int8", 1.0)]


@pytest.mark.parametrize(
    ("kind", "factor"),
    [("nf4", 1.0), ("int8", 500.0), *(pytest.param(*one, marks=pytest.mark.long) for one in LONG)],
)
def test_a_quantized_network_agrees(tmp_path, kind, factor):
    folder = tiny_z_image.build(tmp_path / "base")
    plain = loading.load_transformer(Base(model=str(folder), dtype="float32"), "cpu")
    plain.layers[0].feed_forward.w1.weight *= factor
    plain.layers[0].feed_forward.w3.weight *= factor
    plain.save_pretrained(folder / "transformer")
    read = []
    plain.layers[0].feed_forward.w2.register_forward_pre_hook(
        lambda _, inputs: read.append(inputs[0].abs().max().item())
    )
    wanted = answer(plain)
    assert (max(read) > LARGEST) == (factor > 1)
    base = Base(model=str(folder), dtype="float32", quantization=kind)
    network = loading.load_transformer(base, "cpu")
    found = answer(network)
    far = (found - wanted).abs().mean() / wanted.abs().mean()
    assert 1e-5 < far < (0.02 if kind == "int8" else 0.3)
    for name, part in network.named_modules():
        if isinstance(part, torch.nn.Linear):
            whole = any(one in name for one in Z_IMAGE.never_quantized)
            assert (type(part) is torch.nn.Linear) == whole, name
