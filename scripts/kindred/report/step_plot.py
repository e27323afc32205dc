"""The figure of a training's steps: what each reads, by run and in the mean.

Knows values and labels; knows nothing of experiments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kindred.report.formatting import share
from kindred.report.svg_plots import LINE, MANY_LINES, QUIET, SERIES, STYLE, as_svg

Values = Sequence[float | None]


@dataclass(frozen=True)
class StepLine:
    """One variant in one panel: its steps, each run's values and their mean, and the step to take,
    None in panels that say nothing of it. dashed: what stands beside a variant's own line."""

    label: str
    steps: Sequence[int]
    runs: Sequence[Values]
    mean: Values
    taken: int | None = None
    dashed: bool = False


def steps_svg(panels: Mapping[str, tuple[bool, Sequence[StepLine]]], title: str) -> str:
    """Panels under each other by heading, each (whether shares, lines) over optimizer steps: runs
    thin, their mean thick, a ring at the step to take. `title` is for those who can't see it."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 0.6 + 2.3 * len(panels)), layout="constrained")
        drawn = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (heading, (shares, lines)) in zip(drawn, panels.items(), strict=True):
            axes.set_title(heading, loc="left", fontsize=11)
            axes.tick_params(labelsize=10)
            axes.grid(axis="y", color=LINE, lw=0.6)
            axes.yaxis.set_major_locator(MaxNLocator(4))
            if shares:
                axes.yaxis.set_major_formatter(FuncFormatter(share))
            labels = list(dict.fromkeys(line.label for line in lines))
            for line in reversed(lines):
                index = labels.index(line.label)
                many = len(labels) > MANY_LINES and index
                _draw(axes, line, QUIET if many else SERIES[index])
        drawn[-1].set_xlabel("optimizer steps", fontsize=10)
        handles, labels = drawn[0].get_legend_handles_labels()
        if len(labels) > 1:
            drawn[0].legend(handles[::-1], labels[::-1], loc="lower right", fontsize=10)
        return as_svg(figure, title)


def _draw(axes: Axes, line: StepLine, colour: str) -> None:
    if line.dashed:
        axes.plot(line.steps, _known(line.mean), "--", color=colour, lw=1.4)
        return
    if len(line.runs) > 1:
        for values in line.runs:
            axes.plot(line.steps, _known(values), color=colour, lw=0.7, alpha=0.45)
    axes.plot(line.steps, _known(line.mean), "o-", color=colour, lw=2.6, ms=4, label=line.label)
    if line.taken in line.steps:
        place = list(line.steps).index(line.taken)
        value = _known(line.mean)[place]
        axes.plot([line.taken], [value], "o", color=colour, ms=12, mfc="none", mew=1.8)


def _known(values: Values) -> list[float]:
    return [float("nan") if value is None else value for value in values]
