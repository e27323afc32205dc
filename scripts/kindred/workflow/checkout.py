"""Where the workflow itself lies: Snakemake reads braces in that path as wildcards of its own."""

from __future__ import annotations

from pathlib import Path

from kindred.common.errors import KindredError


def check_checkout(folder: Path | str) -> None:
    """Raise KindredError for a folder whose path has braces. Angle brackets work there."""
    if any(sign in str(folder) for sign in "{}"):
        raise KindredError(
            "its path contains a brace, which Snakemake reads as a wildcard",
            str(folder),
            "rename that folder without { }, or move the checkout",
        )
