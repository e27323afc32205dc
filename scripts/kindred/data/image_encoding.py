"""Prepared photos, checked against images.json, and what encodes them. Imports torch only when a
VAE is loaded, because a GPU is claimed before that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from kindred.common.errors import KindredError, Problems
from kindred.common.files import read_json
from kindred.common.hashing import pixel_hash
from kindred.common.made_pictures import AGAIN, read_picture
from kindred.compute import devices
from kindred.models import loading
from kindred.models.identity import architecture_of
from kindred.specs.base_model import ImageEncoder


def checked_images(images_json: Path, folder: Path) -> dict[str, Path]:
    """Pixel hash -> file, each file compared with its row. Raises ProblemsError listing every
    file that is missing or does not hold the pixels that its row says."""
    problems, found = Problems("prepared images don't fit images.json"), {}
    for row in read_json(images_json):
        path = folder / f"{row['image_id']}.png"
        try:
            checked_image(path, row["pixel_hash"])
        except KindredError as error:
            problems.add_error(str(path), error)
        found[row["pixel_hash"]] = path
    problems.raise_if_any()
    return found


def checked_image(path: Path, wanted: str) -> Image.Image:
    """A prepared image whose pixels have this hash. Raises KindredError where it can't be read or
    has others."""
    image = read_picture(path)
    if pixel_hash(image) != wanted:
        raise KindredError("its pixels differ from those in images.json", str(path), AGAIN)
    return image


def image_loader(
    encoder: ImageEncoder, device: str, threads: int
) -> Callable[[], Callable[[Path], Any]]:
    """Claims the device and loads the VAE when called, and gives the function that encodes one
    file."""

    def load() -> Callable[[Path], Any]:
        name = devices.acquire_device(device)
        vae = loading.load_vae(encoder, devices.prepare(name, threads))
        coding = architecture_of(encoder).latent_coding(vae)
        return lambda path: coding.encode(Image.open(path))

    return load
