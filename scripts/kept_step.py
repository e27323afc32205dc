"""Copy the adapter of a kept step from the store into the folder of its run.

in:  the run's folder with its lora.json, and the store of adapters
out: <run-folder>/steps/<step>/lora.safetensors
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import run_main
from kindred.training import adapter_store, kept_steps


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--run-folder", required=True, type=Path, help="folder of a finished training"
    )
    parser.add_argument("--step", required=True, type=int, help="number of the step")
    parser.add_argument("--store", type=Path, default=adapter_store.STORE, help="finished adapters")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Copy one step's adapter."""
    options = parse(argv)
    print(kept_steps.fetch(options.store, options.run_folder, options.step))
    return 0


if __name__ == "__main__":
    run_main(main)
