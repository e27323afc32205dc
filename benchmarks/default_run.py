"""The default experiments from nothing, in a fresh copy: minutes, and peak memory of every step.

python benchmarks/default_run.py [--cores 2]   # to reach: 12 minutes, 6 GB
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from kindred.benchmarking.empty_jobs import copy_workflow

ROOT = Path(__file__).parents[1]


def steps(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Snakemake's measurements, by rule: benchmarks/[<experiment>/]<rule>/<job>.tsv."""
    found = defaultdict(list)
    for path in sorted(folder.rglob("*.tsv")):
        with open(path, newline="", encoding="utf-8") as file:
            found[path.relative_to(folder).parts[-2]] += list(csv.DictReader(file, delimiter="\t"))
    return found


def number(text: str) -> float:
    """A measurement; a job shorter than a second has none, written as 'NA' or '-'."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def main() -> int:
    """Copy, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", default="2")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "kindred"
        root.mkdir()
        copy_workflow(ROOT, root)
        os.symlink(ROOT / "lab", root / "lab")
        start = time.monotonic()
        command = [sys.executable, "-m", "snakemake", "--cores", options.cores]
        status = subprocess.run(command, cwd=root).returncode
        minutes = (time.monotonic() - start) / 60
        print(f"\ndefault experiments on {options.cores} cores: {minutes:.1f} minutes")
        print(f"{'step':<16}{'jobs':>6}{'seconds':>10}{'longest':>10}{'peak MiB':>10}")
        for name, rows in steps(root / "benchmarks").items():
            seconds = [number(row["s"]) for row in rows]
            peak = max(number(row["max_rss"]) for row in rows)
            total, longest = sum(seconds), max(seconds)
            print(f"{name:<16}{len(rows):>6}{total:>10.0f}{longest:>10.0f}{peak:>10.0f}")
    return status


if __name__ == "__main__":
    sys.exit(main())
