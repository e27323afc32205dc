"""Draw the figure of the workflow in docs/reference/workflow.md from the rules.

in:  the text of `snakemake --rulegraph mermaid-js --config experiments=plain`, on standard input
out: docs/reference/workflow.md with the figure as the rules are now

    snakemake --rulegraph mermaid-js --config experiments=plain | python scripts/workflow_figure.py
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.page_blocks import write_block
from kindred.workflow.flow_figure import flow_figure


def main(argv: list[str] | None = None) -> int:
    """Write the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--page",
        type=Path,
        default=Path("docs/reference/workflow.md"),
        help="page that holds the figure",
    )
    options = parser.parse_args(argv)
    write_block(options.page, "figure", flow_figure(sys.stdin.read()))
    return 0


if __name__ == "__main__":
    run_main(main)
