"""Timing of one picture: our pipeline beside diffusers' FluxPipeline, from the same embeddings,
noise and random weights.

Knows how a picture is timed and how far two ways agree; knows nothing of tables.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import FluxPipeline

from kindred.benchmarking import random_weights, train_step_speed
from kindred.compute.compilation import compile_blocks
from kindred.compute.cuda_graphs import RecordedNetwork
from kindred.models import fp8_linear
from kindred.models.architectures.flux1 import attention
from kindred.models.architectures.flux1.latents import pack
from kindred.rendering import precision
from kindred.rendering.sampling import decode, denoise, initial_noise, schedule

GUIDANCE = 3.5


def pictures(
    quantization: str | None,
    shape: str,
    resolution: int,
    text_tokens: int,
    sampling_steps: int,
    device: torch.device,
    repeats: int,
    with_compiler: bool,
) -> dict[str, dict[str, Any]]:
    """Figures of each way of drawing, by name; 'difference' in the latents from FluxPipeline's."""
    train_step_speed.clear(device)
    dtype = torch.bfloat16
    net = random_weights.transformer(shape, device, quantization, dtype)
    config, plan = net.config, random_weights.scheduler()
    text = torch.randn(1, text_tokens, config.joint_attention_dim, device=device, dtype=dtype)
    pooled = torch.randn(1, config.pooled_projection_dim, device=device, dtype=dtype)
    edge, tokens = resolution // 8, (resolution // 16) ** 2
    noise = initial_noise([1], config.in_channels // 4, edge, edge)
    vaes = {own: random_weights.vae(shape, device, own) for own in (torch.float32, dtype)}
    pipeline = FluxPipeline(plan, vaes[dtype], None, None, None, None, net)
    pipeline.set_progress_bar_config(disable=True)

    def theirs(kind: str) -> Any:
        return pipeline(
            prompt_embeds=text,
            pooled_prompt_embeds=pooled,
            latents=pack(noise).to(device, dtype),
            height=resolution,
            width=resolution,
            num_inference_steps=sampling_steps,
            guidance_scale=GUIDANCE,
            output_type=kind,
        ).images

    recorded: RecordedNetwork | None = None

    def latents() -> torch.Tensor:
        times = schedule(plan, sampling_steps, tokens)
        return denoise(net, noise, text, pooled, times, GUIDANCE, network=recorded)

    def ours() -> torch.Tensor:
        return decode(vaes[torch.float32], latents())

    found: dict[str, dict[str, Any]] = {}

    def measure(name: str) -> None:
        found[name] = train_step_speed.timed(ours, device, 1, repeats)
        found[name]["difference"] = difference(latents(), expected)

    def changed() -> RecordedNetwork:
        """To draw with a network whose layers are others now."""
        if with_compiler:
            torch._dynamo.reset()
        return RecordedNetwork(net)

    with torch.inference_mode():
        torch.backends.cuda.enable_cudnn_sdp(True)  # torch's own choice, as whoever uses it has it
        try:
            expected = theirs("latent").float()
            found["FluxPipeline"] = train_step_speed.timed(lambda: theirs("np"), device, 1, repeats)
        finally:
            torch.backends.cuda.enable_cudnn_sdp(False)
        attention.use_cudnn_attention(net, device)
        name = "ours"
        measure(name)
        if with_compiler and compile_blocks(net):
            name += ", compiled"
            measure(name)
        if device.type == "cuda":  # as scripts/render.py does it
            recorded = RecordedNetwork(net)
            name += ", recorded"
            measure(name)
            if quantization and precision.dequantize_weights(net, precision.room(device)):
                recorded = changed()
                measure(f"{name}, dequantized for good")
            if fp8_linear.can(device) and quantization != "int8":
                fp8_linear.convert(net, precision.dequantized)
                recorded = changed()
                measure(f"{name}, fp8")
    return found


def difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Root mean square of the difference, as a share of the latents' own."""
    packed = pack(ours).to(theirs.device)
    return ((packed - theirs).square().mean() / theirs.square().mean()).sqrt().item()
