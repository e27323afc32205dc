"""Make a dataset of class images that the base drew itself, for prior preservation.

in:  a manifest of pictures that the base rendered without adapters, prompts such as 'a man'
out: <out>/<name>-<seed>.png and captions.csv, a dataset folder like a person's; it is then
     prepared, captioned and encoded like any other and given to train.py as --prior-...

Training on them beside the photos keeps 'a man' from turning into the one man of the photos
(Ruiz et al. 2022, arXiv 2208.12242, section 3.3).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.common.sentences import counted
from kindred.data.class_images import write_dataset
from kindred.rendering.manifest import ADVICE, read_manifest


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--manifest", required=True, type=Path, help="list of pictures that the base drew"
    )
    parser.add_argument("--out", required=True, type=Path, help="dataset folder to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Make the dataset folder."""
    options = parse(argv)
    manifest = read_manifest(options.manifest)
    if manifest.adapters:
        raise KindredError(
            "its pictures were drawn with adapters, but class images must come from the base alone",
            str(options.manifest),
            "give a manifest of pictures that were drawn without adapters",
        )
    count = write_dataset(manifest.rows, options.out, ADVICE)
    print(f"{counted(count, 'class image')} in {options.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
