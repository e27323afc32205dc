"""How well a judge of photos finds, reads and names the faces of real people.

FOLDER holds a folder of photos for each person, most photos with that person alone. Prints faces
found and read by size, seconds a picture of 1024 px, how often a planted wrong name is noticed, and
confusions with one threshold for all and with the family's calibration; the last two only of a
judge that brings a population of strangers.

    python benchmarks/real_faces.py FOLDER [--trials 1000] [--judge config/judges/photo.yaml]
    python benchmarks/real_faces.py FOLDER --strangers scripts/kindred/judges/dlib_strangers.npz
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from kindred.characters.face_calibration import (
    STRANGER,
    UNSURE,
    bounds,
    calibrate,
    in_doubt,
)
from kindred.common.errors import run_main
from kindred.judges import strangers
from kindred.judges.face_geometry import Face, FaceEngine
from kindred.judges.photo_judge import open_engine
from kindred.specs.judge import JudgeSpec

SIDES = (24, 32, 48, 64, 96, 128)  # px of a face
CANVASES = (512, 1024)  # px of the picture that it stands in
SHOWN, TIMED = 60, 12  # photos whose faces are made small; that are timed
REFERENCES, FEWEST, FAMILY = 6, 5, 3
ENDINGS = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True)
class Photo:
    """One photo with exactly one face that can be read."""

    person: str
    image: Image.Image
    face: Face


def photos_of(folder: Path, engine: FaceEngine) -> list[Photo]:
    """The photos in which one face is found and read, longer side at most 1024 px."""
    found = []
    for file in sorted(folder.glob("*/*")):
        if file.suffix.lower() not in ENDINGS:
            continue
        image = Image.open(file).convert("RGB")
        image.thumbnail((1024, 1024), Image.Resampling.LANCZOS)
        faces = engine.faces(image)
        if len(faces) == 1 and faces[0].embedding is not None:
            found.append(Photo(file.parent.name, image, faces[0]))
    return found


def by_size(engine: FaceEngine, photos: Sequence[Photo]) -> None:
    """Faces found, and read as nearest to their own person, by size and picture."""
    means = {
        x: np.mean([p.face.embedding for p in photos if p.person == x], 0)
        for x in {p.person for p in photos}
    }
    print(
        "\n| face, px | picture, px | found | read | nearest to their own |\n|---|---|---|---|---|"
    )
    for canvas in CANVASES:
        for side in SIDES:
            seen = [one for photo in photos[:SHOWN] if (one := shrunk(photo, side, canvas))]
            found = read = right = 0
            for photo, picture in seen:
                faces = engine.faces(picture)
                found += bool(faces)
                vectors = [face.embedding for face in faces if face.embedding is not None]
                if vectors:
                    read += 1
                    right += photo.person == max(means, key=lambda x, v=vectors[0]: means[x] @ v)
            print(f"| {side} | {canvas} | {found} of {len(seen)} | {read} | {right} |")


def shrunk(photo: Photo, side: int, canvas: int) -> tuple[Photo, Image.Image] | None:
    """The photo in a corner of a grey picture, its face at `side` px; None where it does not fit or
    would be enlarged."""
    x0, y0, x1, y1 = photo.face.box
    scale = side / max(x1 - x0, y1 - y0)
    size = [round(edge * scale) for edge in photo.image.size]
    if scale > 1 or max(size) > canvas:
        return None
    picture = Image.new("RGB", (canvas, canvas), "gray")
    picture.paste(photo.image.resize(size, Image.Resampling.LANCZOS), (0, 0))
    return photo, picture


def seconds(engine: FaceEngine, photos: Sequence[Photo]) -> None:
    """Seconds a picture of 1024 px."""
    large = [photo.image.resize((1024, 1024)) for photo in photos[:TIMED]]
    start = time.perf_counter()
    for image in large:
        engine.faces(image)
    print(f"\n{(time.perf_counter() - start) / len(large):.2f} s a picture of 1024 x 1024 px")


def planted(
    people: Mapping[str, np.ndarray], population: np.ndarray, trials: int, rng: np.random.Generator
) -> None:
    """How often one photo of somebody else among six references is noticed, and how often clean
    references are suspected."""
    names = [x for x, rows in people.items() if len(rows) >= FEWEST]
    found = falsely = 0
    for _ in range(trials):
        own = str(rng.choice(names))
        other = str(rng.choice([x for x in people if x != own]))
        rows = people[own][rng.permutation(len(people[own]))[:REFERENCES]]
        wrong = people[other][rng.integers(len(people[other]))]
        mixed = np.concatenate([rows[: REFERENCES - 1], wrong[None]])
        found += len(mixed) - 1 in in_doubt(mixed, float((population @ mixed.mean(0)).mean()))
        falsely += bool(in_doubt(rows, float((population @ rows.mean(0)).mean())))
    low, _ = bounds(found, trials)
    print(
        f"\nA planted wrong name is found in {found} of {trials} trials (at least {low:.1%}) with "
        f"{REFERENCES} references of {len(names)} people and wrong photos of {len(people)}; clean "
        f"references are suspected in {falsely}."
    )


def confusions(
    people: Mapping[str, np.ndarray], population: np.ndarray, trials: int, rng: np.random.Generator
) -> None:
    """Answers for photos left out and for everybody else's, in families of three: drawn, and of
    those who look most alike. Before: identity of .5 for all; after: the family's calibration."""
    large = {x: rows for x, rows in people.items() if len(rows) >= FEWEST}
    means = {x: rows.mean(0) for x, rows in large.items()}
    drawn = [list(rng.choice(list(large), FAMILY, replace=False)) for _ in range(trials)]
    alike = [sorted(large, key=lambda y, x=x: -(means[x] @ means[y]))[:FAMILY] for x in large]
    print("\n| families | named by | own photos | right | wrong | open | strangers named |")
    print("|---|---|---|---|---|---|---|")
    for kind, families in (("drawn", drawn), ("most alike", alike)):
        for calibrated in (False, True):
            counts = sum(_answers(people, population, family, calibrated) for family in families)
            own, right, wrong, left, far, named = (int(n) for n in counts)
            how = "calibration" if calibrated else "one threshold"
            print(
                f"| {kind}, {len(families)} | {how} | {own} | {right / own:.1%} | "
                f"{wrong / own:.2%} | {left / own:.1%} | {named / far:.2%} |"
            )


