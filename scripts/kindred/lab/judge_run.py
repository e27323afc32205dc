"""The lab's judge from shards to a folder: trained, calibrated, measured on fresh drawings."""

from __future__ import annotations

import math
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from kindred.common.errors import KindredError
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


@dataclass(frozen=True)
class JudgeRun:
    """What is trained on, how long, and where it goes; see the options of lab_train_judge.py."""

    identities: Path
    out: Path
    work: Path
    corpus: Path | None = None
    vae: Path | None = None
    vae_share: float = 0.5
    steps: int = 9000
    batch: int = 1024
    general: int = 50_000
    seed: int = 0
    gates: float = 1.0
    device: str = "auto"


def train_and_measure(run: JudgeRun) -> None:
    """Train, calibrate and save the judge; with `gates` measure it and write the figures."""
    if run.steps < 3 or run.batch < 8:
        raise KindredError(
            "these are too few for a training",
            "--steps, --batch",
            "give at least 3 steps and 8 crops",
        )
    # The test pictures are drawn by other processes while this one trains; they are forked before
    # the device is touched and never touch it.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(3, context)
    size = run.gates or 0.2
    held_out = [
        pool.submit(scene_pictures, 5, max(8, round(400 * size))),
        pool.submit(identity_pictures, 6, max(8, round(120 * size)), 3),
        pool.submit(judge_acceptance.draw_gate_pictures, 1, size if run.gates else 0.01),
    ]
    device = pick_device(run.device)
    bank = load_bank(run.corpus, run.identities, device, run.general)
    vae = load_vae(run.vae, device) if run.vae else None
    if vae is not None:
        soften(bank, vae, run.vae_share, run.seed)
    torch.manual_seed(run.seed)
    judge = Judge(JudgeConfig(**vocabulary()))
    began = time.monotonic()
    train_judge(judge, bank, run.steps, run.batch, run.seed, run.work)
    print(f"trained {run.steps} steps in {time.monotonic() - began:.0f} s")
    scenes, identities, gates = (future.result() for future in held_out)
    pool.shutdown()
    save_judge(judge, run.out)
    calibrate(run.out, scenes, identities, device)
    if run.gates:
        figures = report(LabDetector.load(run.out, device), gates, vae, run.work)
        for folder in (run.work, run.out):  # beside the judge for whoever uses it
            write_acceptance(folder, figures, run.out)


def load_vae(path: Path, device: torch.device) -> Any:
    """An AutoencoderKL for inference."""
    from diffusers import AutoencoderKL

    if not (path / "config.json").exists():
        raise KindredError(
            "contains no AutoencoderKL", str(path), "remove --vae, or train one first"
        )
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
