"""Labels of published rows, by their printed intervals and the rules of today.

So pages that were published by older rules can be read by the present ones without training or
drawing anything again; what a row was called when it was published stays beside it. Knows published
tables; the rules are in evidence/labels.py. Published intervals are draws with normal tails, so the
one with twice the tail is narrower by the quotient of normal quantiles; an arm's own interval is
found anew from the means of its runs and prompts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtri

from kindred.evidence import labels
from kindred.evidence.intervals import LEVEL
from kindred.evidence.labels import Interval, Label, Reading, label_of
from kindred.evidence.variance import Part, Parts
from kindred.specs.measures import MEASURES

Line = Mapping[str, str]
# What a table of them shows first, whatever else occurs.
ORDER = (labels.SUPPORTED, labels.EQUAL, labels.FLOOR, labels.CEILING, labels.CONTRADICTED)
# Not to be seen in a row: what had been seen before, what controls and photos say.
KEPT = frozenset({"exploratory", "not separable", labels.FAILED})


def with_todays_labels(
    lines: Sequence[Line], runs: Sequence[Line], prompts: Sequence[Line]
) -> list[dict[str, str]]:
    """Rows of verdicts.csv, also of such as have but a `verdict`, with labels by the rules of today
    and `label_at_publication`. Rows of these rules stay: their intervals were known, not read."""
    family = sum(line["primary"] == "1" for line in lines)
    found = []
    for line in lines:
        first = line.get("label_at_publication") or line["verdict"]
        called = line.get("label", first)
        if line.get("rules") == labels.RULES:
            found.append(dict(line))
            continue
        label = Label(called)
        if called not in KEPT:
            label = relabelled(line, family, runs, prompts)
        now = {"label": label.name, "x": "" if label.x is None else f"{label.x:g}"}
        found.append({**line, **now, "label_at_publication": first, "rules": labels.RULES})
    return found


def relabelled(line: Line, family: int, runs: Sequence[Line], prompts: Sequence[Line]) -> Label:
    """The label of a row of verdicts.csv. family: how many primary hypotheses its file has; runs,
    prompts: rows of runs.csv and prompts.csv."""
    if not line["effect"]:
        return Label(labels.UNMEASURED)
    level, interval = float(line["level"]), (float(line["low"]), float(line["high"]))
    counts = [int(text) for text in line["runs"].split(" and ")] if line["runs"] else []
    reading = Reading(
        line["measure"],
        float(line["margin"]),
        min(counts, default=None),
        interval,
        within=_of_twice_the_tail(float(line["effect"]), interval, level),
        arms=arms_of(line, runs, prompts, level),
        named=line["primary"] == "1" and family == 1,
    )
    return label_of(reading)


def label_of_line(line: Line) -> Label:
    """The label that a row of verdicts.csv holds."""
    x = float(line["x"]) if line["x"] else None
    beyond = line["label"] == labels.CONTRADICTED and float(line["high"]) < -float(line["margin"])
    return Label(line["label"], x, beyond)


def words_of(line: Line) -> str:
    """As pages say it: 'no difference larger than 10 points'."""
    text = labels.words(label_of_line(line), float(line["margin"]), line["measure"])
    return text[:1].lower() + text[1:]


def arms_of(
    line: Line, runs: Sequence[Line], prompts: Sequence[Line], level: float = LEVEL
) -> tuple[Interval, Interval] | None:
    """Intervals of both arms' means from their runs' and prompts' published means; None where the
    measure was not published of runs. What runs and prompts both hold of chance is counted twice,
    so they are no surer than they may be."""
    found = [
        _mean_of(line[side], line["measure"], line["prompt_set"], runs, prompts, level)
        for side in ("variant", "against")
    ]
    a, b = found
    return (a, b) if a is not None and b is not None else None


def _mean_of(
    variant: str,
    measure: str,
    prompt_set: str,
    runs: Sequence[Line],
    prompts: Sequence[Line],
    level: float,
) -> Interval | None:
    own = [row for row in runs if (row["variant"], row["prompt_set"]) == (variant, prompt_set)]
    by_run = _numbers(own, measure)
    if not len(by_run):
        return None
    asked = [row for row in prompts if row["prompt_set"] == prompt_set]
    by_prompt = _numbers(asked, f"{variant} {measure}")
    # Of prompts not all measures were published; runs alone then give too narrow an interval.
    if len(by_prompt) < 2:
        return None
    parts = (_spread(by_run),) if len(by_run) > 1 else ()
    error = Parts(parts, _spread(by_prompt)).error()
    mean = float(by_run.mean())
    if MEASURES[measure].kind.binary:
        pictures = sum(float(row["pictures"]) for row in own)
        share = (mean * pictures + 1) / (pictures + 2)
        error = Part(max(error.variance, share * (1 - share) / (pictures + 2)), error.freedom)
    half = error.reach(level)
    return mean - half, mean + half


def _spread(values: np.ndarray) -> Part:
    return Part(float(values.var(ddof=1)) / len(values), len(values) - 1)


def _numbers(rows: Sequence[Line], column: str) -> np.ndarray:
    return np.array([float(row[column]) for row in rows if row.get(column)])


def _of_twice_the_tail(value: float, interval: Interval, level: float) -> Interval:
    narrower = float(ndtri(level) / ndtri((1 + level) / 2))
    low, high = interval
    return value - narrower * (value - low), value + narrower * (high - value)


def labels_table(lines: Sequence[Line]) -> str:
    """How many rows were called what when they were published and are called what now, as
    Markdown."""
    pairs = Counter((line["label_at_publication"], line["label"]) for line in lines)
    every = {name for pair in pairs for name in pair}
    names = [*(x for x in ORDER if x in every), *sorted(every - {*ORDER})]
    before = [x for x in names if any(then == x for then, _ in pairs)]
    now = [x for x in names if any(label == x for _, label in pairs)]
    counts = {x: [pairs[x, label] for label in now] for x in before}
    counts["together"] = [sum(column) for column in zip(*counts.values(), strict=True)]
    rows = [f"| {name} | {' | '.join(map(str, [*n, sum(n)]))} |" for name, n in counts.items()]
    head = f"| called at publication | {' | '.join(now)} | together |"
    return "\n".join([head, "|---|" + "---:|" * (len(now) + 1), *rows])
