"""A dataset of a few tiny photos, encoded by the real programs on the tiny base, for tests."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import encode_captions
import encode_images
import encode_prompts
from kindred.common.files import read_json, write_json, write_jsonl
from kindred.common.hashing import caption_hash, pixel_hash
from kindred.data import person_masks

CHARACTERS = {
    "J": {"name": "JRussell", "class": "man"},
    "A": {"name": "ARussell", "class": "woman"},
    "C": {"name": "CRussell", "class": "child"},
}
NAMES = {letter: who["name"] for letter, who in CHARACTERS.items()}
TOKENS = 24


@dataclass
class TrainingSet:
    """Paths of one dataset, as the programs want them."""

    root: Path
    base: str

    @property
    def files(self) -> list[str]:
        """The dataset arguments of train.py."""
        names = {
            "images": "images.json",
            "captions": "captions.jsonl",
            "latents": "latents.safetensors",
            "text": "text.safetensors",
        }
        return [part for k, v in names.items() for part in (f"--{k}", str(self.root / v))]

    def train_arguments(self, out: Path, run: int = 0, **recipe: object) -> list[str]:
        """All arguments of train.py for a recipe; its spec is written beside `out`."""
        return self.spec_arguments(out, run, {"recipe": self.recipe(**recipe)})

    def spec_arguments(self, out: Path, run: int, changes: dict) -> list[str]:
        """All arguments of train.py for a spec with top-level changes."""
        spec = {
            "base": {"model": self.base, "dtype": "float32", "text_tokens": TOKENS},
            "recipe": self.recipe(),
            "characters": CHARACTERS,
            "dataset": "test",
            **changes,
        }
        out.mkdir(parents=True, exist_ok=True)
        (out / "spec.json").write_text(json.dumps(spec))
        store = ["--store", str(self.root / "store"), "--checkpoints", str(self.root / "work")]
        where = ["--spec-file", str(out / "spec.json"), "--run", str(run), "--out-dir", str(out)]
        return [*where, *self.files, *store, "--device", "cpu", "--threads", "1"]

    @staticmethod
    def recipe(**changes: object) -> dict[str, object]:
        """A recipe of a few steps."""
        return {"rank": 2, "steps": 4, "batch": 2, "lr": 3e-3, "checkpoint_every": 2} | changes

    def encode(self) -> None:
        """Run both encoding programs."""
        images, captions = str(self.root / "images.json"), str(self.root / "captions.jsonl")
        store = ["--store", str(self.root / "encoded"), "--device", "cpu", "--threads", "1"]
        spec = json.dumps({"model": self.base})
        where = ["--images-dir", str(self.root / "images")]
        latents = ["--latents", str(self.root / "latents.safetensors")]
        encode_images.main(["--spec", spec, "--images", images, *where, *latents, *store])
        spec = json.dumps({"model": self.base, "dtype": "float32", "tokens": TOKENS})
        text = ["--text", str(self.root / "text.safetensors")]
        encode_captions.main(["--spec", spec, "--captions", captions, *text, *store])


def class_text_of(data: TrainingSet) -> list[str]:
    """Its captions without names, encoded."""
    file = data.root / "class-text.safetensors"
    spec = json.dumps({"model": data.base, "dtype": "float32", "tokens": TOKENS})
    names = json.dumps({"characters": CHARACTERS})
    where = ["--captions", str(data.root / "captions.jsonl"), "--text", str(file)]
    store = ["--store", str(data.root / "encoded"), "--device", "cpu", "--threads", "1"]
    encode_captions.main(["--spec", spec, "--without-names", names, *where, *store])
    return ["--class-text", str(file)]


def samples_of(
    data: TrainingSet, prompts: dict[str, str], every: int, **given: object
) -> list[str]:
    """Pictures to be drawn on the way of a training, their prompts encoded."""
    asked = {"prompts": prompts, "seeds": [1, 2], "width": 64, "height": 48, "steps": 2, **given}
    file, texts = data.root / "samples.json", data.root / "sample-texts.safetensors"
    write_json(file, {"every": every, "prompt_set": asked})
    encoder = {"model": data.base, "dtype": "float32", "tokens": TOKENS}
    spec = json.dumps({"encoder": encoder, "prompts": prompts})
    store = ["--store", str(data.root / "encoded"), "--device", "cpu", "--threads", "1"]
    encode_prompts.main(["--spec", spec, "--out", str(texts), *store])
    return ["--samples", str(file), "--sample-texts", str(texts)]


def build(root: Path, base: Path, cells: dict[str, int], encode: bool = True) -> TrainingSet:
    """Draw, describe and encode photos: `cells` maps 'J' or 'A+J' to how many."""
    folder = root / "images"
    folder.mkdir(parents=True)
    images, captions = [], []
    for cell, count in cells.items():
        for number in range(1, count + 1):
            name = f"{cell}-{number}"
            image = picture(name, (32, 48) if "+" in cell else (48, 32))
            image.save(folder / f"{name}.png")
            images.append(image_row(name, image))
            captions.append(caption_row(name, f"{_who(cell)} photo {number}", cell.split("+")))
    write_json(root / "images.json", images)
    write_jsonl(root / "captions.jsonl", captions)
    made = TrainingSet(root, str(base))
    if encode:
        made.encode()
    return made


def picture(seed: str, size: tuple[int, int]) -> Image.Image:
    """A picture of coloured blocks, different for every seed."""
    source = random.Random(seed)
    small = Image.new("RGB", (4, 4))
    small.putdata([tuple(source.randrange(256) for _ in range(3)) for _ in range(16)])
    return small.resize(size, Image.Resampling.NEAREST)


def image_row(name: str, image: Image.Image) -> dict:
    """A row of images.json."""
    size = {"width": image.width, "height": image.height}
    return {"image_id": name, "photo": name, "pixel_hash": pixel_hash(image), **size}


def caption_row(name: str, caption: str, letters: list[str]) -> dict:
    """A row of captions.jsonl."""
    row = {"id": name, "photo": name, "caption": caption, "caption_hash": caption_hash(caption)}
    return row | {"characters": sorted(letters), "author": "file"}


def _who(cell: str) -> str:
    return " and ".join(NAMES[letter] for letter in cell.split("+"))


def forget(data: TrainingSet) -> None:
    """Empty its store of adapters."""
    shutil.rmtree(data.root / "store")


def masks_of(data: TrainingSet, share: float) -> list[str]:
    """masks.json of all photos: people in this share of each, from the left."""
    rows, known = read_json(data.root / "images.json"), {}
    for row in rows:
        row |= {"source": row["image_id"], "source_width": row["width"]}
        row |= {"source_height": row["height"]}
        people = np.zeros((row["height"], row["width"]), np.uint8)
        people[:, : round(share * row["width"])] = 1
        file = person_masks.store_mask(people, data.root / "masks")
        known[row["source"]] = person_masks.MaskedPhoto(file, (person_masks.PersonMask("J"),))
    write_json(data.root / "images.json", rows)
    person_masks.write(data.root / "masks.json", known)
    return ["--masks", str(data.root / "masks.json")]
