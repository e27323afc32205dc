"""Benchmark of the report: how large the page gets, how long it takes to write and to open.

Two made-up experiments: 1,000 pictures of 1024 px with the detail of a photograph (the page is to
stay under 60 MB and to open in under 3 s), and 40 variants x 10 runs x 24 prompts x 8 seeds of the
lab's size (to be written in 30 s or less). Nothing is trained or judged; drawings repeat.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

import reported  # noqa: E402
import synthetic  # noqa: E402
from browser import browser  # noqa: E402
from synthetic import PROMPTS, Arm, Hypothesis, Made  # noqa: E402

from kindred.common.files import read_json, write_json  # noqa: E402

PLACES = ("park", "kitchen", "snow", "garden", "forest", "city", "street", "studio")
POOL = 40


def photographs(folder: Path, count: int = POOL, edge: int = 1024) -> list[Path]:
    """Pictures with shapes and grain, which compress as photographs do (about 0.1 byte a pixel at
    WebP quality 82)."""
    folder.mkdir(parents=True)
    paths = []
    for seed in range(count):
        random = np.random.default_rng(seed)
        layers = []
        for cells, weight in ((4, 0.5), (24, 0.25), (120, 0.15), (400, 0.06)):
            noise = Image.fromarray(random.integers(0, 255, (cells, cells, 3), dtype=np.uint8))
            layers.append(weight * np.asarray(noise.resize((edge, edge), Image.Resampling.BICUBIC)))
        picture = Image.fromarray(sum(layers).clip(0, 255).astype(np.uint8))
        paths.append(folder / f"{seed}.png")
        picture.filter(ImageFilter.SHARPEN).save(paths[-1], compress_level=1)
    return paths


def point_to(made: Made, pool: list[Path]) -> None:
    """Make every picture of the experiment one of the pool, under a key of its own still."""
    with Image.open(pool[0]) as image:
        width, height = image.size
    for variant, one in made.spec.variants.items():
        for run in one.runs:
            for prompt_set in made.spec.prompt_sets:
                path = made.manifest(variant, run, prompt_set)
                manifest = read_json(path)
                for row in manifest["images"]:
                    file = pool[int(row["key"][:8], 16) % len(pool)]
                    row |= {"path": str(file), "width": width, "height": height}
                write_json(path, manifest)
    for photo in read_json(made.root / "resources/russell/images.json"):
        file = made.root / "resources/russell/images" / f"{photo['image_id']}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.symlink_to(pool[0])


def drawings(folder: Path) -> list[Path]:
    """Pictures of the lab's size."""
    made = synthetic.make(folder, runs=1, seeds=(1,))
    return sorted((made.root / "resources/store/images").rglob("*.png"))


def experiment(root: Path, variants: int, runs: int, trios: int, seeds: int) -> Made:
    """An experiment without pictures, compared and audited."""
    pairs = (("A", "C"), ("A", "J"), ("C", "J"))
    prompts = {
        "headshot": PROMPTS["headshot"],
        "pair": {
            f"{a}{b}-{place}": f"{a}Russell and {b}Russell in the {place}"
            for a, b in pairs
            for place in PLACES[: trios // 3]
        },
        "trio": {f"{n}": f"JRussell, ARussell and CRussell, scene {n}" for n in range(trios)},
        "plain": PROMPTS["plain"],
    }
    arms = {f"v{n:02d}": Arm(group=0.4 + 0.01 * n) for n in range(variants - 1)}
    claims = {
        f"h{n}": Hypothesis(
            claim=f"Claim {n}", variant=f"v{n:02d}", against="v00", prompt_set="trio"
        )
        for n in range(1, min(6, variants - 1))
    }
    return reported.build(
        root,
        arms=arms | {"BASE": synthetic.ARMS["BASE"]},
        runs=runs,
        seeds=tuple(range(1, seeds + 1)),
        prompts=prompts,
        hypotheses=claims,
        pictures=False,
    )


def measure(name: str, made: Made, out: Path) -> None:
    """Write and open the report, and print what it took."""
    start = time.monotonic()
    page, _ = reported.run_report(made, out)
    seconds = time.monotonic() - start
    shown = page.count('<button class="pic"')
    print(f"{name}: {shown} pictures, {len(page) / 1e6:.1f} MB, written in {seconds:.1f} s")
    with browser(out) as window:
        window.open(out / "report.html")
        timing = "performance.timing.{} - performance.timing.navigationStart"
        ready, loaded = (
            window.run(timing.format(event)) / 1000
            for event in ("domContentLoadedEventEnd", "loadEventEnd")
        )
        paint = window.run("performance.getEntriesByType('paint')[0]?.startTime ?? 0") / 1000
        print(f"{name}: first paint {paint:.2f} s, usable {ready:.2f} s, loaded {loaded:.2f} s")


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("photographs", "large"), help="one of the two")
    parser.add_argument("--small", action="store_true", help="fewer pictures, to try it out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if options.only != "large":
            made = experiment(root / "a", 6, 2 if options.small else 9, 6, 2)
            point_to(made, photographs(root / "photographs", 4 if options.small else POOL))
            measure("photographs of 1024 px", made, root / "a-out")
        if options.only != "photographs":
            size = (6, 2, 3, 2) if options.small else (40, 10, 10, 8)
            made = experiment(root / "b", *size)
            point_to(made, drawings(root / "drawings"))
            measure("40 variants x 10 runs x 24 prompts x 8 seeds", made, root / "b-out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
