"""Write a LoRA in the layout that ComfyUI and kohya's tools read.

in:  lora.safetensors, as train.py writes it and diffusers loads it
out: a file with layers named and fused as in the base's original code, and the metadata that those
     tools show. Equal inputs give equal bytes.
kohya: `lora_unet_` names and an alpha for every layer. comfyui: what ComfyUI and diffusers read,
which for some bases is the same layout. ai-toolkit: alphas multiplied in, under the names of the
network that it trains. No file name, folder or date goes in; the only names are those given by
--title and --trigger.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.models.lora.kohya_export import Shown, export

PRECISIONS = ("float32", "bfloat16", "float16")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--adapter", required=True, type=Path, help="lora.safetensors of a run")
    parser.add_argument("--format", default="kohya", help="kohya, comfyui or ai-toolkit")
    parser.add_argument("--out", required=True, type=Path, help="file to write")
    parser.add_argument("--title", default="Kindred LoRA", help="title that other tools show")
    parser.add_argument(
        "--trigger", nargs="*", default=[], help="trigger names to mention in the file; unset: none"
    )
    parser.add_argument(
        "--resolution", help="picture size that it is meant for, like 1024x1024; unset: not said"
    )
    parser.add_argument(
        "--dtype", choices=PRECISIONS, help="precision of the weights; unset: as trained"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Write the export."""
    options = parse(argv)
    if options.out.resolve() == options.adapter.resolve():
        raise KindredError("is the adapter itself", f"--out {options.out}", "give another name")
    if options.resolution is not None and not re.fullmatch(r"\d+x\d+", options.resolution):
        where = f"--resolution {options.resolution}"
        raise KindredError("is not a size", where, "write it like 1024x1024")
    shown = Shown(options.title, options.trigger, options.resolution)
    print(
        export(options.adapter, options.out, shown, options.dtype, options.format), file=sys.stderr
    )
    return 0


if __name__ == "__main__":
    run_main(main)