def _answers(
    people: Mapping[str, np.ndarray],
    population: np.ndarray,
    family: Sequence[str],
    calibrated: bool,
) -> np.ndarray:
    """Own photos, named rightly, named wrongly, left open; other people's photos, and named."""
    faces = {x: people[x] for x in family}
    found = calibrate(faces, population)
    means = {x: rows.mean(0) for x, rows in faces.items()}

    def answer(cosines: Mapping[str, float]) -> str:
        if calibrated:
            return found.name(cosines)
        identity = {x: found.identity(x, cosine) for x, cosine in cosines.items()}
        best = max(identity, key=lambda x: identity[x])
        return best if identity[best] >= 0.5 else STRANGER

    counts = np.zeros(6)
    for x, rows in faces.items():
        for n, row in enumerate(rows):
            left = {**means, x: np.delete(rows, n, 0).mean(0)}
            said = answer({y: float(mean @ row) for y, mean in left.items()})
            counts[:4] += (1, said == x, said in family and said != x, said in (UNSURE, STRANGER))
    for x, rows in people.items():
        if x not in family:
            said = [answer({y: float(mean @ row) for y, mean in means.items()}) for row in rows]
            counts[4:] += (len(said), sum(one in family for one in said))
    return counts


def main(argv: list[str] | None = None) -> int:
    """Measure and print, or write a population."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--strangers", type=Path, help="write a population of these people instead")
    parser.add_argument(
        "--judge", type=Path, default=Path("config/judges/photo.yaml"), help="whose faces to read"
    )
    options = parser.parse_args(argv)
    spec = JudgeSpec(**yaml.safe_load(options.judge.read_text(encoding="utf-8")))
    engine, rng = open_engine(spec), np.random.default_rng(0)
    photos = photos_of(options.folder, engine)
    people = {
        x: np.stack([p.face.embedding for p in photos if p.person == x])
        for x in sorted({p.person for p in photos})
    }
    if options.strangers:
        strangers.save(options.strangers, np.stack([rows[0] for rows in people.values()]))
        return 0
    many = sum(len(rows) >= FEWEST for rows in people.values())
    print(f"{len(photos)} photos of {len(people)} people, {many} with {FEWEST} or more")
    by_size(engine, photos)
    seconds(engine, photos)
    population = engine.calibration.population
    if population is None or many < FAMILY:
        print(
            f"\nNames are not measured: that takes {FAMILY} people with {FEWEST} photos or more, "
            "and a judge that brings a population of strangers."
        )
        return 0
    planted(people, population, options.trials, rng)
    confusions(people, population, options.trials // 10, rng)
    return 0


if __name__ == "__main__":
    run_main(main)
