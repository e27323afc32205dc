"""Train the lab's base.

Needs the encoded drawings and the base directory with vae/ and tokenizers; gives the directory that
the architecture's pipeline reads with from_pretrained. Stopped and started again, it goes on from
its last checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from kindred.common.errors import run_main
from kindred.lab.base_training import train
from kindred.lab.miniatures import miniature
from kindred.lab.pretraining_corpus import load_latents
from kindred.lab.settings import LabSettings
from kindred.lab.training_loop import pick_device, rank


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="settings of the lab (YAML)")
    parser.add_argument("--latents", type=Path, nargs="+", required=True, help="encoded drawings")
    parser.add_argument(
        "--base", type=Path, required=True, help="folder of the base, with vae/ and tokenizers"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and logs")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    args = parser.parse_args(argv)
    settings, device = LabSettings.load(args.settings), pick_device(args.device)
    kind = miniature(settings.architecture)
    torch.manual_seed(settings.seed)
    tokenizers, vae = kind.load_tokenizers(args.base), kind.load_vae(args.base)
    model = kind.network(settings, vae.config.latent_channels, tokenizers)
    corpus = load_latents(args.latents, device)
    train(model, settings.flow, corpus, args.work, settings.seed)
    kind.finish(model, settings, corpus, args.work)
    if rank() > 0:
        return 0
    kind.save(model, vae, tokenizers, args.base)
    print(f"{args.base}: trained")
    return 0


if __name__ == "__main__":
    run_main(main)
