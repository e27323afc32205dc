"""Make the lab's tokenizers from the words of its drawings.

Needs the first drawings' captions; gives the tokenizers of the base directory.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import run_main
from kindred.lab.miniatures import miniature
from kindred.lab.pretraining_corpus import read_captions, shards
from kindred.lab.settings import LabSettings
from kindred.world.people import SURNAMES


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="settings of the lab (YAML)")
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="folders of drawings")
    parser.add_argument("--out", type=Path, required=True, help="folder of the base")
    args = parser.parse_args(argv)
    settings = LabSettings.load(args.settings)
    captions = [
        text for path in shards(args.corpus) for pair in read_captions(path) for text in pair
    ]
    base = miniature(settings.architecture)
    base.save_tokenizers(args.out, captions, list(SURNAMES), settings)
    return 0


if __name__ == "__main__":
    run_main(main)
