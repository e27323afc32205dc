"""Encode prepared photos with a base's VAE.

in:  images.json and the prepared PNGs
out: latents.safetensors: a tensor [C, H, W] under each photo's pixel hash; the header names
     the encoder. Photos encoded before come from the store.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.left_out import SCIPY, leave_out
from kindred.common.sentences import counted
from kindred.compute import devices
from kindred.data import encoding_cache
from kindred.data.image_encoding import checked_images, image_loader
from kindred.specs.base_model import ImageEncoder


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="ImageEncoder as JSON, or a file of it")
    parser.add_argument("--images", required=True, type=Path, help="images.json (preprocess.py)")
    parser.add_argument("--images-dir", required=True, type=Path, help="folder of prepared photos")
    parser.add_argument("--latents", required=True, type=Path, help="file to write")
    parser.add_argument(
        "--store", type=Path, default=encoding_cache.STORE, help="store of single latents"
    )
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Encode a dataset's photos."""
    options = parse(argv)
    encoder = ImageEncoder.read(options.spec)
    images = checked_images(options.images, options.images_dir)
    load = image_loader(encoder, options.device, options.threads)
    made = encoding_cache.write_latents(options.latents, images, encoder, load, options.store)
    said = counted(len(images), "latent")
    print(f"{said}: {made} encoded, {len(images) - made} kept", file=sys.stderr)
    return 0


if __name__ == "__main__":
    leave_out(*SCIPY)
    run_main(main)
