"""What an experiment will take: downloads, disk and hours.

Hours are measured where steps were timed; else they are a range by arithmetic, and say so. Knows
no base by name.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from kindred.benchmarking.random_weights import SHAPES
from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.compute import roofline
from kindred.config.stranger_pictures import LARGEST
from kindred.starting.base_choice import FittingBase, tokens_of

# A step, and a picture, over the least time for its arithmetic (docs/reference/performance.md: 2.3
# to 3.1 and 1.3 to 2.3 on an H200 and an H100; on a card where blocks are computed anew, or slow
# to start).
STEP, PICTURE = (2.3, 4.0), (1.3, 2.5)
LAB_STEP, LAB_PICTURE = (0.2, 0.8), (1.0, 4.0)  # seconds on one core of two, and a busy one
GIB = 2**30
OVERHEAD = 1.15  # encoding, loading, judging
PICTURE_MIB = 1.6  # of a picture of 1024 px as PNG


@dataclass(frozen=True)
class Amounts:
    """What an experiment makes: trainings of so many steps, pictures of `edge` px, and for the
    judge's thresholds some of strangers, of fewer px."""

    trainings: int
    steps: int
    pictures: int
    edge: int
    strangers: int = 0

    @property
    def small_edge(self) -> int:
        """Of a picture of strangers, px."""
        return min(self.edge, LARGEST)


@dataclass(frozen=True)
class Estimate:
    """step_s, picture_s, hours: least and most; `measured`: what timed the steps, '' for
    arithmetic. download_gib: None where the base's file doesn't say."""

    step_s: tuple[float, float]
    picture_s: tuple[float, float]
    hours: tuple[float, float]
    measured: str
    download_gib: float | None
    disk_gib: float

    def lines(self) -> list[str]:
        """For a person."""
        low, high = self.hours
        how = f"measured: {self.measured}" if self.measured else "computed, not measured"
        download = "not known" if self.download_gib is None else f"{self.download_gib:.0f} GiB"
        return [
            f"download: {download}" + (", once" if self.download_gib else ""),
            f"disk: about {self.disk_gib:.0f} GiB in all",
            f"time: {span(low, high)} ({how}; {seconds(self.step_s)} a step, "
            f"{seconds(self.picture_s)} a picture)",
        ]


def span(low: float, high: float) -> str:
    """Hours, or minutes where they are few."""
    if high < 2:
        return counted(_range(60 * low, 60 * high), "minute")
    return f"{_range(low, high)} hours"


def seconds(both: tuple[float, float]) -> str:
    """'0.2 to 0.5 s'."""
    return f"{_range(*both)} s"


def _range(low: float, high: float) -> str:
    first, second = (f"{value:.2g}" if value < 10 else f"{value:.0f}" for value in (low, high))
    return first if first == second else f"{first} to {second}"


def estimate(
    base: FittingBase,
    amounts: Amounts,
    memory_gib: float,
    download_gib: float | None,
    timed: tuple[float, str] | None = None,
) -> Estimate:
    """Of an experiment on a base. timed: seconds of a step that was timed, and how."""
    step, picture = computed(base, amounts.edge, memory_gib)
    small = computed(base, amounts.small_edge, memory_gib)[1]
    if timed:
        by_floor = timed[0] / step[0]
        picture, small = ((low * by_floor * 0.5, high * by_floor) for low, high in (picture, small))
        step = (timed[0], timed[0])
    work = [
        amounts.trainings * amounts.steps * step[end]
        + amounts.pictures * picture[end]
        + amounts.strangers * small[end]
        for end in (0, 1)
    ]
    hours = tuple(OVERHEAD * one / 3600 for one in work)
    weights = (download_gib or 0) * (1.0 if base.base.quantization is None else 1.4)
    pixels = amounts.pictures * amounts.edge**2 + amounts.strangers * amounts.small_edge**2
    pictures = pixels * PICTURE_MIB / 1024**3
    disk = weights + pictures + amounts.trainings * adapter_gib(base) * 2 + 1
    return Estimate(
        step, picture, (hours[0], hours[1]), timed[1] if timed else "", download_gib, disk
    )


def computed(
    base: FittingBase, edge: int, memory_gib: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Seconds of a step and of a picture, each least and most, by arithmetic."""
    if base.shape is None:
        return LAB_STEP, LAB_PICTURE
    slow, fast = roofline.rates(memory_gib)
    shape = base.shape
    network, text, edges = shape.layout, shape.tokens, base.resolutions
    batch = base.recipe.batch * base.recipe.gradient_accumulation
    each = [
        roofline.operations(network, tokens_of(shape, one), text, roofline.TRAINING * batch)
        for one in edges
    ]
    step = sum(each) / len(each)
    drawn = roofline.operations(network, tokens_of(shape, edge), text, shape.passes)
    steps = shape.drawing[0] if shape.drawing[0] < 28 else 28
    return (
        (STEP[0] * step / fast, STEP[1] * step / slow),
        (PICTURE[0] * steps * drawn / fast, PICTURE[1] * steps * drawn / slow),
    )


def adapter_gib(base: FittingBase) -> float:
    """A LoRA file, float32."""
    if base.shape is None:
        return 0.01
    layers = [layer for block in base.shape.layout.blocks for layer in block.layers]
    return 4 * base.recipe.rank * sum(one.inputs + one.outputs for one in layers) / GIB


def of_first_look(folder: Path) -> tuple[float, str] | None:
    """Seconds a step of the first look's training, by its log, which counts from its start; None
    where it hasn't run."""
    for log in sorted(folder.glob("*/run-*/training.csv")):
        with open(log, newline="", encoding="utf-8") as file:
            rows = [(int(row["step"]), float(row["seconds"])) for row in csv.DictReader(file)]
        rows = rows[len(rows) // 10 :]  # the first steps compile and record
        if len(rows) > 1:
            steps = rows[-1][0] - rows[0][0]
            return (rows[-1][1] - rows[0][1]) / steps, f"{steps} steps of the first look"
    return None


def timed_steps(base: FittingBase, memory_gib: float, steps: int = 20) -> tuple[float, str]:
    """Seconds of a training step on this GPU, with random weights of the base's shape.

    Raises KindredError where there is no GPU, or the base is the miniature.
    """
    import torch

    from kindred.benchmarking.train_step_speed import SetUp, train_steps

    if base.shape is None or not torch.cuda.is_available():
        raise KindredError(
            "steps can only be timed on a GPU, with a base of full size",
            "--time",
            "remove --time; the first look times its steps, and this command uses those later",
        )
    name = next(key for key, shape in SHAPES.items() if shape is base.shape)
    setup = SetUp(base.base.quantization, False, True, memory_gib)
    text, device = base.shape.tokens, torch.device("cuda", torch.cuda.current_device())
    found = train_steps(setup, name, base.edge, text, base.recipe, device, 5, steps)
    return found["median_s"], f"{steps} steps timed on this GPU with random weights"
