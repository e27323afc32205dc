"""How often verdicts are right on made-up results of the published designs, and how long they take.

For every design that docs/findings/*/verdicts.csv holds (runs of either arm, prompts, pictures a
prompt, strata), and those of cast sets: how often an interval holds the true difference, at 95 %
and at the level of the first of six hypotheses, and how often "supported" and "no difference" are
false where the true difference is 0 or equal to the margin. Then the published rows at their own
means, and the primary hypotheses of every experiment together, corrected after Holm. Results are
made up as evidence/power_simulation.py says, with spreads fitted to the published ones.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from kindred.characters.trigger_words import letters_in
from kindred.config.load_plan import load_plan
from kindred.evidence.intervals import LEVEL, Arm, Estimate, difference, holm, level_of
from kindred.evidence.power_simulation import Size, World, simulate
from kindred.evidence.variance import Sample

ROOT = Path(__file__).parents[1]
MARGIN = 0.10
SIX = level_of(6)
CASTS = [Size((runs, runs), 8, 2, casts=12) for runs in (2, 3, 5, 10)]
Row = Mapping[str, str]


def published() -> Iterator[tuple[str, Row, Size]]:
    """(experiment, row of verdicts.csv, its design) of everything that is published."""
    tables = sorted(ROOT.glob("docs/findings/*/verdicts.csv"))
    plan = load_plan(ROOT, {"experiments": [path.parent.name for path in tables]})
    for path in tables:
        experiment = plan.experiments[path.parent.name]
        for row in table(path):
            asked = experiment.prompt_sets[row["prompt_set"]]
            texts = asked.texts().values()
            people = [tuple(letters_in(text, experiment.characters)) for text in texts]
            alone = all(len(one) == 1 for one in people)
            casts = len({*people}) if alone else 1
            seeds = max(len(asked.full(prompt).seeds) for prompt in asked.prompts)
            counts = [int(text) for text in row["runs"].split(" and ")]
            runs = counts[0], counts[-1]
            yield path.parent.name, row, Size(runs, len(people) // casts, seeds, casts)


def table(path: Path) -> list[dict[str, str]]:
    """Its rows."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def estimates(world: World, size: Size, trials: int, seed: int) -> list[Estimate]:
    """The difference of two arms in so many made-up results."""
    rng = np.random.default_rng([seed, *size.runs, size.prompts, size.seeds, size.casts])
    strata = size.of_cast if size.casts > 1 else None
    sample = Sample(size.of_prompt, strata, macro=size.casts > 3)
    return [
        difference(*map(Arm, simulate(world, size, rng)), sample, share=True) for _ in range(trials)
    ]


def held(found: list[Estimate], truth: float, level: float = LEVEL) -> float:
    """Share of intervals that hold the truth."""
    return share(low <= truth <= high for low, high in (one.interval(level) for one in found))


def supported(found: list[Estimate], margin: float, level: float = LEVEL) -> float:
    """Share of intervals above a margin."""
    return share(one.interval(level)[0] > margin for one in found)


def equal(found: list[Estimate], x: float) -> float:
    """Share of 90 % intervals within x either way."""
    return share(-x < low and high < x for low, high in (one.interval(0.9) for one in found))


def share(values: Iterator[bool]) -> float:
    """Of what is true."""
    return float(np.mean(list(values)))


def of_designs(trials: int) -> None:
    """A line a design: means of .5 and .5, .6 and .5, .05 and .05."""
    counts = Counter(size for _, _, size in published())
    print(f"designs, {trials} trials each; held at 95 % and at {100 * SIX:.2f} %")
    print(
        "  runs strata prompts pictures rows | .5 .5: held       supported >0 >.1 | "
        ".6 .5: held       supported >.1 equal | .05 .05: held"
    )
    for size, rows in [*sorted(counts.items(), key=lambda x: str(x[0])), *((s, 0) for s in CASTS)]:
        none = estimates(World(), size, trials, 1)
        some = estimates(World(share=0.55, difference=MARGIN), size, trials, 2)
        low = estimates(World(share=0.05), size, trials, 3)
        print(
            f"{size.runs[0]:3}+{size.runs[1]:<3} {size.casts:5} {size.prompts:6} {size.seeds:7} "
            f"{rows or '–':>7} |   {held(none, 0):.3f} {held(none, 0, SIX):.3f}   "
            f"{supported(none, 0):.3f} {supported(none, MARGIN):.3f}   |   "
            f"{held(some, MARGIN):.3f} {held(some, MARGIN, SIX):.3f}   "
            f"{supported(some, MARGIN):.3f}  {equal(some, MARGIN):.3f}    |   "
            f"{held(low, 0):.3f} {held(low, 0, SIX):.3f}",
            flush=True,
        )


