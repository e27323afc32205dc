"""Write the files that follow from the code: schemas, docs/reference and tables of other pages."""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml

from kindred.common.errors import run_main
from kindred.common.files import write_text
from kindred.common.page_blocks import write_block
from kindred.config.json_schema import SCHEMAS, schema_text
from kindred.config.keys_reference import configuration_page
from kindred.report.measures_reference import measures_page
from kindred.starting.confirmation_hours import hours_table
from kindred.starting.needs_table import needs, needs_table
from kindred.workflow.output_files import outputs_tables
from kindred.workflow.rules_reference import commands_page, steps_table


def main(argv: list[str] | None = None) -> int:
    """Write the schemas, pages and tables into their places."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("."), help="folder that holds README.md")
    root: Path = parser.parse_args(argv).root
    for name in SCHEMAS:
        write_text(root / "config" / name, schema_text(name))
    pages = root / "docs/reference"
    write_text(pages / "measures.md", measures_page(root))
    write_text(pages / "configuration.md", configuration_page())
    write_text(pages / "commands.md", commands_page(root))
    write_block(pages / "workflow.md", "steps", steps_table(root / "rules"))
    write_block(pages / "workflow.md", "files", outputs_tables(root / "rules"))
    write_block(root / "README.md", "needs", needs_table(needs(root)))
    confirmed = yaml.safe_load((root / "config/experiments/confirm.yaml").read_text("utf-8"))
    write_block(root / "docs/guide/confirmation.md", "hours", hours_table(confirmed["base"]))
    return 0


if __name__ == "__main__":
    run_main(main)
