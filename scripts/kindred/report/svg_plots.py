"""Plots for a page, drawn with matplotlib: SVG text whose colours are the page's CSS variables.

Knows values, labels and axes; knows nothing of experiments. Equal values give equal bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Colours that stand for the page's own; each is replaced in the finished SVG.
INK, QUIET, LINE, CARD = "#010101", "#020202", "#030303", "#040404"
GOOD, BAD, BAND = "#050505", "#060606", "#070707"
SERIES = tuple(f"#0{n}0{n}0{n}" for n in "abcdef")
VARIABLES = {
    INK: "--text", QUIET: "--quiet", LINE: "--line", CARD: "--card", GOOD: "--good", BAD: "--bad",
    BAND: "--band", **{colour: f"--series-{n}" for n, colour in enumerate(SERIES, 1)},
}  # fmt: skip
STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "figure.facecolor": "none",
    "legend.frameon": False,
}
PER_INCH = 72  # SVG points
NARROW = 4.4  # inches: letters are about 11 pixels high on a page of 390
POINTS_SHOWN = 160
MANY_LINES = len(SERIES)


@dataclass(frozen=True)
class Interval:
    """A value with its interval, under a label; None draws nothing. `tone`: '', 'good', 'bad'."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    tone: str = ""


def share(value: float, _: object = None) -> str:
    """0.25 -> '25 %'."""
    return f"{100 * value:.0f} %".replace("-", "−")


def intervals_svg(
    panels: Mapping[str, Sequence[Interval]],
    title: str,
    axis: str,
    *,
    span: tuple[float, float] | None = None,
    line_at: float | None = None,
    margin: float | None = None,
    percent: bool = True,
    narrow: bool = False,
) -> str:
    """A dot and a bar for each interval, first on top; panels beside each other, their headings
    above, share their labels. A line at `line_at`, a band up to ± margin around it. An interval
    that reaches beyond `span` ends at its edge in an arrow.

    `title` is for those who can't see the picture. `narrow`: for a phone, of class "narrow"; with
    few ticks, and so small that letters stay readable there.

    Raises ValueError when panels differ in labels.
    """
    labels = [[row.label for row in rows] for rows in panels.values()]
    if any(own != labels[0] for own in labels):
        raise ValueError("panels show the same labels in the same order")
    with matplotlib.rc_context(STYLE):
        width = NARROW if narrow else 10.2 if len(panels) > 1 else 8.4
        figure = Figure(figsize=(width, 0.75 + 0.34 * len(labels[0])), layout="constrained")
        drawn = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (heading, rows) in zip(drawn, panels.items(), strict=True):
            if margin is not None and line_at is not None:
                axes.axvspan(line_at - margin, line_at + margin, color=BAND, lw=0)
            if line_at is not None:
                axes.axvline(line_at, color=QUIET, lw=1)
            for place, row in enumerate(rows):
                _draw_interval(axes, place, row, span)
            _dress(axes, heading, axis, span, percent, 6 if len(panels) == 1 and not narrow else 3)
        drawn[0].set_yticks(range(len(labels[0])), labels[0])
        drawn[0].set_ylim(len(labels[0]) - 0.4, -0.6)
        return _svg(figure, title, "plot narrow" if narrow else "plot")


def _dress(
    axes: Axes,
    heading: str,
    axis: str,
    span: tuple[float, float] | None,
    percent: bool,
    ticks: int,
) -> None:
    """At most about so many ticks, grid and words of one panel."""
    axes.set_title(heading, loc="left", fontsize=11, color=INK)
    axes.set_xlim(span)
    axes.xaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2.5, 5, 10]))
    if percent:
        axes.xaxis.set_major_formatter(FuncFormatter(share))
    axes.set_xlabel(axis, fontsize=10)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.tick_params(axis="x", labelsize=10)
    axes.grid(axis="x", color=LINE, lw=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def _draw_interval(axes: Axes, place: int, row: Interval, span: tuple[float, float] | None) -> None:
    colour = {"good": GOOD, "bad": BAD}.get(row.tone, SERIES[0])
    if row.low is not None and row.high is not None:
        low, high = row.low, row.high
        if span:
            low, high = max(low, span[0]), min(high, span[1])
            beyond = [(span[0], "<"), (span[1], ">")]
            for (edge, arrow), there in zip(beyond, (row.low < low, row.high > high), strict=True):
                if there:
                    axes.plot([edge], [place], arrow, color=colour, ms=7, clip_on=False)
        axes.plot([low, high], [place, place], color=colour, lw=2.4, solid_capstyle="round")
    if row.value is not None:
        axes.plot([row.value], [place], "o", color=colour, ms=7.5, mec=CARD, mew=1.5)


def curves_svg(lines: Mapping[str, Sequence[tuple[Sequence[float], Sequence[float]]]]) -> str:
    """Loss over steps: label -> a (steps, smoothed losses) pair for each run. A colour a label;
    with more labels than colours all are pale but the first."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 3.3), layout="constrained")
        axes = figure.add_subplot()
        many = len(lines) > MANY_LINES
        for index, (label, runs) in reversed(list(enumerate(lines.items()))):
            colour = SERIES[index] if not many or index == 0 else LINE
            for number, (steps, losses) in enumerate(runs):
                thin = max(1, len(steps) // POINTS_SHOWN)
                axes.plot(
                    steps[::thin],
                    losses[::thin],
                    color=colour,
                    lw=2.0 if len(runs) == 1 else 1.2,
                    label=None if number or (many and index) else label,
                )
        axes.set_xlabel("optimizer steps", fontsize=10)
        axes.set_ylabel("loss, smoothed", fontsize=10)
        axes.tick_params(labelsize=10)
        axes.grid(axis="y", color=LINE, lw=0.6)
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], loc="upper right", fontsize=10)
        return _svg(figure, f"Training loss of {', '.join(lines)}")


def _svg(figure: Figure, title: str, classes: str = "plot") -> str:
    """The figure as an <svg> element that scales with the page."""
    buffer = io.StringIO()
    metadata = {"Date": None, "Creator": None, "Title": title}
    with matplotlib.rc_context({"svg.hashsalt": title + classes}):
        figure.savefig(buffer, format="svg", metadata=metadata)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    for unwanted in (
        r"<metadata>.*?</metadata>",
        r"<style.*?</style>",
        r' id="[a-z]+[\d._a-z]*_\d+"',
    ):
        text = re.sub(unwanted, "", text, flags=re.DOTALL)
    text = re.sub(r"font-family: [^;\"]*", "font-family: inherit", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    width = float(size[1]) * 96 / PER_INCH if size else 800
    head = f'<svg class="{classes}" style="max-width:{width:.0f}px" role="img"'
    text = re.sub(r"^<svg", head, text)
    return re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
