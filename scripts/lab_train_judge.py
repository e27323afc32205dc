"""Train the lab's judge and measure it.

Needs shards of lab_identity_corpus.py, and of lab_draw_shards.py where there are any; an
autoencoder if the judge is to know softened pictures. Gives <out>/config.json
and <out>/model.safetensors, and gates.json, there and in <work>, with the figures of the gates on
fresh drawings. Can be stopped and started again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import run_main
from kindred.lab.judge_run import JudgeRun, train_and_measure


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument(
        "--identities", type=Path, required=True, help="folder of lab_identity_corpus.py"
    )
    p.add_argument("--corpus", type=Path, help="folder of lab_draw_shards.py")
    p.add_argument("--vae", type=Path, help="folder of a diffusers AutoencoderKL")
    p.add_argument(
        "--vae-share", type=float, default=0.5, help="proportion of pictures sent through --vae"
    )
    p.add_argument("--out", type=Path, required=True, help="folder for the judge")
    p.add_argument(
        "--work", type=Path, required=True, help="folder for checkpoints, losses and gates.json"
    )
    p.add_argument(
        "--steps", type=int, default=9000, help="steps in which all three networks train"
    )
    p.add_argument(
        "--batch", type=int, default=1024, help="head crops in each step of the face network"
    )
    p.add_argument("--general", type=int, default=50_000, help="pictures taken from --corpus")
    p.add_argument("--seed", type=int, default=0, help="seed of everything random")
    p.add_argument("--gates", type=float, default=1.0, help="size of the final test; 0: no test")
    p.add_argument("--device", default="auto", help="auto, cpu or cuda")
    return p.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Train and measure."""
    run = JudgeRun(**vars(parse(argv)))
    train_and_measure(run)
    print(f"{run.out}: the judge")
    return 0


if __name__ == "__main__":
    run_main(main)
