"""Train the autoencoder of the lab's base.

Needs drawings; gives vae/ of the base directory (bfloat16, what latents are normalised by measured)
and, where it is trained, a log in the work folder. Stopped and started again, it goes on from its
last checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import run_main
from kindred.lab.miniatures import miniature
from kindred.lab.settings import LabSettings
from kindred.lab.training_loop import pick_device


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="settings of the lab (YAML)")
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="folders of drawings")
    parser.add_argument("--out", type=Path, required=True, help="folder for the autoencoder")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and logs")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    args = parser.parse_args(argv)
    settings, device = LabSettings.load(args.settings), pick_device(args.device)
    miniature(settings.architecture).make_vae(args.corpus, args.out, args.work, settings, device)
    return 0


if __name__ == "__main__":
    run_main(main)