def of_rows(trials: int) -> None:
    """Every published row of success at the means that were published."""
    runs = {path.parent.name: table(path) for path in ROOT.glob("docs/findings/*/runs.csv")}
    inner, outer = [], []
    for experiment, row, size in published():
        if row["measure"] != "success":
            continue
        means = [
            np.mean([float(run["success"]) for run in runs[experiment] if _of(run, row, side)])
            for side in ("variant", "against")
        ]
        # A mean of exactly 0 or 1 has no logit.
        a, b = np.clip(means, 0.002, 0.998)
        truth = float(a - b)
        found = estimates(World(share=float(a + b) / 2, difference=truth), size, trials, 4)
        ends = min(a, b) < 0.03 or max(a, b) > 0.97
        (outer if ends else inner).append((held(found, truth), supported(found, truth)))
    for name, rates in (("both means between 3 and 97 %", inner), ("others", outer)):
        holds, false = np.array(rates).T
        print(
            f"{len(rates)} rows of success at their own means, {name}: held {holds.mean():.3f} "
            f"({holds.min():.3f} to {holds.max():.3f}); supported at a difference equal to the "
            f"margin {false.mean():.3f} (at most {false.max():.3f})",
            flush=True,
        )


def _of(run: Row, row: Row, side: str) -> bool:
    return (run["variant"], run["prompt_set"]) == (row[side], row["prompt_set"])


def of_families(trials: int) -> None:
    """The primaries of every experiment, all differences true ones equal to the margin: how often
    any is supported after Holm."""
    families: dict[str, list[Size]] = {}
    for experiment, row, size in published():
        if row["primary"] == "1":
            families.setdefault(experiment, []).append(size)
    rates = {}
    world = World(share=0.55, difference=MARGIN)
    for name, sizes in families.items():
        each = [estimates(world, size, trials, 100 + n) for n, size in enumerate(sizes)]
        wrong = [_any_supported(family) for family in zip(*each, strict=True)]
        rates[name] = share(iter(wrong))
    worst = max(rates, key=rates.__getitem__)
    print(
        f"{len(rates)} families of 1 to {max(map(len, families.values()))} primary hypotheses, "
        f"{trials} trials each, every true difference equal to the margin: any supported in "
        f"{np.mean(list(rates.values())):.3f}, at most {rates[worst]:.3f} ({worst})",
        flush=True,
    )


def _any_supported(family: tuple[Estimate, ...]) -> bool:
    p = [min(one.p_below(MARGIN), one.p_above(0.0)) for one in family]
    levels = [level_of(left) for _, left in holm(p)]
    return any(one.interval(level)[0] > MARGIN for one, level in zip(family, levels, strict=True))


def whole(runs: int = 10, seeds: int = 8) -> None:
    """Time comparing 40 variants x 10 runs x 24 prompts x 8 seeds, from score files to verdicts."""
    import synthetic

    trio = {f"t{n}": f"JRussell, ARussell and CRussell, picture {n}" for n in range(16)}
    arms = {f"v{n:02d}": synthetic.Arm(group=0.4 + 0.01 * n) for n in range(40)}
    hypotheses = {
        name: synthetic.Hypothesis(claim="x", variant=name, against="v00", prompt_set="trio")
        for name in list(arms)[1:]
    }
    with tempfile.TemporaryDirectory() as folder:
        made = synthetic.make(
            Path(folder),
            arms,
            runs,
            tuple(range(1, seeds + 1)),
            {**synthetic.PROMPTS, "trio": trio},
            hypotheses,
            pictures=False,
        )
        start = time.monotonic()
        with contextlib.redirect_stderr(io.StringIO()):
            synthetic.compared(made)
        seconds = time.monotonic() - start
    prompts = sum(map(len, made.spec.prompt_sets.values()))
    print(
        f"statistics: {len(arms)} variants x {runs} runs x {prompts} prompts x {seeds} seeds, "
        f"{len(hypotheses)} hypotheses in {seconds:.1f} s (target 30)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--whole", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    of_designs(options.trials)
    of_rows(max(100, options.trials // 4))
    of_families(max(100, options.trials // 2))
    if options.whole:
        whole()


if __name__ == "__main__":
    main()
