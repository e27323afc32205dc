"""The lab's autoencoder: diffusers' AutoencoderKL, f8, 16 channels, trained on drawings.

It caps how alike a generated face can be, so heads weigh more in its loss, and edges count.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from kindred.common.files import writing
from kindred.lab.pretraining_corpus import Corpus, head_weights, load
from kindred.lab.settings import VaeSettings
from kindred.lab.training_loop import (
    TrainingLoop,
    adamw,
    average_gradients,
    ema_of,
    fast_bfloat16,
    generator,
    rank,
    share,
)


def make(
    settings: VaeSettings,
    corpus: Sequence[Path],
    out: Path,
    work: Path,
    seed: int,
    device: torch.device,
) -> None:
    """Train on folders of drawings and write the autoencoder in bfloat16, with the shift and scale
    that were measured."""
    drawings = load(corpus, device)
    vae = train(settings, drawings, work, seed, device)
    if rank() > 0:
        return
    shift, scale = measure_scale(vae, drawings)
    vae.register_to_config(shift_factor=round(shift, 6), scaling_factor=round(scale, 6))
    for size, images in drawings.images.items():
        print(f"PSNR {size}: {psnr(vae, images[:64]).mean():.2f} dB (seen drawings)")
    half = vae.to(torch.bfloat16, memory_format=torch.contiguous_format)
    with writing(out):
        half.save_pretrained(out)


def build(settings: VaeSettings) -> AutoencoderKL:
    """An untrained autoencoder of FLUX's layout (no quant convolutions, shift and scale)."""
    levels = len(settings.channels)
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=tuple(settings.channels),
        layers_per_block=settings.layers,
        latent_channels=settings.latent_channels,
        norm_num_groups=settings.groups,
        use_quant_conv=False,
        use_post_quant_conv=False,
        force_upcast=True,
        sample_size=144,
    )


def to_signed(images: torch.Tensor) -> torch.Tensor:
    """uint8 [N, H, W, 3] to float [N, 3, H, W] in [-1, 1], channels last in memory."""
    signed = images.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1)
    return signed.contiguous(memory_format=torch.channels_last)


def reconstruction_loss(
    output: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, edges: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """(loss, plain mean squared error): weighted L1 + MSE, plus L1 of finite differences.

    output, target: [N, 3, H, W] in [-1, 1]; weight: [N, 1, H, W] with mean about 1.
    """
    error = output - target
    squared = error.square()
    loss = (weight * (squared + 0.1 * error.abs())).mean()
    dx, dy = error.diff(dim=3).abs(), error.diff(dim=2).abs()
    loss = loss + edges * ((weight[..., 1:] * dx).mean() + (weight[..., 1:, :] * dy).mean())
    return loss, squared.mean()


def train(settings: VaeSettings, corpus: Corpus, folder: Path, seed: int, device: torch.device):
    """Train to the end (resuming if `folder` has a checkpoint); returns the averaged model."""
    torch.manual_seed(seed)
    vae = build(settings).to(device, memory_format=torch.channels_last)
    optimizer, ema = adamw(vae, settings.lr, settings.weight_decay), ema_of(vae, 0.999)
    parts = {"model": vae, "optimizer": optimizer, "ema": ema}
    loop = TrainingLoop(
        "vae", folder, settings.steps, settings.lr, settings.warmup, parts, settings.checkpoint_s
    )
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")

    def forward(images: torch.Tensor, noise: torch.Tensor, weight: torch.Tensor):
        with autocast:
            moments = vae.encoder(images)
            mean, logvar = moments.float().chunk(2, dim=1)
            logvar = logvar.clamp(-20, 10)
            output = vae.decoder(mean + noise * torch.exp(0.5 * logvar))
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
        loss, mse = reconstruction_loss(output.float(), images, weight, settings.edges)
        return loss + settings.kl * kl, mse, kl

    step_function = torch.compile(forward, dynamic=False) if settings.compile else forward
    torch.backends.cudnn.benchmark = device.type == "cuda"  # crops have one shape
    width, height = settings.crop
    shape = (settings.batch, settings.latent_channels, height // 8, width // 8)
    for step in loop:
        images, heads = crops(corpus, settings, seed, step)
        weight = head_weights(heads, (height, width), settings.head_weight)
        noise = torch.randn(shape, generator=generator(seed, step, device), device=device)
        images, weight, noise = images[share()], weight[share()], noise[share()]
        loss, mse, kl = step_function(images, noise, weight)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(vae)
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        ema.update(step)
        loop.note(loss=loss, mse=mse, kl=kl)
    ema.copy_to_parameters()
    return vae


def crops(
    corpus: Corpus, settings: VaeSettings, seed: int, step: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """(images [N, 3, H, W] in [-1, 1], head boxes [N, 4, 4]) of a step, cut to one shape for all
    native sizes, so that one compiled graph serves them."""
    width, height = settings.crop
    size, index = corpus.pick(settings.batch, seed, step)
    images = corpus.images[size]
    rng = generator(seed + 3, step)
    y = int(torch.randint(images.shape[1] - height + 1, (1,), generator=rng))
    x = int(torch.randint(images.shape[2] - width + 1, (1,), generator=rng))
    cut = to_signed(images[index, y : y + height, x : x + width])
    return cut, corpus.heads[size][index] - cut.new_tensor([x, y, x, y])


@torch.no_grad()
def encode(vae: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """Latent means of uint8 [N, H, W, 3]: bfloat16 [N, C, H/8, W/8], not yet shifted or scaled."""
    device = next(vae.parameters()).device
    dtype = torch.bfloat16 if fast_bfloat16(device) else torch.float32
    encoder = copy.deepcopy(vae.encoder).to(dtype)
    batch = 512 if device.type == "cuda" else 16  # a CPU's caches hold no more
    out = []
    for chunk in images.split(batch):
        mean = encoder(to_signed(chunk.to(device)).to(dtype)).chunk(2, dim=1)[0]
        out.append(mean.to(torch.bfloat16))
    return torch.cat(out)


@torch.no_grad()
def measure_scale(vae: AutoencoderKL, corpus: Corpus, count: int = 4096) -> tuple[float, float]:
    """(shift, scale) that bring latents to mean 0 and standard deviation 1 over the corpus."""
    latents = [
        encode(vae, images[: max(8, count // len(corpus.images))]).float().flatten()
        for images in corpus.images.values()
    ]
    flat = torch.cat(latents)
    return flat.mean().item(), 1.0 / flat.std().item()


@torch.no_grad()
def psnr(vae: AutoencoderKL, images: torch.Tensor, batch: int = 32) -> torch.Tensor:
    """Peak signal-to-noise ratio in dB of each round trip: uint8 [N, H, W, 3] to float [N]."""
    device = next(vae.parameters()).device
    figures = []
    for chunk in images.split(batch):
        signed = to_signed(chunk.to(device))
        output = vae.decode(vae.encode(signed).latent_dist.mode()).sample.clamp(-1, 1)
        mse = F.mse_loss(output, signed, reduction="none").mean(dim=(1, 2, 3))
        figures.append(10 * torch.log10(4.0 / mse))
    return torch.cat(figures).cpu()
