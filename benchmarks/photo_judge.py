"""How well and how fast the photo judge sees real faces.

Prints the time of a picture by detector, the likeness of one person's changed pictures, and that of
strangers: three photographs and a hundred small faces that ship with scikit-image and matplotlib.
The last figure is the judge's zero (STRANGERS in scripts/kindred/judges/dlib_faces.py).

    python benchmarks/photo_judge.py
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from kindred.common.errors import run_main
from kindred.judges.dlib_faces import DlibFaces
from kindred.judges.model_files import package_folder

CURE = "pip install -r envs/requirements-dev.txt"
SIDE, FACE = 300, 150  # px of a small face's picture, and of the face in it


def photographs() -> dict[str, Image.Image]:
    """Three people."""
    pictures = package_folder("skimage", CURE) / "data"
    hopper = package_folder("matplotlib", CURE) / "mpl-data/sample_data/grace_hopper.jpg"
    files = [pictures / "astronaut.png", pictures / "camera.png", hopper]
    return {file.stem: Image.open(file).convert("RGB") for file in files}


def small_faces() -> list[Image.Image]:
    """A hundred people at 25 px (a part of Labeled Faces in the Wild), enlarged, with a border."""
    faces = np.load(package_folder("skimage", CURE) / "data/lfw_subset.npy")[:100]
    out = []
    for face in faces:
        picture = Image.new("RGB", (SIDE, SIDE), "gray")
        large = Image.fromarray((face * 255).astype(np.uint8)).resize((FACE, FACE))
        picture.paste(large.convert("RGB"), ((SIDE - FACE) // 2,) * 2)
        out.append(picture)
    return out


def changed(image: Image.Image) -> dict[str, Image.Image]:
    """What happens to pictures."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=10)
    half = (image.width // 2, image.height // 2)
    return {
        "turned 15 degrees": image.rotate(15, Image.Resampling.BICUBIC),
        "on the side": image.rotate(90, expand=True),
        "half the size": image.resize(half),
        "recompressed, quality 10": Image.open(file).convert("RGB"),
        "mirrored": ImageOps.mirror(image),
        "grey": image.convert("L").convert("RGB"),
    }


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(argv)
    people = photographs()
    engines = {name: DlibFaces.open(name.split("+")) for name in ("hog", "cnn+hog")}
    print("| detectors | s a picture | faces found in 3 photographs of one person |")
    print("|---|---|---|")
    found = {}
    for name, engine in engines.items():
        start = time.perf_counter()
        found = {who: engine.faces(image) for who, image in people.items()}
        each = (time.perf_counter() - start) / len(people)
        print(f"| {name} | {each:.2f} | {sum(map(len, found.values()))} |")
    print("\n| the astronaut | cosine with the photograph |\n|---|---|")
    own = found["astronaut"][0].embedding
    for name, image in changed(people["astronaut"]).items():
        faces = engines["hog"].faces(image)
        print(f"| {name} | {faces[0].embedding @ own if faces else float('nan'):.3f} |")
    strangers = [faces[0].embedding for faces in found.values()]
    report("strangers in 3 photographs", strangers)
    seen = [faces for faces in map(engines["hog"].faces, small_faces()) if len(faces) == 1]
    report(f"and {len(seen)} small faces", strangers + [faces[0].embedding for faces in seen])
    return 0


def report(what: str, embeddings: list[np.ndarray]) -> None:
    """Mean and spread of all pairs' cosines."""
    table = np.stack(embeddings)
    pairs = (table @ table.T)[np.triu_indices(len(table), 1)]
    print(f"{what}: {pairs.mean():.3f} ± {pairs.std():.3f} over {len(pairs)} pairs")


if __name__ == "__main__":
    run_main(main)
