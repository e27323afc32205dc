"""What a dataset can teach, and what it can't, before anything is trained.

in:  images.json of preprocess, captions.jsonl of caption
out: audit.json: photos, unnamed, characters, cells {cell: photos}, appearances and solos by letter,
     appearance_ratio, together, casts_by_shape {cast: {shape: photos}}, shape_bits, cast_bits,
     words, noun_shares, tokens and trigger_tokens by tokenizer, findings [{kind, level, what,
     effect, cure, items}]; and the same as a page
Ends with status 1 when a variant asks for a cell that no photo shows.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.common.files import read_json, read_jsonl, write_json, write_text
from kindred.data.audit import coverage, report
from kindred.data.dataset import read_dataset
from kindred.report.audit_page import render
from kindred.specs.dataset import AuditSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="AuditSpec as JSON, or a file of it")
    parser.add_argument("--images", required=True, type=Path, help="images.json of preprocess")
    parser.add_argument("--captions", required=True, type=Path, help="captions.jsonl of caption")
    parser.add_argument("--out", required=True, type=Path, help="audit.json to write")
    parser.add_argument("--page", required=True, type=Path, help="audit.html to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Audit a dataset."""
    options = parse(argv)
    spec = AuditSpec.read(options.spec)
    photos = coverage.photos_of(read_json(options.images), read_jsonl(options.captions))
    items = read_dataset(options.images, options.captions) if spec.trainings else []
    result = report.examine(photos, spec, items)
    for finding in result["findings"]:
        print(f"{finding['level']}: {finding['what']}: {finding['effect']}", file=sys.stderr)
    write_json(options.out, result)
    write_text(options.page, render(result))
    try:
        coverage.check_cells(spec.cells, result["cells"], spec.characters)
    except KindredError:
        # Snakemake deletes what a failed job wrote, so the page can't say it.
        print(report.coverage_table(result), file=sys.stderr)
        raise
    return 0


if __name__ == "__main__":
    run_main(main)
