"""Prepared photos -> latents of a base's VAE, in one file, looked up by pixel hash.

in:  images.json and the prepared PNGs
out: latents.safetensors: a tensor [C, H/8, W/8] under each photo's pixel hash; the header names
     the encoder. Photos encoded before come from the store.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from kindred.common.errors import Problems, run_main
from kindred.common.files import read_json
from kindred.common.hashing import pixel_hash
from kindred.compute import devices
from kindred.data import encoding_cache
from kindred.models import loading
from kindred.specs.base_model import ImageEncoder


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="ImageEncoder as JSON, or a file of it")
    parser.add_argument("--images", required=True, type=Path, help="images.json of preprocess")
    parser.add_argument("--images-dir", required=True, type=Path, help="its prepared images")
    parser.add_argument("--latents", required=True, type=Path, help="file to write")
    parser.add_argument(
        "--store", type=Path, default=encoding_cache.STORE, help="of single latents"
    )
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def checked_images(images_json: Path, folder: Path) -> dict[str, Path]:
    """Pixel hash -> file, each file compared with its row. Raises ProblemsError listing every
    file that is missing or does not hold the pixels that its row says."""
    problems, found = Problems("prepared images do not fit images.json"), {}
    for row in read_json(images_json):
        path = folder / f"{row['image_id']}.png"
        try:
            with Image.open(path) as image:
                actual = pixel_hash(image)
        except OSError as error:
            problems.add(str(path), f"can't be read ({error})", "run preprocess again")
            continue
        if actual != row["pixel_hash"]:
            problems.add(str(path), "holds other pixels than its row says", "run preprocess again")
        found[row["pixel_hash"]] = path
    problems.raise_if_any()
    return found


def image_loader(
    encoder: ImageEncoder, options: argparse.Namespace
) -> Callable[[], Callable[[Path], Any]]:
    """Loads the VAE when called, and gives the function that encodes one file."""

    def load() -> Callable[[Path], Any]:
        device = devices.acquire_device(options.device)
        from kindred.models.vae import encode_image

        vae = loading.load_vae(encoder, devices.prepare(device, options.threads))
        return lambda path: encode_image(vae, Image.open(path))

    return load


def main(argv: list[str] | None = None) -> int:
    """Encode a dataset's photos."""
    options = parse(argv)
    encoder = ImageEncoder.read(options.spec)
    images = checked_images(options.images, options.images_dir)
    write = partial(encoding_cache.write_latents, store=options.store)
    made = write(options.latents, images, encoder, image_loader(encoder, options))
    print(f"{len(images)} latents: {made} encoded, {len(images) - made} kept", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
