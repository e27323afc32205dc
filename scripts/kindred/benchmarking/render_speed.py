"""Timing of one picture: our pipeline beside diffusers' own, from the same embeddings, noise and
random weights.

Knows how a picture is timed and how far two ways agree; knows nothing of tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from kindred.benchmarking import random_weights, reference_pipelines, train_step_speed
from kindred.compute.compilation import compile_blocks
from kindred.compute.cuda_graphs import RecordedNetwork
from kindred.models import fp8_linear
from kindred.models.architectures.interface import on_device
from kindred.models.architectures.noise_levels import schedule
from kindred.rendering import precision
from kindred.rendering.sampling import denoise, initial_noise

Way = tuple[str, dict[str, Any]]  # its name and figures


@dataclass
class Scene:
    """One picture to be drawn, in our way and in diffusers', with the same random weights."""

    net: Any
    resolution: int
    text_tokens: int
    steps: int
    shape: str
    device: torch.device

    def __post_init__(self) -> None:
        asked, device = random_weights.SHAPES[self.shape], self.device
        self.known = asked.known
        texts = (random_weights.text(self.shape, self.text_tokens) for _ in range(2))
        text, negative = (
            on_device(self.known.text.collate([one]), device, torch.bfloat16) for one in texts
        )
        edge = self.resolution // self.known.latent_px
        noise = initial_noise([1], asked.channels, edge, edge)
        self.vae = random_weights.vae(self.shape, device, torch.float32)
        self.recorded: RecordedNetwork | None = None
        self.guided = asked.passes > 1
        denoiser = self.known.denoiser(None)
        scale = asked.drawing[1]
        self.asked = reference_pipelines.Asked(
            denoiser, text, negative, noise, self.resolution, self.steps, scale
        )

    def reference(self) -> Any:
        """diffusers' pipeline around the same network."""
        dtype = torch.bfloat16
        vae = random_weights.vae(self.shape, self.device, dtype)
        return reference_pipelines.pipeline(self.shape, self.net, vae)

    def latents(self) -> torch.Tensor:
        """The picture's latents by our loop."""
        asked = self.asked
        tokens = self.known.tokens(*asked.noise.shape[-2:])
        plan = dict(random_weights.scheduler(self.shape).config)
        times = schedule(self.known.shift(plan, tokens, self.steps), self.steps)
        denoiser = self.known.denoiser(self.net, self.recorded)
        if not self.guided:
            return denoise(denoiser, asked.noise, asked.text, times, asked.guidance)
        scale = self.known.cfg_scale(asked.guidance)
        return denoise(
            denoiser, asked.noise, asked.text, times, scale, negative=asked.negative, together=True
        )

    def ours(self) -> torch.Tensor:
        """The whole picture by our loop."""
        return self.known.latent_coding(self.vae).decode(self.latents())


def pictures(
    quantization: str | None,
    shape: str,
    resolution: int,
    text_tokens: int,
    sampling_steps: int,
    device: torch.device,
    repeats: int,
    with_compiler: bool,
) -> Iterator[Way]:
    """The name of each way of drawing and its figures, as they come; 'difference' in the latents
    from that of diffusers' pipeline."""
    train_step_speed.clear(device)
    net = random_weights.transformer(shape, device, quantization, torch.bfloat16)
    scene = Scene(net, resolution, text_tokens, sampling_steps, shape, device)
    asked = scene.asked
    with torch.inference_mode():
        torch.backends.cuda.enable_cudnn_sdp(True)  # torch's own choice, as whoever uses it has it
        try:
            built = scene.reference()
            theirs = partial(reference_pipelines.draw, shape, built, asked)
            latent = theirs("latent")
            coding = scene.known.latent_coding(scene.vae)
            expected = reference_pipelines.as_latents(latent, asked, coding)
            figures = train_step_speed.timed(partial(theirs, "np"), device, 1, repeats)
        finally:
            torch.backends.cuda.enable_cudnn_sdp(False)
        del built, theirs
        yield scene.known.pipelines[0], figures

        def measure(name: str) -> Way:
            timed = train_step_speed.timed(scene.ours, device, 1, repeats)
            return name, {**timed, "difference": difference(scene.latents(), expected)}

        if scene.known.fast_attention:
            scene.known.fast_attention(net, device)
        name = "ours"
        yield measure(name)
        if with_compiler and compile_blocks(net):
            name += ", compiled"
            yield measure(name)
        if device.type == "cuda":
            name += ", recorded"
            yield from recorded_ways(scene, quantization, with_compiler, name, measure)


def recorded_ways(
    scene: Scene,
    quantization: str | None,
    with_compiler: bool,
    name: str,
    measure: Callable[[str], Way],
) -> Iterator[Way]:
    """The ways with a recorded network, as scripts/render.py does it."""

    def record() -> None:
        """Draw with a recording of the network, whose layers may be others now."""
        if with_compiler and scene.recorded:
            torch._dynamo.reset()
        scene.recorded = RecordedNetwork(scene.known.denoiser(net).call)

    net, device = scene.net, scene.device
    record()
    yield measure(name)
    if quantization and precision.dequantize_weights(net, precision.room(device)):
        record()
        yield measure(f"{name}, dequantized for good")
    if fp8_linear.can(device) and quantization != "int8":
        fp8_linear.convert(net, precision.token_layers(net), precision.dequantized)
        record()
        yield measure(f"{name}, fp8")


def difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Root mean square of the difference, as a share of the latents' own."""
    ours = ours.to(theirs.device)
    return ((ours - theirs).square().mean() / theirs.square().mean()).sqrt().item()
