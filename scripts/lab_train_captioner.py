"""Train the lab's captioner, a small BLIP, and measure it.

Needs shards of lab_draw_shards.py or lab_identity_corpus.py. Gives <out> as BLIP's from_pretrained
reads it, and <work>/captioner-gates.json. Can be stopped and started again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from kindred.common.errors import KindredError, run_main
from kindred.lab.captioner_model import build_model, save_captioner
from kindred.lab.captioner_training import report, train_captioner
from kindred.lab.judge_dataset import load_bank
from kindred.lab.training_loop import pick_device


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--corpus", type=Path, help="folder of lab_draw_shards.py")
    p.add_argument("--identities", type=Path, help="folder of lab_identity_corpus.py")
    p.add_argument("--out", type=Path, required=True, help="folder for the captioner")
    p.add_argument("--work", type=Path, required=True, help="folder for checkpoints and tests")
    p.add_argument("--steps", type=int, default=4000, help="training steps")
    p.add_argument("--batch", type=int, default=512, help="pictures in each step")
    p.add_argument("--images", type=int, default=120_000, help="pictures taken from --corpus")
    p.add_argument("--width", type=int, default=144, help="width of the model, a multiple of 48")
    p.add_argument("--seed", type=int, default=0, help="seed of everything random")
    p.add_argument("--gates", type=int, default=200, help="drawings in the final test; 0: none")
    p.add_argument("--device", default="auto", help="auto, cpu or cuda")
    return p


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.corpus is None and args.identities is None:
        raise KindredError("no drawings to train on", cure="give --corpus or --identities")
    if args.width % 48 or args.width <= 0:
        what, where = "doesn't fit the network's heads", f"--width {args.width}"
        raise KindredError(what, where, "choose a multiple of 48")
    device = pick_device(args.device)
    bank = load_bank(args.corpus, args.identities, device, args.images)
    torch.manual_seed(args.seed)
    model = build_model(args.width)
    began = time.monotonic()
    train_captioner(model, bank, args.steps, args.batch, args.seed, args.work)
    print(f"trained {args.steps} steps in {time.monotonic() - began:.0f} s")
    save_captioner(model, args.out)
    if args.gates:
        report(model, args.gates, args.work / "captioner-gates.json")
    return 0


if __name__ == "__main__":
    run_main(main)
