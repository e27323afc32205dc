"""How alike the lab's judge finds people in true drawings: the mark that no LoRA can pass.

Draws every member of the first family alone and all three together, with other seeds than the
study's photos, in the sizes of its prompt sets: as they are, and once through the base's
autoencoder, which every generated picture comes out of. No transformer is asked.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import torch
from PIL import Image, ImageOps

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from kindred.data.dataset_photos import DatasetPhoto
from kindred.judges.lab_judge import LabJudge
from kindred.lab.base_acceptance import round_trip
from kindred.models import loading
from kindred.rendering.manifest import Manifest, Row
from kindred.scoring.references import build_references
from kindred.scoring.score_images import VariantRun, score_images
from kindred.scoring.training_pictures import training_pictures
from kindred.specs.base_model import Base
from kindred.specs.character import Character
from kindred.specs.judge import JudgeSpec
from kindred.specs.scoring import ReferenceSpec, ScoreSpec
from kindred.world.albums import write_dataset
from kindred.world.families import family

ALONE, TOGETHER = (128, 144), (192, 96)  # px, of the study's prompt sets
STUDY = {"J": 4, "A": 3, "C": 8}  # its photos of one character, and their seed
SEED, OTHER_SEED = 1, 999
ROOT = Path(__file__).parents[1]


def drawn(
    folder: Path, coverage: dict[str, int], seed: int, size: tuple[int, int]
) -> Iterator[tuple[str, Path]]:
    """(cell, PNG in that size) of every photo."""
    for name in write_dataset(folder, "russell", coverage, seed):
        path = (folder / name).with_suffix(".png")
        with Image.open(folder / name) as photo:
            ImageOps.fit(photo, size, Image.Resampling.LANCZOS).save(path)
        yield name.split("-")[0], path


def passed(vae: torch.nn.Module, path: Path) -> Path:
    """The picture, encoded and decoded."""
    out = path.with_suffix(".vae.png")
    with Image.open(path) as picture:
        round_trip(vae, picture).save(out)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=96, help="of each member, and of all three")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    people = family("russell")
    characters = {p.name[0]: Character(name=p.name, noun=p.kind) for p in people.members}
    judge = JudgeSpec(kind="lab", model=str(ROOT / "lab/judge"))
    looker = LabJudge.open(judge)
    vae = loading.load_vae(Base(model=str(ROOT / "lab/base")), "cpu")
    cells = {letter: (letter, ALONE) for letter in people.letters}
    cells["all three"] = (people.letters, TOGETHER)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = drawn(folder / "photos", STUDY, SEED, ALONE)
        photos = [DatasetPhoto(path.stem, path, frozenset(letter)) for letter, path in own]
        asked = ReferenceSpec(judge=judge, characters=characters, datasets=["ours"])
        known = build_references(looker, {"ours": photos}, asked)
        nothing = training_pictures([], [], {}, [])
        told = ScoreSpec(judge=judge, characters=characters)
        print("| drawn | how | right | whose | identity |\n|---|---|---:|---|---:|")
        for number, (what, (cell, size)) in enumerate(cells.items()):
            coverage = {cell: options.pictures}
            true = [p for _, p in drawn(folder / str(number), coverage, OTHER_SEED, size)]
            text = " and ".join(characters[letter].name for letter in cell)
            for how, paths in (("as it is", true), ("autoencoder", [passed(vae, p) for p in true])):
                rows = [
                    Row("p", text, n, *size, f"{number}-{how}-{n}", path)
                    for n, path in enumerate(paths)
                ]
                manifest = Manifest(folder / "m.json", "truth", {}, [], rows)
                found = score_images(
                    looker, known, nothing, manifest, None, told, VariantRun("truth", 1)
                )
                right = fmean(float(r["success"]) for r in found if r["kind"] == "image")
                for letter in cell:
                    alike = fmean(
                        float(r["identity"])
                        for r in found
                        if r["kind"] == "person" and r["assigned"] == letter
                    )
                    print(f"| {what} | {how} | {right:.2f} | {letter} | {alike:.3f} |")


if __name__ == "__main__":
    main()
