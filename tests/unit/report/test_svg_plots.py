"""Plots: well-formed, themed by the page, repeatable."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from kindred.report.svg_plots import Interval, curves_svg, intervals_svg

ROWS = [Interval("a & <b>", 0.4, 0.2, 0.6, "good"), Interval("c", 0.9, None, None)]


def texts(svg: str) -> list[str]:
    return [one.text for one in ElementTree.fromstring(svg).iter() if one.tag.endswith("text")]


def test_intervals_are_an_svg_in_the_page_s_colours():
    svg = intervals_svg({"": ROWS}, "Success <by> variant", "share", line_at=0.0, margin=0.1)
    assert {"a & <b>", "c", "share"} <= set(texts(svg))
    assert not re.search(r"#[0-9a-f]{6}\b", re.sub(r'(?:href="|url\()#\w+', "", svg))
    assert {"var(--good)", "var(--band)", "var(--text)"} <= set(re.findall(r"var\([\w-]+\)", svg))


def test_values_stand_where_they_belong():
    """The dot of 0.9 is right of that of 0.4, in the same proportion as the axis."""

    def dots(values):
        rows = [Interval(str(n), value, None, None) for n, value in enumerate(values)]
        svg = intervals_svg({"": rows}, "t", "x", span=(0, 1))
        found = re.findall(r'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)"[^>]*series-1', svg)
        return [(float(x), float(y)) for x, y in found]

    low, middle, high = dots([0.1, 0.5, 0.9])
    assert high[0] - middle[0] == pytest.approx(middle[0] - low[0], abs=0.01)
    assert low[1] < middle[1] < high[1], "the first row is on top"


def test_an_interval_beyond_the_span_ends_at_its_edge_in_an_arrow():
    def drawn(low, high):
        return intervals_svg({"": [Interval("a", 0.5, low, high)]}, "t", "x", span=(0, 1))

    inside, wide, lower = drawn(0, 1), drawn(-1.13, 1.61), drawn(-1.13, 1)
    marks = [svg.count("<use ") for svg in (inside, lower, wide)]
    assert marks[1:] == [marks[0] + 1, marks[0] + 2]
    line = re.search(r'<path d="(M [\d. ]+\nL [\d. ]+)\n?"[^>]*stroke-width: 2.4', inside)
    assert line and line[1] in wide, "the bar itself is as long as the scale"


def test_panels_share_labels_and_say_what_is_unknown():
    panels = {"alone": ROWS, "together": [Interval("a & <b>", None, None, None), ROWS[1]]}
    svg = intervals_svg(panels, "t", "")
    assert texts(svg).count("a & <b>") == 1
    assert {"alone", "together"} <= set(texts(svg))
    with pytest.raises(ValueError, match="same labels"):
        intervals_svg({"x": ROWS, "y": ROWS[:1]}, "t", "")


def test_a_narrow_plot_is_half_as_wide_and_may_stand_beside_the_wide_one():
    def drawn(**options):
        return intervals_svg({"": ROWS}, "t", "x", line_at=0.0, margin=0.1, **options)

    def width(svg):
        return float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])

    wide, narrow = drawn(), drawn(narrow=True)
    assert 'class="plot narrow"' in narrow and 'class="plot"' in wide
    assert 300 < width(narrow) < 0.6 * width(wide)
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (wide, narrow)]
    assert not ids[0] & ids[1], "one would use the other's parts"


def test_curves_name_every_label_once_and_are_thinned():
    steps = list(range(1, 2001))
    losses = [1 / step for step in steps]
    svg = curves_svg({"all": [(steps, losses), (steps, losses)], "other": [(steps, losses)]})
    assert texts(svg).count("all") == texts(svg).count("other") == 1
    assert len(svg) < 60_000


def test_many_curves_highlight_the_first():
    lines = {f"v{n}": [([1, 2], [1.0, 0.5])] for n in range(12)}
    found = texts(curves_svg(lines))
    assert "v0" in found and "v5" not in found


def test_equal_values_give_equal_bytes_and_no_two_plots_share_an_id():
    first = intervals_svg({"": ROWS}, "one", "x")
    assert first == intervals_svg({"": ROWS}, "one", "x")
    ids = [set(re.findall(r' id="([^"]+)"', intervals_svg({"": ROWS}, t, "x"))) for t in "ab"]
    assert ids[0] and not ids[0] & ids[1]
