"""Fill in the figures in README.md and docs/ from the published tables that they name.

in:  published tables; pages with figures, `[95 %](alike/runs.csv "any-heads trio success")`
out: the same pages, the table of labels in docs/reference/statistics.md, docs/pictures/casts.svg;
     those that have changed are named

Run by hand after publishing. `--check` writes nothing and ends with an error where a figure is old.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.common.files import write_text
from kindred.report.casts_figure import FILE, casts_svg
from kindred.report.doc_figures import pages_as_now


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path("."), help="folder that holds README.md")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a figure is out of date"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Fill in the figures of all pages, or check them."""
    options = parse(argv)
    texts = pages_as_now(options.root)
    if (picture := options.root / FILE).is_file():
        texts[picture] = casts_svg(options.root / "docs/findings")
    old = [page for page, text in texts.items() if text != page.read_text(encoding="utf-8")]
    if old and options.check:
        named = ", ".join(map(str, old))
        raise KindredError("figures are out of date", named, "run `python scripts/doc_figures.py`")
    for page in old:
        write_text(page, texts[page])
    print(f"{len(old)} of {len(texts)} pages and pictures were out of date", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
