"""Train the lab's judge and measure it.

Needs shards of lab_identity_corpus.py, and of lab_draw_shards.py where there are any; an
autoencoder if the judge is to know softened pictures. Gives <out>/config.json
and <out>/model.safetensors, and gates.json, there and in <work>, with the figures of the gates on
fresh drawings. Can be stopped and started again.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from kindred.common.errors import KindredError, run_main
from kindred.judges.lab_inference import LabDetector
from kindred.judges.lab_judge import write_acceptance
from kindred.judges.lab_networks import Judge, JudgeConfig, load_judge, save_judge
from kindred.lab import judge_acceptance
from kindred.lab.acceptance_images import AcceptanceImage, identity_pictures, scene_pictures
from kindred.lab.detection_losses import best_threshold
from kindred.lab.judge_dataset import load_bank, soften
from kindred.lab.judge_labels import vocabulary
from kindred.lab.judge_training import train_judge
from kindred.lab.training_loop import pick_device

LOWEST_SCORE = 0.05
# Likeness of two pictures of one person, and of two people, on held-out drawings.
CALIBRATION = {
    "same": "same mean",
    "same_sd": "same sd",
    "stranger": "stranger mean",
    "stranger_sd": "stranger sd",
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument(
        "--identities", type=Path, required=True, help="folder of lab_identity_corpus.py"
    )
    p.add_argument("--corpus", type=Path, help="folder of lab_draw_shards.py")
    p.add_argument("--vae", type=Path, help="diffusers AutoencoderKL directory")
    p.add_argument("--vae-share", type=float, default=0.5, help="share of pictures softened by it")
    p.add_argument("--out", type=Path, required=True, help="where the judge is saved")
    p.add_argument("--work", type=Path, required=True, help="checkpoints, loss logs, gates.json")
    p.add_argument("--steps", type=int, default=9000, help="of all three networks together")
    p.add_argument("--batch", type=int, default=1024, help="head crops a step of the face network")
    p.add_argument("--general", type=int, default=50_000, help="pictures taken from --corpus")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--gates", type=float, default=1.0, help="size of the final test; 0: none")
    p.add_argument("--device", default="auto", help="auto, cpu or cuda")
    return p


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.steps < 3 or args.batch < 8:
        raise KindredError("--steps must be at least 3 and --batch at least 8")
    # The test pictures are drawn by other processes while this one trains; they are forked before
    # the device is touched and never touch it.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(3, context)
    size = args.gates or 0.2
    held_out = [
        pool.submit(scene_pictures, 5, max(8, round(400 * size))),
        pool.submit(identity_pictures, 6, max(8, round(120 * size)), 3),
        pool.submit(judge_acceptance.draw_gate_pictures, 1, size if args.gates else 0.01),
    ]
    device = pick_device(args.device)
    bank = load_bank(args.corpus, args.identities, device, args.general)
    vae = load_vae(args.vae, device) if args.vae else None
    if vae is not None:
        soften(bank, vae, args.vae_share, args.seed)
    torch.manual_seed(args.seed)
    judge = Judge(JudgeConfig(**vocabulary()))
    began = time.monotonic()
    train_judge(judge, bank, args.steps, args.batch, args.seed, args.work)
    print(f"trained {args.steps} steps in {time.monotonic() - began:.0f} s")
    scenes, identities, gates = (future.result() for future in held_out)
    pool.shutdown()
    save_judge(judge, args.out)
    calibrate(args.out, scenes, identities, device)
    if args.gates:
        figures = report(LabDetector.load(args.out, device), gates, vae, args.work)
        for folder in (args.work, args.out):  # beside the judge for whoever uses it
            write_acceptance(folder, figures, args.out)
    return 0


def load_vae(path: Path, device: torch.device) -> Any:
    """An AutoencoderKL for inference."""
    from diffusers import AutoencoderKL

    if not (path / "config.json").exists():
        raise KindredError(f"{path}: no AutoencoderKL here; leave --vae out or train one first")
    vae = AutoencoderKL.from_pretrained(path, torch_dtype=torch.float32)
    vae = vae.to(device, memory_format=torch.channels_last)
    return vae.eval().requires_grad_(False)


def calibrate(
    out: Path,
    scenes: list[AcceptanceImage],
    identities: list[AcceptanceImage],
    device: torch.device,
) -> None:
    """Choose the threshold and measure mean likeness, on held-out drawings; save both."""
    judge = load_judge(out)
    looker = LabDetector.load(out, device)
    sightings = looker.look([p.image for p in scenes], threshold=LOWEST_SCORE)
    scores = [torch.tensor([seen.score for seen in s.people]) for s in sightings]
    threshold = best_threshold(scores, [len(p.scene.figures) for p in scenes])
    looker.config = replace(looker.config, threshold=threshold)
    figures = judge_acceptance.identity_figures(looker, identities)
    likeness = {
        key: round(figures[figure], 4)
        for key, figure in CALIBRATION.items()
        if math.isfinite(figures[figure])
    }
    judge.config = replace(judge.config, threshold=threshold, calibration=likeness)
    save_judge(judge, out)


def report(
    judge: LabDetector, drawn: judge_acceptance.GatePictures, vae: Any, work: Path
) -> judge_acceptance.Figures:
    """Measure, print, and name the gates that are not reached."""
    figures = judge_acceptance.measure(judge, drawn, vae)
    figures |= judge_acceptance.looks_readable(judge, drawn.identities)
    for name, value in figures.items():
        print(f"{name:32s} {value:.4f}")
    missed = judge_acceptance.failures(figures)
    print("\n".join(["gates not reached:", *missed]) if missed else "all gates reached")
    return figures


if __name__ == "__main__":
    run_main(main)
