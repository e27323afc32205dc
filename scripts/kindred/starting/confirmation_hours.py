"""The table of hours in docs/guide/confirmation.md: by arithmetic, but for one step that was timed.

Knows the experiment `confirm` by its amounts, which a test compares with its file; measures
nothing.
"""

from __future__ import annotations

from kindred.benchmarking.random_weights import SHAPES
from kindred.compute import roofline
from kindred.starting.base_choice import tokens_of
from kindred.starting.estimates import OVERHEAD

EDGE = 512  # px of photos
TRAININGS, STEPS = 15, 3000
PICTURES, DRAWING_STEPS, SIZES = 1920, 28, ((640, 512), (768, 512))
# Over the least time for the arithmetic: of a step as on the H200, of a picture compiled or not
# (docs/reference/performance.md).
STEP, PICTURE = (2.3, 3.1), (1.3, 2.5)
CARDS = {"12 GB card": 25, "24 GB card": 70}  # TFLOP/s in bfloat16, the slowest of the size
H200, TIMED_S = 778, 0.058  # the same, as measured, and seconds of a step of batch 1
Range = tuple[float, float]


def hours_table(base: str) -> str:
    """The table, as Markdown. base: the experiment's."""
    steps = {card: _times(STEP, _training_step(base), rate) for card, rate in CARDS.items()}
    steps["H200"] = (TIMED_S, TIMED_S)
    pictures = {
        card: _times(PICTURE, PICTURES * _picture(base) / 3600, rate)
        for card, rate in {**CARDS, "H200": H200}.items()
    }
    trainings = {card: _scaled(both, TRAININGS * STEPS / 3600) for card, both in steps.items()}
    every = {
        card: (OVERHEAD * (low + pictures[card][0]), OVERHEAD * (high + pictures[card][1]))
        for card, (low, high) in trainings.items()
    }
    timed = {
        card: _said(both) + (", timed" if card == "H200" else "") for card, both in steps.items()
    }
    rows = [
        ("", "how many", *steps),
        ("---", *["---:"] * (1 + len(steps))),
        ("a step, s", "", *timed.values()),
        (f"trainings of {STEPS} steps, hours", str(TRAININGS), *map(_said, trainings.values())),
        ("pictures, hours", f"{PICTURES:,}", *map(_said, pictures.values())),
        ("in all, hours", "", *map(_said, every.values())),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _training_step(base: str) -> float:
    """Operations of a step of one photo."""
    shape = SHAPES[base]
    return roofline.operations(
        shape.layout, tokens_of(shape, EDGE), shape.tokens, roofline.TRAINING
    )


def _picture(base: str) -> float:
    """Operations of a picture, both passes of guidance counted, as a mean over the two sizes."""
    shape = SHAPES[base]
    patch = EDGE / tokens_of(shape, EDGE) ** 0.5  # px, the edge of a token
    each = [
        roofline.operations(shape.layout, int(w * h / patch**2), shape.tokens, shape.passes)
        for w, h in SIZES
    ]
    return DRAWING_STEPS * sum(each) / len(each)


def _times(factors: Range, operations: float, tflops: float) -> Range:
    least = operations / tflops / 1e12
    return factors[0] * least, factors[1] * least


def _scaled(both: Range, by: float) -> Range:
    return both[0] * by, both[1] * by


def _said(both: Range) -> str:
    low, high = (
        f"{value:.0f}" if value >= 5 else f"{value:.1g}" if value < 0.1 else f"{value:.1f}"
        for value in both
    )
    return low if low == high else f"{low} to {high}"
