"""The picture of training curves: loss of several runs, raw and smoothed, and their rates below.

Knows training.csv and axes; knows nothing of training. Drawn at twice its size and made smaller,
which smooths the lines.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from kindred.common.errors import KindredError
from kindred.report.image_text import (
    CARD,
    INK,
    MUTED,
    PAPER,
    RULE,
    SERIES,
    line_height,
    text_width,
    wrap,
    write,
)

WIDTH, LOSS_HEIGHT, RATE_HEIGHT = 960, 330, 90
LEFT, RIGHT, TOP, GAP, BOTTOM = 78, 28, 62, 44, 52
SCALE, TITLE, TEXT, SMALL = 2, 24, 14, 12
SHOWN_SHARE = 0.995


@dataclass(frozen=True)
class Run:
    """One training: its label, optimizer steps, losses and learning rates."""

    label: str
    steps: list[int]
    losses: list[float]
    rates: list[float]


@dataclass(frozen=True)
class _Panel:
    """A rectangle on the page (px) and the values at its edges."""

    box: tuple[int, int, int, int]
    steps: tuple[float, float]
    values: tuple[float, float]

    def at(self, step: float, value: float) -> tuple[float, float]:
        """Page position of a point; values beyond the edges are held at them."""
        left, top, right, bottom = self.box
        low, high = self.values
        x = left + (right - left) * (step - self.steps[0]) / (self.steps[1] - self.steps[0])
        y = bottom - (bottom - top) * (min(max(value, low), high) - low) / (high - low)
        return x, y


def read_run(label: str, path: Path | str) -> Run:
    """A training.csv (columns step, loss, lr). Raises KindredError naming what it lacks."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        run = Run(
            label,
            [int(row["step"]) for row in rows],
            [float(row["loss"]) for row in rows],
            [float(row["lr"]) for row in rows],
        )
    except FileNotFoundError:
        raise KindredError("no such file", str(path), "train the variant first") from None
    except (KeyError, TypeError, ValueError) as error:
        what = f"not a training log with step, loss, lr ({error})"
        raise KindredError(what, str(path), "train the variant again") from None
    if not run.steps:
        raise KindredError("holds no step", str(path), "train the variant again")
    return run


def smooth(values: Sequence[float], decay: float) -> list[float]:
    """Running mean with exponential weights, without the start's pull to 0; NaN is passed over."""
    total = weight = 0.0
    result = []
    for value in values:
        if math.isfinite(value):
            total, weight = decay * total + (1 - decay) * value, decay * weight + (1 - decay)
        result.append(total / weight if weight else math.nan)
    return result


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) between low and high."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def draw_curves(runs: Sequence[Run], title: str, smoothing: float) -> Image.Image:
    """The picture. Runs of one label share a colour."""
    labels = list(dict.fromkeys(run.label for run in runs))
    colours = {label: SERIES[index % len(SERIES)] for index, label in enumerate(labels)}
    legend = _legend_rows(labels)
    top = TOP + len(legend) * line_height(TEXT) + line_height(SMALL)
    loss_bottom = top + LOSS_HEIGHT
    height = loss_bottom + GAP + RATE_HEIGHT + BOTTOM
    page = Image.new("RGB", (WIDTH * SCALE, height * SCALE), PAPER)
    draw = ImageDraw.Draw(page)
    _text(draw, (LEFT, 20), title, TITLE, INK)
    _draw_legend(draw, legend, colours)

    steps = (0.0, float(max(run.steps[-1] for run in runs)))
    loss = _Panel((LEFT, top, WIDTH - RIGHT, loss_bottom), steps, _loss_span(runs, smoothing))
    highest = max((rate for run in runs for rate in run.rates), default=0.0) or 1.0
    rate_box = (LEFT, loss_bottom + GAP, WIDTH - RIGHT, loss_bottom + GAP + RATE_HEIGHT)
    rate = _Panel(rate_box, steps, (0.0, highest * 1.08))
    _draw_axes(draw, loss, "loss", ticks(*loss.values))
    _draw_axes(draw, rate, "learning rate", ticks(*rate.values, about=2), steps_below=True)
    for run in runs:
        pale = tuple(
            (3 * paper + part) // 4 for part, paper in zip(colours[run.label], CARD, strict=True)
        )
        _draw_line(draw, loss, run.steps, run.losses, pale, 1)
    for run in runs:
        _draw_line(draw, loss, run.steps, smooth(run.losses, smoothing), colours[run.label], 4)
        _draw_line(draw, rate, run.steps, run.rates, colours[run.label], 3)
    return page.resize((WIDTH, height), Image.Resampling.LANCZOS)


