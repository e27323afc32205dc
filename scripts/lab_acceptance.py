"""Measure the lab's models anew and compare the figures with what they should reach.

Needs lab/base and lab/judge; for the gate of single-character LoRAs also the results of the
experiment lab-singles. Gives a table on the terminal and, with --out, the figures as JSON. The
status is 0 whether or not every gate is reached: a figure is a figure.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from kindred.common.errors import KindredError, run_main
from kindred.common.files import read_json, write_json
from kindred.judges.lab_inference import LabDetector
from kindred.lab import judge_acceptance, sample_sheets
from kindred.lab.base_acceptance import (
    STEPS,
    Faces,
    Gate,
    SampleRenderer,
    caption_gates,
    name_gates,
    vae_gates,
)
from kindred.lab.training_loop import pick_device
from kindred.rendering.manifest import read_manifest
from kindred.world.families import FAMILIES
from kindred.world.vocabulary import PORTRAIT

TRAINING_S = 100.0  # a single-character LoRA on two cores


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", type=Path, default=Path("lab"))
    parser.add_argument("--singles", type=Path, help="results/lab-singles")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--sheets", type=Path, help="folder for sheets of what the base draws")
    parser.add_argument("--share", type=float, default=1.0, help="of the pictures; 1 is all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="the gates of speed are meant for cpu")
    args = parser.parse_args(argv)
    for part in ("base/transformer", "judge"):
        if not (args.lab / part).is_dir():
            raise KindredError(
                f"{args.lab / part}: not there; build it with `snakemake lab_models` on a GPU"
            )
    torch.set_num_threads(args.threads)
    gates = measure(args)
    print("\n".join(map(str, gates)))
    missed = sum(not gate.reached for gate in gates)
    print(f"{len(gates) - missed} of {len(gates)} gates reached")
    if args.out:
        write_json(args.out, {g.name: {"figure": g.figure, "target": g.target} for g in gates})
    return 0


def measure(args: argparse.Namespace) -> list[Gate]:
    """Every gate that can be measured with what is there."""
    device = pick_device(args.device)
    judge = LabDetector.load(args.lab / "judge", device)
    tokens = 56
    studio = SampleRenderer(args.lab / "base", tokens, device)
    gates = vae_gates(studio, judge, max(4, round(200 * args.share)), args.seed)
    gates += judge_gate_list(judge, studio, args)
    gates += caption_gates(studio, judge, max(8, round(200 * args.share)), args.seed)
    gates += name_gates(studio, judge, max(1, round(8 * args.share)), args.seed)
    gates.append(speed_gate(studio))
    if args.singles and args.singles.is_dir():
        gates += single_gates(judge, args.singles)
    else:
        print("no results of lab-singles: the gate of single-character LoRAs is left out")
    if args.sheets:
        save_sheets(studio, args)
    return gates


def save_sheets(studio: SampleRenderer, args: argparse.Namespace) -> None:
    """Pictures for the card."""
    args.sheets.mkdir(parents=True, exist_ok=True)
    sample_sheets.base_sheet(studio).save(args.sheets / "base.webp", quality=78, method=6)
    if args.singles and args.singles.is_dir():
        sample_sheets.singles_sheet(args.singles).save(
            args.sheets / "singles.webp", quality=78, method=6
        )


def judge_gate_list(
    judge: LabDetector, studio: SampleRenderer, args: argparse.Namespace
) -> list[Gate]:
    """The judge on fresh drawings, before and after the autoencoder."""
    drawn = judge_acceptance.draw_gate_pictures(args.seed, args.share)
    figures = judge_acceptance.measure(judge, drawn, studio.vae)
    rows = [(n, t, True) for n, t in judge_acceptance.TARGETS.items()]
    rows += [(n, t, False) for n, t in judge_acceptance.CEILINGS.items()]
    return [
        Gate(f"judge: {name}", figures[name], target, least)
        for name, target, least in rows
        if name in figures
    ]


def speed_gate(studio: SampleRenderer, pictures: int = 8) -> Gate:
    """Seconds a picture, batched."""
    prompts = ["a photo of a man in the park"] * pictures
    studio.take(prompts, PORTRAIT, 1, "warming up")
    start = time.perf_counter()
    studio.take(prompts, PORTRAIT, 1, "timing")
    seconds = (time.perf_counter() - start) / pictures
    return Gate(f"seconds a picture of {STEPS} steps, batched", seconds, 0.4, least=False)


def single_gates(judge: LabDetector, results: Path) -> list[Gate]:
    """Normalised identity of every family member's own LoRA on headshots, and its training time."""
    gates = []
    family = FAMILIES["russell"].members
    faces = Faces(judge, family)
    for index, person in enumerate(family):
        run = results / f"only-{person.name[0]}" / "run-1"
        manifest = read_manifest(run / "images" / "headshot.json")
        pictures = [
            Image.open(row.path).convert("RGB")
            for row in manifest.rows
            if row.name == person.name[0]
        ]
        found = [s.people[:1] for s in judge.look(pictures)]
        identity = [float(faces.identity(p, [index])[0, 0]) if p else 0.0 for p in found]
        spread = statistics.pstdev(identity)
        summary = read_json(run / "lora.json")
        seconds = float(summary["seconds"])
        gates += [
            Gate(
                f"own LoRA of {person.name}: identity on headshots",
                float(np.mean(identity)),
                0.9,
                note=f"(± {spread:.2f} over {len(identity)})",
            ),
            Gate(f"own LoRA of {person.name}: training seconds", seconds, TRAINING_S, least=False),
        ]
    return gates


if __name__ == "__main__":
    run_main(main)
