"""How long Snakemake takes to see that nothing is to be done, and what one more variant adds.

Sets up a copy of the workflow with many variants in which everything is made, of empty files, then
times a bare `snakemake` and, after adding one variant, `snakemake -n`.

    python benchmarks/noop.py                # 1,000 variants x 3 runs: to reach 10 s each
    python benchmarks/noop.py --variants 50  # a quick look
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from kindred.benchmarking.empty_jobs import copy_workflow, make_all  # noqa: E402
from kindred.models.architectures.flux1.facts import FLUX1  # noqa: E402

EXPERIMENT = """
title: many
characters:
  J: {{name: JRussell, class: man}}
datasets:
  ours: {{source: photos}}
base: fake
recipe: lab-character
runs: {runs}
variants:
  v: {{sweep: {{data_seed: [{seeds}]}}}}
prompt_sets:
"""
PROMPT_SET = '  p{n}: {{prompts: ["headshot of {{J}}"], seeds: 4, size: [64, 64]}}\n'


def set_up(root: Path, variants: int, runs: int, prompt_sets: int) -> None:
    """A workspace in `root` in which nothing is made yet."""
    copy_workflow(ROOT, root)
    (root / "photos").mkdir()
    (root / "photos" / "J-01.png").touch()
    (root / "photos" / "captions.csv").touch()
    for part in FLUX1.parts.folders("all"):
        (root / "base" / part).mkdir(parents=True)
    (root / "config/bases/fake.yaml").write_text(
        "model: base\narchitecture: flux1\n", encoding="utf-8"
    )
    config = "experiments: [many]\ndevice: {kind: cpu, threads: 1}\n"
    (root / "config/config.yaml").write_text(config, encoding="utf-8")
    write_experiment(root, variants, runs, prompt_sets)


def write_experiment(root: Path, variants: int, runs: int, prompt_sets: int) -> None:
    """The experiment file."""
    seeds = ", ".join(map(str, range(variants)))
    text = EXPERIMENT.format(runs=runs, seeds=seeds)
    text += "".join(PROMPT_SET.format(n=n) for n in range(prompt_sets))
    (root / "config/experiments/many.yaml").write_text(text, encoding="utf-8")


def snakemake(root: Path, *arguments: str) -> tuple[str, float, float]:
    """What a run prints, its seconds, and the seconds of processor time among them."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    before, start = _children_s(), time.monotonic()
    done = subprocess.run(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    seconds = time.monotonic() - start
    if done.returncode:
        sys.exit(done.stdout[-4000:])
    return done.stdout, seconds, _children_s() - before


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Set up, run, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variants", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--prompt-sets", type=int, default=1)
    options = parser.parse_args()
    sizes = options.variants, options.runs, options.prompt_sets
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "kindred"
        root.mkdir()
        set_up(root, *sizes)
        start = time.monotonic()
        make_all(root)
        print(f"{sizes[0]} variants x {sizes[1]} runs x {sizes[2]} prompt sets")
        print(f"setting up: {time.monotonic() - start:.0f} s", flush=True)
        for _ in range(3):
            output, seconds, cpu = snakemake(root)
            assert "Nothing to be done" in output, output[-2000:]
            print(f"nothing to be done: {seconds:.1f} s ({cpu:.1f} s of processor)", flush=True)
        write_experiment(root, sizes[0] + 1, *sizes[1:])
        output, seconds, cpu = snakemake(root, "-n")
        print(f"-n after adding one variant: {seconds:.1f} s ({cpu:.1f} s of processor)")
        for message in sorted(re.findall(r"(?m)^Job \d+: (.*)$", output)):
            print(f"    {message}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
