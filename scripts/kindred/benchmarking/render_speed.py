"""Timing of one picture: our pipeline beside diffusers' FluxPipeline, from the same embeddings,
noise and random weights.

Knows how a picture is timed and how far two ways agree; knows nothing of tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from diffusers import FluxPipeline

from kindred.benchmarking import random_weights, train_step_speed
from kindred.compute.compilation import compile_blocks
from kindred.compute.cuda_graphs import RecordedNetwork
from kindred.models import fp8_linear
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.architectures.noise_levels import schedule
from kindred.models.architectures.patches import pack
from kindred.rendering import precision
from kindred.rendering.sampling import denoise, initial_noise

GUIDANCE = 3.5


@dataclass
class Scene:
    """One picture to be drawn, in our way and in FluxPipeline's, with the same random weights."""

    net: Any
    resolution: int
    text_tokens: int
    steps: int
    shape: str
    device: torch.device

    def __post_init__(self) -> None:
        config, dtype, device = self.net.config, torch.bfloat16, self.device
        self.plan = random_weights.scheduler()
        size = 1, self.text_tokens, config.joint_attention_dim
        self.text = torch.randn(*size, device=device, dtype=dtype)
        self.pooled = torch.randn(1, config.pooled_projection_dim, device=device, dtype=dtype)
        edge = self.resolution // 8
        self.noise = initial_noise([1], config.in_channels // 4, edge, edge)
        self.vae = random_weights.vae(self.shape, device, torch.float32)
        vae = random_weights.vae(self.shape, device, dtype)
        self.pipeline = FluxPipeline(self.plan, vae, None, None, None, None, self.net)
        self.pipeline.set_progress_bar_config(disable=True)
        self.recorded: RecordedNetwork | None = None

    def theirs(self, kind: str) -> Any:
        """The picture by FluxPipeline; kind: 'latent' or 'np'."""
        return self.pipeline(
            prompt_embeds=self.text,
            pooled_prompt_embeds=self.pooled,
            latents=pack(self.noise).to(self.device, torch.bfloat16),
            height=self.resolution,
            width=self.resolution,
            num_inference_steps=self.steps,
            guidance_scale=GUIDANCE,
            output_type=kind,
        ).images

    def latents(self) -> torch.Tensor:
        """The picture's latents by our loop."""
        shift = FLUX1.shift(self.plan.config, (self.resolution // 16) ** 2, self.steps)
        times, text = schedule(shift, self.steps), {"t5": self.text, "clip": self.pooled}
        return denoise(FLUX1.denoiser(self.net, self.recorded), self.noise, text, times, GUIDANCE)

    def ours(self) -> torch.Tensor:
        """The whole picture by our loop."""
        return FLUX1.latent_coding(self.vae).decode(self.latents())


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
    net = random_weights.transformer(shape, device, quantization, torch.bfloat16)
    scene = Scene(net, resolution, text_tokens, sampling_steps, shape, device)
    found: dict[str, dict[str, Any]] = {}

    def measure(name: str) -> None:
        found[name] = train_step_speed.timed(scene.ours, device, 1, repeats)
        found[name]["difference"] = difference(scene.latents(), expected)

    def record() -> None:
        """Draw with a recording of the network, whose layers may be others now."""
        if with_compiler and scene.recorded:
            torch._dynamo.reset()
        scene.recorded = RecordedNetwork(FLUX1.denoiser(net).call)

    with torch.inference_mode():
        torch.backends.cuda.enable_cudnn_sdp(True)  # torch's own choice, as whoever uses it has it
        try:
            expected = scene.theirs("latent").float()
            found["FluxPipeline"] = train_step_speed.timed(
                partial(scene.theirs, "np"), device, 1, repeats
            )
        finally:
            torch.backends.cuda.enable_cudnn_sdp(False)
        FLUX1.fast_attention(net, device)
        name = "ours"
        measure(name)
        if with_compiler and compile_blocks(net):
            name += ", compiled"
            measure(name)
        if device.type == "cuda":  # as scripts/render.py does it
            record()
            name += ", recorded"
            measure(name)
            if quantization and precision.dequantize_weights(net, precision.room(device)):
                record()
                measure(f"{name}, dequantized for good")
            if fp8_linear.can(device) and quantization != "int8":
                fp8_linear.convert(net, precision.token_layers(net), precision.dequantized)
                record()
                measure(f"{name}, fp8")
    return found


def difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Root mean square of the difference, as a share of the latents' own."""
    packed = pack(ours).to(theirs.device)
    return ((packed - theirs).square().mean() / theirs.square().mean()).sqrt().item()
