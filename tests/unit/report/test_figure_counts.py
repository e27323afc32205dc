"""What the first figure is made of, and what it leaves out."""

from __future__ import annotations

from types import SimpleNamespace

from kindred.evidence.adapter_choice import AdapterChoice, Contender
from kindred.report.figure_counts import figure_counts

COLUMNS = ("asked", "cast", "strangers_asked", "cast_right", "success")
ROWS = ["A,A,0,1,1", "A+J,A+J,0,0,0", "A,one+2,2,0,0", ",noun-1,1,1,", ",,,,", "K,,,,", "A+K,,,,"]


def told(measure):
    rows = [dict(zip(COLUMNS, row.split(","), strict=True)) for row in ROWS]
    scores = {("x", 1, "casts", f"p{n}", 1): row for n, row in enumerate(rows)}
    choice = AdapterChoice(measure, (Contender("x", 1, 0.5),), 1, None)
    return figure_counts(SimpleNamespace(scores=scores, names={"K": "Kay"}), choice)


def test_the_figure_is_told_by_counts_with_what_it_leaves_out():
    (said,) = told("cast")
    assert said.startswith("“x” is right in 2 of 4 pictures. By who is asked for: 1 of the")
    assert "2 of the family: 0 of 1; some of the family with strangers: 0 of 1; stra" in said
    _, left_out = told("success")
    assert left_out.startswith("This leaves out 2 pictures that ask for Kay: without a photo")
