"""Check what a dataset can teach, before anything is trained.

in:  images.json of preprocess, captions.jsonl of caption; people.yaml, where one lies beside photos
out: audit.json: counts by cell, character and shape; words, tokens, faces (with people.yaml);
     findings [{kind, level, what, effect, cure, items}]; and the same as a page with photos
Ends with status 1 when a variant asks for a cell that no photo shows.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.common.files import read_json, read_jsonl, write_json, write_text
from kindred.data.audit import coverage, report
from kindred.data.audit.faces_and_captions import read_faces
from kindred.data.dataset import read_dataset
from kindred.report.audit_page import render
from kindred.report.audit_photos import audit_photos
from kindred.specs.dataset import AuditSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="AuditSpec as JSON, or a file of it")
    parser.add_argument("--images", required=True, type=Path, help="images.json (preprocess.py)")
    parser.add_argument("--captions", required=True, type=Path, help="captions.jsonl (caption.py)")
    parser.add_argument("--photos", nargs="+", type=Path, default=[], help="folders of photos")
    for name, what in (("--out", "audit.json"), ("--page", "the page to write")):
        parser.add_argument(name, required=True, type=Path, help=what)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Audit a dataset."""
    options = parse(argv)
    spec = AuditSpec.read(options.spec)
    photos = coverage.photos_of(read_json(options.images), read_jsonl(options.captions))
    items = read_dataset(options.images, options.captions) if spec.trainings else []
    result = report.examine(photos, spec, items, read_faces(options.photos, spec.characters))
    for line in report.finding_lines(result):
        print(line, file=sys.stderr)
    write_json(options.out, result)
    where = options.images.parent / "images", options.photos, options.page.parent
    shown = [] if spec.hide_photos else audit_photos(photos, result["findings"], *where)
    place = [options.page.parent.parent.name, *([] if spec.hide_photos else options.photos[:1])]
    write_text(options.page, render(result, shown, *map(str, place)))
    try:
        coverage.check_cells(spec.cells, result["cells"], spec.characters)
    except KindredError:
        print(report.coverage_table(result), file=sys.stderr)  # Snakemake deletes the page
        raise
    return 0


if __name__ == "__main__":
    run_main(main)
