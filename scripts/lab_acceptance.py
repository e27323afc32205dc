"""Measure the lab's models again and compare the figures with their targets.

Needs a base and a judge, the shipped ones unless told otherwise; for the gate of single-character
LoRAs also the results of the experiment lab-singles. Gives a table on the terminal and, with --out,
the figures as JSON. The status is 0 whether or not every gate is reached: a figure is a figure.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from kindred.common.errors import run_main
from kindred.common.files import write_json
from kindred.lab.acceptance import Acceptance, measure
from kindred.lab.settings import LabSettings

BUILT_BY = Path("config/lab/full.yaml")


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, default=Path("lab/base"), help="folder of the base")
    parser.add_argument("--judge", type=Path, default=Path("lab/judge"), help="folder of the judge")
    parser.add_argument(
        "--settings",
        type=Path,
        default=Path("config/lab/full.yaml"),
        help="settings with which the base was built",
    )
    parser.add_argument("--singles", type=Path, help="results/lab-singles")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--sheets", type=Path, help="folder for sheets of the base's pictures")
    parser.add_argument(
        "--share", type=float, default=1.0, help="proportion of the pictures to draw; 1: all"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of everything random")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument(
        "--device", default="cpu", help="device; the targets for speed are meant for cpu"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    tokens = LabSettings.load(args.settings).text.tokens
    where = (args.base, tokens, args.judge, args.singles, args.sheets)
    test = Acceptance(*where, args.share, args.seed, args.device)
    gates = measure(test)
    print("\n".join(map(str, gates)))
    print(f"{sum(gate.reached for gate in gates)} of {len(gates)} gates reached")
    if args.out:
        write_json(args.out, {g.name: {"figure": g.figure, "target": g.target} for g in gates})
    return 0


if __name__ == "__main__":
    run_main(main)
