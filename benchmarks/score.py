"""How long scoring takes: drawn pictures by the lab's judge, references and all, on the CPU.

Without lab/judge an untrained judge of the same size stands in, with a threshold at which it finds
as many people as were drawn. Target: 1,000 pictures of 128 px on two cores in 60 s or less.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from kindred.data.dataset_photos import DatasetPhoto
from kindred.judges.lab_inference import LabDetector
from kindred.judges.lab_judge import DEFAULT, LabJudge
from kindred.judges.lab_networks import Judge, JudgeConfig
from kindred.lab.judge_labels import vocabulary
from kindred.rendering.manifest import Manifest, Row
from kindred.scoring.references import build_references
from kindred.scoring.score_images import VariantRun, score_images
from kindred.scoring.training_pictures import training_pictures
from kindred.specs.character import Character
from kindred.specs.judge import JudgeSpec
from kindred.specs.scoring import ReferenceSpec, ScoreSpec
from kindred.world.drawing import draw
from kindred.world.families import FAMILIES
from kindred.world.scene import sample_scene

CHARACTERS = {
    person.name[0]: Character(name=person.name, noun=person.kind)
    for person in FAMILIES["russell"].members
}


def judge() -> LabJudge:
    """lab/judge, or a stand-in of its size."""
    spec = JudgeSpec(kind="lab", model=DEFAULT)
    if (Path(DEFAULT) / "model.safetensors").exists():
        return LabJudge.open(spec)
    print("no lab/judge: an untrained one stands in")
    torch.manual_seed(0)
    looker = LabDetector(Judge(JudgeConfig(**vocabulary(), threshold=0.0)))
    rng = Random(1)
    scenes = [sample_scene(rng) for _ in range(64)]
    seen = looker.look([draw(scene, masks=False).image for scene in scenes], attributes=False)
    scores = sorted((p.score for s in seen for p in s.people), reverse=True)
    threshold = scores[sum(len(scene.figures) for scene in scenes)]
    ends = {"stranger": 0.0, "same": 1.0}
    looker.config = replace(looker.config, threshold=threshold, calibration=ends)
    return LabJudge(looker, "untrained")


def pictures(folder: Path, count: int) -> Manifest:
    """Drawn scenes as a rendered prompt set."""
    rng, rows = Random(2), []
    for number in range(count):
        scene = sample_scene(rng)
        path = folder / f"{number}.png"
        draw(scene, masks=False).image.save(path)
        size = (scene.width, scene.height)
        text = "JRussell and ARussell at the beach"
        rows.append(Row(f"p{number % 24}", text, number, *size, f"{number:064x}", path))
    return Manifest(folder / "m.json", "bench", {}, [], rows)


def photos(folder: Path) -> list[DatasetPhoto]:
    """Eight photos of each of the family alone."""
    rng, found = Random(3), []
    for person in FAMILIES["russell"].members:
        for number in range(8):
            path = folder / f"{person.name}-{number}.png"
            draw(sample_scene(rng, [person]), masks=False).image.save(path)
            found.append(DatasetPhoto(path.stem, path, frozenset(person.name[0])))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    spec = JudgeSpec(kind="lab")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest, own = pictures(folder, options.pictures), photos(folder)
        looker = judge()
        start = time.monotonic()
        asked = ReferenceSpec(judge=spec, characters=CHARACTERS, datasets=["ours"])
        known = build_references(looker, {"ours": own}, asked)
        middle, busy = time.monotonic(), time.process_time()
        nothing = training_pictures([], [], {}, [])
        told = ScoreSpec(judge=spec, characters=CHARACTERS)
        rows = score_images(looker, known, nothing, manifest, None, told, VariantRun("all", 1))
        seconds, busy = time.monotonic() - middle, time.process_time() - busy
    people = len(rows) - options.pictures
    print(f"references: {len(own)} photos in {middle - start:.1f} s")
    print(
        f"scores: {options.pictures} pictures, {people} people in {seconds:.1f} s, "
        f"{1000 * seconds / options.pictures:.0f} s a thousand on {options.threads} threads "
        f"({1000 * busy / options.pictures:.0f} s of processor time)"
    )


if __name__ == "__main__":
    main()
