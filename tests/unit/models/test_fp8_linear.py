"""Products in 8-bit floats against those in full, on a CPU."""

import pytest
import tiny_base
import torch

from kindred.common.errors import KindredError
from kindred.models import fp8_linear
from kindred.rendering import precision
from kindred.rendering.image_plan import plan
from kindred.specs.base_model import Base
from kindred.specs.rendering import PromptSet, RenderSpec


def spec_of(folder, way, quantization=None):
    prompt_set = PromptSet(
        prompts={"a": "x"}, seeds=[1], width=32, height=32, steps=2, precision=way
    )
    base = Base(model=str(folder), dtype="float32", text_tokens=8, quantization=quantization)
    return RenderSpec(base=base, prompt_set=prompt_set, name="p")


def test_a_layer_gives_nearly_what_the_plain_one_gives():
    torch.manual_seed(0)
    weight, bias, x = torch.randn(48, 64), torch.randn(48), torch.randn(2, 5, 64)
    weight[3] *= 1000  # rows and tokens of all sizes keep their own scale
    x[1, 2] *= 0.001
    layer = fp8_linear.Fp8Linear(weight, bias.bfloat16())
    found, expected = layer(x.bfloat16()), torch.nn.functional.linear(x, weight, bias)
    assert found.dtype == torch.bfloat16 and found.shape == (2, 5, 48)
    for place in (..., (..., 3), (0, 1), (1, 2)):
        mine, theirs = (t[place].float() for t in (found, expected))
        assert (mine - theirs).norm() < 0.05 * theirs.norm()
    assert layer.weight.dtype == torch.float8_e4m3fn and layer.weight.nbytes == 48 * 64


def test_layers_asked_together_answer_as_each_alone():
    torch.manual_seed(0)
    layers = [fp8_linear.Fp8Linear(torch.randn(32, 64), None) for _ in range(2)]
    x, plain = torch.randn(2, 5, 64).bfloat16(), torch.nn.Linear(64, 16).bfloat16()
    for asked in (layers, [*layers, plain]):
        found = fp8_linear.answers(asked, x)
        assert all(torch.equal(one, layer(x)) for one, layer in zip(found, asked, strict=True))


def test_zeros_and_what_is_largest_stay():
    rows = torch.tensor([[0.0, 0.0], [448.0, -896.0]])
    eight, scale = fp8_linear.eight_bit(rows)
    assert torch.equal(eight.float() * scale, rows)


def test_the_blocks_layers_are_converted_and_no_other(base):
    plain = precision.load(spec_of(base, None), [], "cpu")
    expected = set(fp8_linear.layers(plain, precision.token_layers(plain)))
    assert any(name.endswith("attn.to_q") for name in expected)
    assert not any("norm" in name or "embedder" in name for name in expected)
    net = precision.load(spec_of(base, "fp8"), [], "cpu")
    found = {n for n, part in net.named_modules() if isinstance(part, fp8_linear.Fp8Linear)}
    assert found == expected
    mine, theirs = tiny_base.answer(net).float(), tiny_base.answer(plain).float()
    assert 0 < (mine - theirs).norm() < 0.1 * theirs.norm()


def test_its_pictures_have_keys_of_their_own(base):
    one, other = (plan(spec_of(base, way), [], "base@1")[0].key for way in ("fp8", None))
    assert one != other


def test_where_it_cannot_be_it_says_so(base, monkeypatch):
    with pytest.raises(KindredError, match="an int8 base already computes in 8-bit integers"):
        precision.load(spec_of(base, "fp8", "int8"), [], "cpu")
    monkeypatch.setattr(fp8_linear, "can", lambda _: False)
    with pytest.raises(KindredError, match=r"this GPU can't compute with 8-bit floats"):
        precision.load(spec_of(base, "fp8"), [], "cpu")


def test_amds_gpus_have_other_8_bit_floats_and_apples_none(monkeypatch):
    """AMD numbers its generations too: 9.4 is no Hopper."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 4))
    gpu = torch.device("cuda")
    assert fp8_linear.can(gpu) and not fp8_linear.can(torch.device("mps"))
    monkeypatch.setattr(torch.version, "hip", "6.4")
    assert not fp8_linear.can(gpu)
