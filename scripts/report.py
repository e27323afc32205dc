"""Write the report about one experiment.

in:  results/<experiment>/: summary.json, verdicts.json, scores.csv, power.json where the design was
     forecast, audit/<dataset>.json; spec.json of variants, of runs lora.json, training.csv, images/
     resources/<dataset>/: images.json, captions.jsonl and the prepared photos (not with
     `hide_photos`); files of people's ratings
out: report.html, self-contained; report.md, its words; best/, what to keep; without --page words
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import write_text
from kindred.report.html_page import build, build_words
from kindred.report.keeping import look
from kindred.report.report_data import read_report_data
from kindred.specs.report import ReportSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="ReportSpec as JSON, or a file of it")
    parser.add_argument("--folder", required=True, type=Path, help="results/<experiment>")
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    parser.add_argument("--page", type=Path, help="report.html to write; unset: only report.md")
    parser.add_argument("--best", type=Path, help="best/pictures.json to write")
    for name in ("--ratings", "--pairs"):
        parser.add_argument(name, nargs="*", default=[], type=Path, help="files that people saved")
    parser.add_argument("--markdown", required=True, type=Path, help="report.md to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Write the report."""
    options = parse(argv)
    spec = ReportSpec.read(options.spec)
    where = options.folder, options.resources, bool(options.page) and not spec.hide_photos
    data = read_report_data(*where, only_words=not options.page, series=spec.series)
    kept = look(data, spec, options.ratings, bool(options.page), options.pairs)
    if options.page:
        page, markdown = build(data, spec, kept)
        write_text(options.page, page)
        print(f"{options.page}: {len(page) / 1e6:.1f} MB", file=sys.stderr)
    else:
        markdown = build_words(data, spec, kept)
    if options.best:
        kept.write(options.best)
    write_text(options.markdown, markdown)
    for name, one in data.verdicts["hypotheses"].items():
        print(f"{name}: {one['sentence']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
