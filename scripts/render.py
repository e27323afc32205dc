"""Prompts x seeds -> pictures in a content-addressed store, and a manifest of them.

in:  a base, embedded prompts (encode_prompts), any number of adapters (none: the base itself)
out: pictures under <store>/; the manifest, a row a picture. Only missing pictures are drawn, and
     the base is loaded only when there are any.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kindred.common import progress
from kindred.common.errors import run_main
from kindred.compute import devices
from kindred.models.identity import identity
from kindred.models.lora.adapters import Adapter, read_adapters
from kindred.rendering.image_plan import ImageRequest, plan
from kindred.rendering.image_store import ImageStore
from kindred.rendering.manifest import write_manifest
from kindred.rendering.render import render
from kindred.specs.rendering import RenderSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="RenderSpec as JSON, or a file of it")
    parser.add_argument("--prompts", required=True, type=Path, help="embedded prompts")
    parser.add_argument(
        "--adapter",
        nargs="*",
        default=[],
        type=Path,
        help="LoRA files, in the order of the weights; none renders the base",
    )
    parser.add_argument("--store", required=True, type=Path, help="folder of all pictures")
    parser.add_argument("--out", required=True, type=Path, help="manifest to write")
    devices.add_arguments(parser)
    devices.add_split(parser)
    return parser.parse_args(argv)


def loader(options: argparse.Namespace, spec: RenderSpec, adapters: Sequence[Adapter]) -> Any:
    """What `render` calls when pictures are missing: claims the device, loads the base."""

    def load(missing: Sequence[ImageRequest]) -> tuple[Any, Any, dict[str, str]]:
        name = devices.acquire_device(options.device, split=options.split)
        # After the claim, which must come before torch: it hides the GPUs of other jobs.
        from kindred.compute.device_map import over_gpus
        from kindred.rendering.pipeline import RenderPipeline, versions
        from kindred.rendering.prompt_embeddings import read_texts

        device = devices.prepare(name, options.threads)
        texts = read_texts(options.prompts, [picture.prompt for picture in missing], spec.base)
        steps = len(missing) * spec.prompt_set.steps
        places = None
        if options.split and name == "cuda":
            places = over_gpus(spec.base, options.split)
        return RenderPipeline.load(spec, adapters, device, steps, places), texts, versions(device)

    return load


def main(argv: list[str] | None = None) -> int:
    """Render one prompt set."""
    options = parse(argv)
    progress.speak_for(options.out.parents[1])
    spec = RenderSpec.read(options.spec)
    adapters = read_adapters(options.adapter, spec.weights)
    base = identity(spec.base.model, spec.base.revision)
    pictures = plan(spec, adapters, base)
    store = ImageStore(options.store)
    work = render(spec, pictures, adapters, store, loader(options, spec, adapters))
    write_manifest(options.out, spec.name, pictures, adapters, store)
    print(f"{spec.name}: {work}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
