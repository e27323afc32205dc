"""A dataset as preprocess, caption and compose leave it, of pictures that a test has drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from kindred.common.files import write_json, write_jsonl
from kindred.common.hashing import caption_hash, pixel_hash
from kindred.data.image_quality import difference_hash
from kindred.scoring import image_vectors
from kindred.scoring.image_distance import COPIES
from kindred.scoring.image_vectors import ImageVectors

Head = tuple[float, float, float, float]


def prepare(
    folder: Path,
    pictures: Mapping[str, tuple[Image.Image, str]],
    composites: Mapping[str, Sequence[tuple[str, Head | None]]] | None = None,
) -> Path:
    """Write images, images.json, captions.jsonl and, with composites, masks.json; the folder.

    pictures: id -> (picture, letters in it). composites: id of those that are made of photos -> its
    people from the left, letter and head in pixels.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    images, captions, masks = [], [], {}
    for name, (image, letters) in pictures.items():
        image.save(folder / "images" / f"{name}.png")
        made = {"made": "composed"} if name in (composites or {}) else {}
        images.append(
            {
                "image_id": name,
                "photo": name,
                "source": f"{name}.jpg",
                "source_width": image.width,
                "source_height": image.height,
                "width": image.width,
                "height": image.height,
                "pixel_hash": pixel_hash(image),
                "perceptual_hash": difference_hash(image),
                **made,
            }
        )
        text = f"a photo of {letters}"
        captions.append(
            {
                "id": name,
                "characters": sorted(letters),
                "caption": text,
                "caption_hash": caption_hash(text),
            }
        )
    for name, people in (composites or {}).items():
        mask = folder / "masks" / f"{name}.png"
        mask.parent.mkdir(exist_ok=True)
        Image.new("L", pictures[name][0].size).save(mask)
        told = [{"letter": letter, "head": head} for letter, head in people]
        masks[f"{name}.jpg"] = {"file": str(mask), "people": told}
    write_json(folder / "images.json", images)
    write_jsonl(folder / "captions.jsonl", captions)
    if composites:
        write_json(folder / "masks.json", masks)
    return folder


def random_vectors(facts: Path, coverage: Mapping[str, int], judge: str) -> None:
    """Write vectors at random of a dataset, named as the file, with so many photos of each cell."""
    rng = np.random.default_rng(list(facts.stem.encode()))
    cells = [cell for cell, count in coverage.items() for _ in range(count)]
    rows = [
        {
            "id": f"{cell}-{n:02d}",
            "photo": f"{cell}-{n:02d}",
            "cell": cell,
            "made": "",
            "pixels": f"{facts.stem} {n}",
            "bits": rng.bytes(16).hex(),
            "people": None,
        }
        for n, cell in enumerate(cells)
    ]
    vectors = rng.normal(0.5, 0.2, (len(cells), 8)).astype(np.float32)
    image_vectors.save(ImageVectors.of(facts.stem, judge, COPIES, rows, vectors), facts)
