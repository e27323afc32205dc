"""Our attention against diffusers', and the shapes that compiled code is told of cuDNN's."""

import torch
from diffusers import FluxTransformer2DModel
from diffusers.models.transformers.transformer_flux import FluxAttnProcessor
from torch._subclasses.fake_tensor import FakeTensorMode

from kindred.benchmarking import random_weights
from kindred.models.architectures import joint_attention as attention

EDGE, TEXT = 4, 7


def asked(config):
    source = torch.Generator().manual_seed(0)
    ids = torch.zeros(EDGE * EDGE, 3)
    ids[:, 1:] = torch.cartesian_prod(torch.arange(EDGE), torch.arange(EDGE))
    return {
        "hidden_states": torch.randn(2, EDGE * EDGE, config.in_channels, generator=source),
        "encoder_hidden_states": torch.randn(2, TEXT, config.joint_attention_dim, generator=source),
        "pooled_projections": torch.randn(2, config.pooled_projection_dim, generator=source),
        "timestep": torch.tensor([0.3, 0.8]),
        "guidance": torch.ones(2),
        "img_ids": ids,
        "txt_ids": torch.zeros(TEXT, 3),
    }


def test_the_processor_gives_what_diffusers_own_gives():
    torch.manual_seed(0)
    network = FluxTransformer2DModel(**random_weights.SHAPES["tiny"].network).eval()
    with torch.inference_mode():
        expected = network(**asked(network.config)).sample
        for processor in (attention.JointAttention(), attention.CudnnAttention()):
            network.set_attn_processor(processor)
            found = network(**asked(network.config)).sample
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_a_network_on_a_cpu_keeps_its_attention():
    network = FluxTransformer2DModel(**random_weights.SHAPES["tiny"].network)
    attention.use_cudnn_attention(network, torch.device("cpu"))
    assert {type(p) for p in network.attn_processors.values()} == {FluxAttnProcessor}


def test_compiled_code_is_told_the_shapes_of_results_and_gradients():
    with FakeTensorMode():
        tensors = [
            torch.empty(1, 2, tokens, 8, dtype=torch.bfloat16, device="cuda")
            for tokens in (6, 9, 9)
        ]
        found, sums = attention.by_cudnn(*tensors)
        slopes = attention.by_cudnn_backward(found, *tensors, found, sums)
    assert (found.shape, found.dtype) == (tensors[0].shape, torch.bfloat16)
    assert (sums.shape, sums.dtype) == ((1, 2, 6, 1), torch.float32)
    assert [slope.shape for slope in slopes] == [tensor.shape for tensor in tensors]


def test_where_cudnn_has_no_kernel_torch_attends_and_says_so(monkeypatch, capsys):
    network = FluxTransformer2DModel(**random_weights.SHAPES["tiny"].network)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))

    def no_kernel(*_):
        raise RuntimeError("No valid execution plans built.\nand more")

    monkeypatch.setattr(attention, "by_cudnn", no_kernel)
    monkeypatch.setattr(torch, "zeros", lambda *_, **__: None)  # no GPU is here to hold them
    attention.use_cudnn_attention(network, torch.device("cuda", 0))
    assert {type(p) for p in network.attn_processors.values()} == {FluxAttnProcessor}
    said = capsys.readouterr().err
    assert said == (
        "warning: cuDNN's attention does not work here (No valid execution plans built.); "
        "continuing with torch's, more slowly\n"
    )


def test_whoever_draws_in_inference_mode_is_told_the_same(monkeypatch):
    attend = torch.nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(attention, "by_cudnn", lambda *found: (attend(*found), None))
    attention._works.cache_clear()
    with torch.inference_mode():
        assert attention._works(torch.device("cpu"), 8)
    attention._works.cache_clear()


def test_amds_and_apples_gpus_have_no_cudnn(monkeypatch):
    monkeypatch.setattr(torch.version, "hip", "6.4")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 4))
    for kind in ("cuda", "mps"):
        assert not attention.cudnn_is_faster(None, torch.device(kind), head=64)
