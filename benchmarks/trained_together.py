"""How much faster an experiment's trainings are on two GPUs than on one, trained together.

Makes a fresh copy, prepares everything, then trains the same list on one GPU and on two, each time
from an empty store. 1.8 times the speed was to be reached on two, with 40 trainings of 1000 steps;
docs/reference/performance.md says what was. Without two GPUs it says so and measures nothing, or
with --cpu two processes of a few steps.

    python benchmarks/trained_together.py
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from kindred.benchmarking.empty_jobs import copy_workflow
from kindred.compute.devices import gpus_visible

ROOT = Path(__file__).parents[1]
EXPERIMENT = """
title: Many alike
characters: {{J: {{name: JRussell, class: man}}, A: {{name: ARussell, class: woman}}}}
datasets:
  album:
    lab: {{family: russell, coverage: {{J: 4, A: 4, A+J: 4}}, seed: 3}}
    preprocess: {{buckets: [[128, 144]], min_side: 128}}
base: lab
recipe: lab-character
runs: {runs}
variants: {{all: {{steps: {steps}, batch: {batch}}}}}
prompt_sets: {{solo: {{prompts: {{J: "headshot of {{J}}"}}, seeds: 1, size: [128, 144]}}}}
"""


def snakemake(root: Path, device: str, *arguments: str) -> float:
    """Seconds of a run in the copy."""
    settings = ("experiments=[many]", f"device={{{device}}}")
    command = [sys.executable, "-m", "snakemake", "--cores", "all", *arguments]
    began = time.monotonic()
    subprocess.run([*command, "--config", *settings], cwd=root, check=True)
    return time.monotonic() - began


def in_steps(root: Path) -> float:
    """Seconds of training alone, of the job that took longest."""
    reports = (root / "results/many").glob("together/**/trained.json")
    stacks = [json.loads(path.read_text(encoding="utf-8"))["stacks"] for path in reports]
    return max(sum(stack["seconds"] for stack in of_job) for of_job in stacks)


def main() -> int:
    """Copy, prepare, train twice, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainings", type=int, default=40)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=4, help="photos a step")
    parser.add_argument("--cpu", action="store_true", help="two processes on the CPU")
    options = parser.parse_args()
    if not options.cpu and len(gpus_visible()) < 2:
        print("needs two GPUs; nothing was measured")
        return 0
    kind = "cpu, threads: 1" if options.cpu else "cuda"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "kindred"
        root.mkdir()
        copy_workflow(ROOT, root)
        os.symlink(ROOT / "lab", root / "lab")
        text = EXPERIMENT.format(runs=options.trainings, steps=options.steps, batch=options.batch)
        (root / "config/experiments/many.yaml").write_text(text, encoding="utf-8")
        seconds, steps = {}, {}
        for jobs in (1, 2):
            device, limit = f"kind: {kind}, jobs_together: {jobs}", f"gpu={jobs}"
            prepared = ("--until", "encode_images", "encode_captions", "resolve")
            snakemake(root, device, "trained_together", *prepared, "--resources", limit)
            seconds[jobs] = snakemake(root, device, "trained_together", "--resources", limit)
            steps[jobs] = in_steps(root)
            for folder in ("resources/store", "results/many/together"):
                shutil.rmtree(root / folder, ignore_errors=True)
        one, two = (f"{seconds[n]:.0f} s, of which training {steps[n]:.0f} s" for n in (1, 2))
        print(
            f"{options.trainings} trainings of {options.steps} steps of {options.batch} photos: "
            f"as one job {one}; as two {two}: {seconds[1] / seconds[2]:.2f} times as fast, "
            f"{steps[1] / steps[2]:.2f} times in training alone"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
