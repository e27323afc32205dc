"""All gates of the lab's models: base, judge, captions, names, speed, LoRAs of one character."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kindred.common.errors import KindredError
from kindred.common.files import atomic_write, make_folder, read_json
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


@dataclass(frozen=True)
class Acceptance:
    """What is measured: the base and the longest text that it reads in tokens, the judge, results
    of lab-singles, folder for sheets of what the base draws, the share of the pictures (1: all)."""

    base: Path = Path("lab/base")
    tokens: int = 56
    judge: Path = Path("lab/judge")
    singles: Path | None = None
    sheets: Path | None = None
    share: float = 1.0
    seed: int = 1
    device: str = "cpu"


def measure(test: Acceptance) -> list[Gate]:
    """Every gate that can be measured with what is there. Raises KindredError where the lab's
    models are not."""
    for part in (test.base / "transformer", test.judge):
        if not part.is_dir():
            raise KindredError(
                "is missing", str(part), "build it with `snakemake lab_models` on a GPU"
            )
    device = pick_device(test.device)
    judge = LabDetector.load(test.judge, device)
    studio = SampleRenderer(test.base, test.tokens, device)
    gates = vae_gates(studio, judge, max(4, round(200 * test.share)), test.seed)
    gates += judge_gate_list(judge, studio, test)
    gates += caption_gates(studio, judge, max(8, round(200 * test.share)), test.seed)
    gates += name_gates(studio, judge, max(1, round(8 * test.share)), test.seed)
    gates.append(speed_gate(studio))
    if test.singles and test.singles.is_dir():
        gates += single_gates(judge, test.singles)
    else:
        print("no results of lab-singles: the gate of single-character LoRAs is left out")
    if test.sheets:
        save_sheets(studio, test)
    return gates


def save_sheets(studio: SampleRenderer, test: Acceptance) -> None:
    """Pictures for the card."""
    make_folder(test.sheets)
    sheets = {"base": sample_sheets.base_sheet(studio)}
    if test.singles and test.singles.is_dir():
        sheets["singles"] = sample_sheets.singles_sheet(test.singles)
    for name, sheet in sheets.items():
        with atomic_write(test.sheets / f"{name}.webp") as temporary:
            sheet.save(temporary, quality=78, method=6)


def judge_gate_list(judge: LabDetector, studio: SampleRenderer, test: Acceptance) -> list[Gate]:
    """The judge on fresh drawings, before and after the autoencoder."""
    drawn = judge_acceptance.draw_gate_pictures(test.seed, test.share)
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
