"""Plots drawn with matplotlib: SVG text whose colours are a page's CSS variables, and PNG.

Knows values, labels and axes; knows nothing of experiments. Equal values give equal bytes.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kindred.report import image_text
from kindred.report.formatting import share
from kindred.report.training_curves import Run, loss_span, smooth

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


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


PNG_STYLE = {
    "text.color": _hex(image_text.INK),
    "axes.edgecolor": _hex(image_text.RULE),
    "axes.labelcolor": _hex(image_text.MUTED),
    "axes.facecolor": _hex(image_text.CARD),
    "xtick.color": _hex(image_text.MUTED),
    "ytick.color": _hex(image_text.MUTED),
    "figure.facecolor": _hex(image_text.PAPER),
    "grid.color": _hex(image_text.RULE),
}
# Label -> a (steps, values) pair for each run.
Curves = Mapping[str, Sequence[tuple[Sequence[float], Sequence[float]]]]
PER_INCH = 72  # SVG points
NARROW = 4.4  # inches: letters are about 11 pixels high on a page of 390
POINTS_SHOWN = 160
MANY_LINES = len(SERIES)
# The picture of training curves, in px; a row of the legend comes to the top for every few labels.
PNG_WIDTH, PNG_SIDES, PNG_TOP, LEGEND_ROW = 960, (78, 28), 62, 20
LOSS_HEIGHT, GAP, RATE_HEIGHT, PNG_BOTTOM = 330, 34, 90, 52
PNG_PER_INCH, LEGEND_LETTERS = 100, 110


@dataclass(frozen=True)
class Interval:
    """A value with its interval, under a label; None draws nothing. `tone`: '', 'good', 'bad'."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    tone: str = ""


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
        return as_svg(figure, title, "plot narrow" if narrow else "plot")


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


def curves_svg(lines: Curves, held_out: Curves | None = None) -> str:
    """Loss over steps: label -> a (steps, smoothed losses) pair for each run, and dotted the loss
    on held-out photos. A colour a label; with more labels than colours all are pale but the first.
    """
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
            for steps, losses in (held_out or {}).get(label, ()):
                axes.plot(steps, losses, "o:", color=colour, lw=1.0, ms=3)
        axes.set_xlabel("optimizer steps", fontsize=10)
        axes.set_ylabel("loss, smoothed", fontsize=10)
        axes.tick_params(labelsize=10)
        axes.grid(axis="y", color=LINE, lw=0.6)
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], loc="upper right", fontsize=10)
        return as_svg(figure, f"Training loss of {', '.join(lines)}")


def curves_png(runs: Sequence[Run], title: str, smoothing: float) -> bytes:
    """Losses over steps, raw and smoothed, and learning rates below, as a PNG 960 px wide. Runs of
    one label share a colour."""
    labels = list(dict.fromkeys(run.label for run in runs))
    palette = [_hex(colour) for colour in image_text.SERIES]
    colours = {label: palette[index % len(palette)] for index, label in enumerate(labels)}
    shown = {label: label if len(label) <= 80 else label[:79] + "…" for label in labels}
    columns = max(1, LEGEND_LETTERS // (max(map(len, shown.values())) + 8))
    top = PNG_TOP + LEGEND_ROW * math.ceil(len(labels) / columns) + 14
    height = top + LOSS_HEIGHT + GAP + RATE_HEIGHT + PNG_BOTTOM
    with matplotlib.rc_context(STYLE | PNG_STYLE):
        figure = Figure(figsize=(PNG_WIDTH / PNG_PER_INCH, height / PNG_PER_INCH))
        loss = _panel(figure, height, top, LOSS_HEIGHT, "loss")
        rate = _panel(figure, height, top + LOSS_HEIGHT + GAP, RATE_HEIGHT, "learning rate")
        for run in runs:
            _draw_run(loss, run.steps, run.losses, colours[run.label], lw=0.5, alpha=0.25)
        for run in runs:
            colour = colours[run.label]
            _draw_run(loss, run.steps, smooth(run.losses, smoothing), colour, lw=1.5)
            _draw_run(rate, run.steps, run.rates, colour, lw=1.1)
        highest = max((value for run in runs for value in run.rates), default=0.0) or 1.0
        last = max(run.steps[-1] for run in runs)
        for axes, span in ((loss, loss_span(runs, smoothing)), (rate, (0.0, highest * 1.08))):
            axes.set(xlim=(0, last), ylim=span)
        loss.tick_params(labelbottom=False)
        rate.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        rate.set_xlabel("optimizer steps", fontsize=9, loc="right")
        figure.text(PNG_SIDES[0] / PNG_WIDTH, 1 - 24 / height, title, fontsize=16, va="top")
        _legend(figure, {shown[label]: colours[label] for label in labels}, columns, height)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=PNG_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def _panel(figure: Figure, height: int, top: int, tall: int, name: str) -> Axes:
    """A panel whose upper edge lies `top` px below that of a picture so many px high."""
    left, right = PNG_SIDES
    wide = (PNG_WIDTH - left - right) / PNG_WIDTH
    axes = figure.add_axes((left / PNG_WIDTH, 1 - (top + tall) / height, wide, tall / height))
    axes.set_title(name, loc="left", fontsize=9, pad=4, color=_hex(image_text.MUTED))
    axes.grid(axis="y", lw=0.6)
    axes.tick_params(labelsize=9, length=0)
    axes.set_axisbelow(True)
    return axes


def _draw_run(
    axes: Axes, steps: Sequence[int], values: Sequence[float], colour: str, **style: float
) -> None:
    """A line, broken where a value is not finite; a dot where it has one point alone."""
    finite = [value if math.isfinite(value) else math.nan for value in values]
    dot = "o" if sum(map(math.isfinite, finite)) == 1 else None
    axes.plot(steps, finite, color=colour, marker=dot, ms=5, **style)


def _legend(figure: Figure, colours: Mapping[str, str], columns: int, height: int) -> None:
    lines = [Line2D([], [], color=colour, lw=2) for colour in colours.values()]
    figure.legend(
        lines,
        list(colours),
        ncols=columns,
        loc="upper left",
        bbox_to_anchor=(PNG_SIDES[0] / PNG_WIDTH, 1 - 52 / height),
        borderpad=0,
        borderaxespad=0,
        fontsize=10,
    )


def as_svg(figure: Figure, title: str, classes: str = "plot") -> str:
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
