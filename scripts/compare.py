"""Compare variants and decide hypotheses, from tables of scores.

in:  scores, lora.json of every run, references, vectors; optionally ratings, hypotheses, ceiling
out: <results>/scores.csv (all rows), summary.json (figures), verdicts.json
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.chained_log import read_log
from kindred.common.errors import run_main
from kindred.common.files import read_json, write_json
from kindred.evidence.ceiling import add_ceiling
from kindred.evidence.comparison import compare, in_sentences, trainings
from kindred.evidence.preregistration import note_look
from kindred.scoring.score_table import read_experiment, tables_of, write_texts
from kindred.scoring.table_provenance import code_revisions
from kindred.scoring.training_pictures import told_of_variants
from kindred.specs.scoring import CompareSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="CompareSpec as JSON, or a file of it")
    parser.add_argument("--results", required=True, type=Path, help="folder of the experiment")
    parser.add_argument("--references", required=True, type=Path, help="references.json")
    parser.add_argument("--declared", type=Path, help="log of declared hypotheses (JSON lines)")
    for name in ("vectors", "ratings", "ceiling"):
        parser.add_argument(f"--{name}", nargs="*", default=[], type=Path, help=f"files of {name}")
    for name in ("scores", "summary", "verdicts"):
        parser.add_argument(f"--{name}", required=True, type=Path, help=f"file of {name} to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Compare one experiment's variants."""
    options = parse(argv)
    spec, references = CompareSpec.read(options.spec), read_json(options.references)
    rows = read_experiment(spec, options.results, references["hash"])
    declared = read_log(options.declared) if options.declared else []
    trained, copied = trainings(spec, options.results), told_of_variants(spec, options.vectors)
    figures, found = compare(spec, rows, references, trained, copied, options.ratings, declared)
    tables = [path for _, path in tables_of(spec, options.results)]
    figures["code_revisions"] = code_revisions(tables, trained)
    add_ceiling(figures, options.ceiling)
    write_texts(options.scores, [row for part in rows.values() for row in part])
    write_json(options.summary, figures)
    write_json(options.verdicts, found)
    if options.declared:
        note_look(options.declared, spec)
    print("\n".join(in_sentences(figures, found)), file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
