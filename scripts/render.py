"""Draw pictures of prompts and seeds, and write a list of them.

in:  a base, embedded prompts (encode_prompts), any number of adapters (none: the base itself)
out: pictures under <store>/; the manifest, a row a picture. Only missing pictures are drawn, and
     the base is loaded only when there are any.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common import progress
from kindred.common.errors import run_main
from kindred.common.left_out import SCIPY, leave_out
from kindred.compute import devices
from kindred.rendering.image_store import ImageStore
from kindred.rendering.run import Machine, render_prompt_set
from kindred.specs.rendering import RenderSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="RenderSpec as JSON, or a file of it")
    parser.add_argument(
        "--prompts", required=True, type=Path, help="embedded prompts, from encode_prompts.py"
    )
    parser.add_argument(
        "--adapter",
        nargs="*",
        default=[],
        type=Path,
        help="LoRA files, in the order of the weights; none: the base alone draws",
    )
    parser.add_argument("--store", required=True, type=Path, help="folder of all pictures")
    parser.add_argument(
        "--out", required=True, type=Path, help="JSON list of the pictures to write"
    )
    devices.add_arguments(parser)
    devices.add_device_map(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Render one prompt set."""
    options = parse(argv)
    progress.speak_for(options.out.parents[1])
    spec, store = RenderSpec.read(options.spec), ImageStore(options.store)
    machine = Machine(options.device, options.threads, options.split)
    done = render_prompt_set(spec, options.prompts, options.adapter, store, options.out, machine)
    print(done, file=sys.stderr)
    return 0


if __name__ == "__main__":
    leave_out(*SCIPY)
    run_main(main)
