"""klein's autoencoder in small: the weights of a trained AutoencoderKL in klein's class, and the
batch statistics by which klein normalises latents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderKLFlux2

from kindred.common.files import writing
from kindred.lab import pretraining_corpus as drawings
from kindred.lab.settings import KleinVaeSettings
from kindred.lab.training_loop import rank
from kindred.lab.vae_training import encode
from kindred.models.architectures.klein.latents import patchify

KEPT = (
    "down_block_types",
    "up_block_types",
    "block_out_channels",
    "layers_per_block",
    "latent_channels",
    "norm_num_groups",
    "use_quant_conv",
    "use_post_quant_conv",
    "sample_size",
)


def adopt(plain: AutoencoderKL) -> AutoencoderKLFlux2:
    """The same networks in klein's class, batch statistics not yet measured."""
    vae = AutoencoderKLFlux2(**{name: plain.config[name] for name in KEPT})
    vae.load_state_dict(plain.state_dict() | vae.bn.state_dict(prefix="bn."))
    return vae.eval()


@torch.no_grad()
def measure_statistics(vae: AutoencoderKLFlux2, corpus: drawings.Corpus, count: int) -> None:
    """Set mean and variance of each channel of the patched latents over `count` drawings."""
    each = max(8, count // len(corpus.images))
    rows = [
        patchify(encode(vae, images[:each]).float()).transpose(0, 1).flatten(1)
        for images in corpus.images.values()
    ]
    values = torch.cat(rows, dim=1)
    vae.bn.running_mean.copy_(values.mean(dim=1))
    vae.bn.running_var.copy_(values.var(dim=1))


def make(
    settings: KleinVaeSettings, corpus: Sequence[Path], out: Path, device: torch.device
) -> None:
    """As `Miniature.make_vae`."""
    if rank() > 0:
        return
    loaded = drawings.load(corpus, torch.device("cpu"))
    vae = adopt(AutoencoderKL.from_pretrained(settings.weights))
    vae = vae.to(device, memory_format=torch.channels_last)
    measure_statistics(vae, loaded, settings.pictures)
    half = vae.to(torch.bfloat16, memory_format=torch.contiguous_format)
    with writing(out):
        half.save_pretrained(out)