def _loss_span(runs: Sequence[Run], smoothing: float) -> tuple[float, float]:
    """Edges of the loss axis: from 0 to where nearly all raw losses lie, every smoothed one in."""
    finite = sorted(loss for run in runs for loss in run.losses if math.isfinite(loss))
    if not finite:
        return 0.0, 1.0
    smoothed = [v for run in runs for v in smooth(run.losses, smoothing) if math.isfinite(v)]
    most = finite[min(len(finite) - 1, int(len(finite) * SHOWN_SHARE))]
    return min(0.0, finite[0]), (max(most, *smoothed) or 1.0) * 1.05


def _legend_rows(labels: Sequence[str]) -> list[list[str]]:
    """Labels in as many rows as they need."""
    rows, used = [[]], 0
    for label in labels:
        width = text_width(label, TEXT) + 46
        if rows[-1] and used + width > WIDTH - LEFT - RIGHT:
            rows.append([])
            used = 0
        rows[-1].append(wrap(label, TEXT, WIDTH - LEFT - RIGHT - 46, lines=1)[0])
        used += width
    return rows


def _draw_legend(draw: ImageDraw.ImageDraw, rows: list[list[str]], colours: dict) -> None:
    y = TOP - 6
    for row in rows:
        x = LEFT
        for label in row:
            middle = y + line_height(TEXT) // 2
            line = (x * SCALE, middle * SCALE, (x + 20) * SCALE, middle * SCALE)
            draw.line(line, fill=colours.get(label, INK), width=4)
            _text(draw, (x + 27, y), label, TEXT, INK)
            x += text_width(label, TEXT) + 46
        y += line_height(TEXT)


def _draw_axes(
    draw: ImageDraw.ImageDraw,
    panel: _Panel,
    name: str,
    values: Sequence[float],
    steps_below: bool = False,
) -> None:
    left, top, right, bottom = panel.box
    draw.rectangle([edge * SCALE for edge in panel.box], fill=CARD)
    for value in values:
        _, y = panel.at(0, value)
        draw.line((left * SCALE, y * SCALE, right * SCALE, y * SCALE), fill=RULE, width=1)
        _text(draw, (left - 8, y), f"{value:g}", SMALL, MUTED, "rm")
    _text(draw, (left, top - line_height(SMALL)), name, SMALL, MUTED)
    if steps_below:
        for step in ticks(*panel.steps):
            x, _ = panel.at(step, 0)
            _text(draw, (x, bottom + 6), f"{step:g}", SMALL, MUTED, "ma")
        _text(draw, (right, bottom + 22), "optimizer steps", SMALL, MUTED, "ra")


def _draw_line(
    draw: ImageDraw.ImageDraw,
    panel: _Panel,
    steps: Sequence[int],
    values: Sequence[float],
    colour: tuple[int, ...],
    width: int,
) -> None:
    """A line through the points, broken where a value is not finite."""
    part: list[tuple[float, float]] = []
    for step, value in [*zip(steps, values, strict=True), (0, math.nan)]:
        if math.isfinite(value):
            part.append(tuple(edge * SCALE for edge in panel.at(step, value)))
            continue
        if len(part) == 1:
            (x, y), r = part[0], width
            draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        elif part:
            draw.line(part, fill=colour, width=width, joint="curve")
        part = []


def _text(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: tuple[int, int, int],
    anchor: str = "la",
) -> None:
    write(draw, (round(at[0] * SCALE), round(at[1] * SCALE)), [text], size * SCALE, colour, anchor)
