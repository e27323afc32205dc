"""Write the report about several families: what is claimed of all, and what came out.

in:  results/families/<name>/: verdicts.json, power.json
out: report.html, which works offline, and report.md, the same in words
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import read_json, write_text
from kindred.report.families_page import families_content
from kindred.report.report_data import read_versioned
from kindred.report.templates import fill


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=Path, help="results/families/<name>")
    parser.add_argument("--page", required=True, type=Path, help="report.html to write")
    parser.add_argument("--markdown", required=True, type=Path, help="report.md to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Write the page of one file of config/families."""
    options = parse(argv)
    verdicts = read_versioned(options.folder / "verdicts.json")
    power = read_json(options.folder / "power.json")
    content = families_content(verdicts, power)
    write_text(options.page, fill("families.html", content))
    write_text(options.markdown, fill("families.md", content))
    print(f"{options.page}: {content['answer'][0]}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
