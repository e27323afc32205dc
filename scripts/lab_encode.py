"""Encode all drawings once for the training of the lab's base.

Needs drawings, vae/, tokenizers; gives one safetensors file for the training of the base
(kindred.lab.pretraining_corpus).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import run_main
from kindred.lab.corpus_encoding import encode_corpus
from kindred.lab.miniatures import miniature
from kindred.lab.settings import LabSettings
from kindred.lab.training_loop import pick_device


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="settings of the lab (YAML)")
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="folders of drawings")
    parser.add_argument("--base", type=Path, required=True, help="folder of the base")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    args = parser.parse_args(argv)
    settings, device = LabSettings.load(args.settings), pick_device(args.device)
    base = miniature(settings.architecture)
    count = encode_corpus(base, args.corpus, args.base, settings, device, args.out)
    print(f"{count} drawings encoded in {args.out}")
    return 0


if __name__ == "__main__":
    run_main(main)
