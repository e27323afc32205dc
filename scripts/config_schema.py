"""Write config/schema*.json and docs/reference/measures.md from the models that check both."""

from __future__ import annotations

import argparse
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_text
from kindred.config.json_schema import SCHEMAS, schema_text
from kindred.report.measures_reference import measures_page


def main(argv: list[str] | None = None) -> int:
    """Write the schemas and the page of measures into their folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("config"), help="folder (config)")
    parser.add_argument(
        "--docs", type=Path, default=Path("docs/reference"), help="folder (docs/reference)"
    )
    options = parser.parse_args(argv)
    for name in SCHEMAS:
        write_text(options.out / name, schema_text(name))
    write_text(options.docs / "measures.md", measures_page())
    return 0


if __name__ == "__main__":
    run_main(main)
