"""Write envs/environment.yaml from the pins in envs/requirements.txt, for conda users."""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_text

HEAD = """# Made by `python scripts/conda_env.py` from requirements.txt; do not edit.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python>=3.11
  - pip
  - pip:
"""


def environment(requirements: str) -> str:
    """The conda file for the pins of a requirements file."""
    lines = (line.split("#")[0].strip() for line in requirements.splitlines())
    return HEAD + "".join(f"      - {line}\n" for line in lines if line)


def main(argv: list[str] | None = None) -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--envs",
        type=Path,
        default=Path("envs"),
        help="folder of requirements.txt and environment.yaml",
    )
    options = parser.parse_args(argv)
    text = (options.envs / "requirements.txt").read_text(encoding="utf-8")
    write_text(options.envs / "environment.yaml", environment(text))
    return 0


if __name__ == "__main__":
    run_main(main)
