"""Sum up the scores of the ceiling's drawings by cast and canvas.

in:  lists of pictures as draw_ceiling.py writes them, and their tables of scores, in equal order
out: ceiling.json: mean, casts (cast -> canvas -> share judged right), pictures
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_json
from kindred.evidence.ceiling import ceiling_figures, ceiling_table, ceiling_warnings
from kindred.rendering.manifest import read_manifest
from kindred.scoring.score_table import read_scores


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pictures", required=True, nargs="+", type=Path, help="lists of the drawings"
    )
    parser.add_argument(
        "--scores", required=True, nargs="+", type=Path, help="one table of scores for each list"
    )
    parser.add_argument("--out", required=True, type=Path, help="ceiling.json to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Sum one experiment's ceiling up."""
    options = parse(argv)
    pictures, rows = map(read_manifest, options.pictures), map(read_scores, options.scores)
    figures = ceiling_figures(zip(pictures, rows, strict=True))
    write_json(options.out, figures)
    warnings = [f"warning: {warning}" for warning in ceiling_warnings(figures)]
    print("\n".join([ceiling_table(figures), *warnings]), file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
