"""cuDNN's attention as an operation of its own, on a real GPU: a minute with compiling."""

import pytest
import torch

from kindred.benchmarking import random_weights
from kindred.models.architectures import joint_attention as attention
from kindred.models.lora import injection
from kindred.specs.training import Recipe

HERE = torch.cuda.is_available() and torch.cuda.get_device_capability() >= attention.CUDNN_FROM
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not HERE, reason="needs a CUDA GPU of Hopper's generation or later"),
]
DEVICE = torch.device("cuda:0" if HERE else "cpu")
TOKENS = [1536, 1000]  # the second is no multiple of a tile


def three(tokens):
    source = torch.Generator(DEVICE).manual_seed(tokens)
    return [
        torch.randn(1, 24, tokens, 128, device=DEVICE, generator=source).bfloat16()
        for _ in range(3)
    ]


def with_gradients(product, tensors):
    leaves = [t.clone().requires_grad_() for t in tensors]
    found = product(*leaves)
    (
        found.float() * torch.sin(torch.arange(found.numel(), device=DEVICE)).view(found.shape)
    ).sum().backward()
    return [found.detach(), *[leaf.grad for leaf in leaves]]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("tokens", TOKENS)
def test_cudnn_and_torch_agree(tokens, compiled):
    product = attention.CudnnAttention().product

    def turned(query, key, value):  # laid out as in a network
        q, k, v = (t.transpose(1, 2).contiguous().transpose(1, 2) for t in (query, key, value))
        return product(q * 1.5, k, v, None).transpose(1, 2).flatten(2, 3)

    def plain(query, key, value):
        found = torch.nn.functional.scaled_dot_product_attention(query * 1.5, key, value)
        return found.transpose(1, 2).flatten(2, 3)

    tensors = three(tokens)
    expected = with_gradients(plain, [t.float() for t in tensors])
    run = torch.compile(turned, fullgraph=True) if compiled else turned
    for one, other in zip(with_gradients(run, tensors), expected, strict=True):
        assert (one.float() - other).norm() <= 0.01 * other.norm()


def test_compiled_blocks_that_are_checkpointed_and_recorded(monkeypatch):
    """Where cuDNN's attention without an operation of its own met illegal memory accesses."""
    small = random_weights.SHAPES["flux-dev"].resized(num_layers=2, num_single_layers=2)
    monkeypatch.setitem(random_weights.SHAPES, "small", small)
    found = []
    for quick in (False, True):
        net = random_weights.transformer("small", DEVICE, None)
        parameters = injection.add_lora(net, Recipe(rank=4, targets="attention"), 0)
        source = torch.Generator().manual_seed(1)
        for parameter in parameters:
            parameter.data = (torch.randn(parameter.shape, generator=source) * 0.02).to(DEVICE)
        if quick:
            attention.use_cudnn_attention(net, DEVICE)
        net.enable_gradient_checkpointing()
        net.train()
        net.compile_repeated_blocks()
        run = random_flux_input(net.config)
        for _ in range(3):
            for parameter in parameters:
                parameter.grad = None
            net(**run, return_dict=False)[0].float().square().mean().backward()
        found.append([parameter.grad.float() for parameter in parameters])
    for one, other in zip(*found, strict=True):
        assert one.norm() > 0
        assert (one - other).norm() <= 0.02 * other.norm()


def random_flux_input(config):
    source = torch.Generator().manual_seed(2)

    def numbers(*size):
        return torch.randn(*size, generator=source).to(DEVICE, torch.bfloat16)

    edge, text = 32, 512
    ids = torch.zeros(edge * edge, 3, device=DEVICE)
    ids[:, 1:] = torch.cartesian_prod(*[torch.arange(edge, device=DEVICE)] * 2)
    return {
        "hidden_states": numbers(1, edge * edge, config.in_channels),
        "encoder_hidden_states": numbers(1, text, config.joint_attention_dim),
        "pooled_projections": numbers(1, config.pooled_projection_dim),
        "timestep": torch.tensor([0.5], device=DEVICE, dtype=torch.bfloat16),
        "guidance": torch.tensor([1.0], device=DEVICE),
        "img_ids": ids,
        "txt_ids": torch.zeros(text, 3, device=DEVICE),
    }
