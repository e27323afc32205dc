"""The tables beside cast accuracy: detection, bits, order, garments, count, parts and looks.

Knows the casts part of the summary; knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from kindred.report import formatting
from kindred.report.cast_tables import (
    LIKENESS,
    PLAIN,
    SHARE,
    CastSet,
    Figures,
    SmallTable,
    shape,
    share_cell,
    stat_cell,
    table_of,
)
from kindred.report.tables import Cell


def side_tables(one: CastSet, names: Mapping[str, str]) -> list[SmallTable]:
    """All of them that there are figures for. names: letter -> trigger name."""
    made = (
        detection_table(one, names),
        bits_table(one),
        order_table(one),
        garments_table(one),
        count_table(one),
        products_table(one),
        looks_table(one, names),
    )
    return [table for table in made if table]


def detection_table(one: CastSet, names: Mapping[str, str]) -> SmallTable | None:
    """Hits and false alarms of each character, with d' and c."""
    letters = [x for x in names if any(x in own["detection"] for own in one.variants.values())]
    if not letters:
        return None
    most = [
        own["detection"][x]["ceiling"] for own in one.variants.values() for x in own["detection"]
    ]
    most = [value for value in most if value is not None]
    notes = [f"The largest d′ that so few pictures can show is {formatting.number(max(most))}."]
    return table_of(
        one,
        "detection",
        [f"{names[x]}: called / uncalled" for x in letters],
        lambda own: [_detected(own["detection"].get(x)) for x in letters],
        notes=notes if most else [],
    )


def _detected(told: Figures | None) -> Cell:
    """'94 % / 15 %' with 'd′ 2.52 (1.9 to 3.1), c −0.24' below it."""
    if told is None:
        return Cell("–")
    hit = share_cell(told["hits"] / told["asked"]).text
    alarm = share_cell(told["false_alarms"] / told["others"]).text
    sensitivity = stat_cell(told["sensitivity"], PLAIN)
    reach = f" ({sensitivity.range})" if sensitivity.range else ""
    bias = stat_cell(told["bias"], PLAIN).text
    return Cell(f"{hit} / {alarm}", f"d′ {sensitivity.text}{reach}, c {bias}", sensitivity.sort)


def bits_table(one: CastSet) -> SmallTable | None:
    """Bits of each variant; without enough pictures what would give them."""

    def cells(own: Figures) -> list[Cell]:
        told = own["bits"]
        if told["more"]:
            return [Cell("–"), Cell("–")]
        return [Cell(formatting.number(told[key]), sort=told[key]) for key in ("mean", "most")]

    lacking = [own["bits"] for own in one.variants.values() if own["bits"]["more"]]
    fewest = min((n for told in lacking for n in told["images"].values()), default=0)
    notes = [
        f"–: bits need {told['needed']} pictures of each shape, of all trainings together; there "
        f"are {fewest}. Raise “pictures” of the casts in “{one.name}” "
        f"{ceil(told['needed'] / fewest)} times."
        for told in lacking[:1]
    ]
    return table_of(one, "bits", ["bits", "if always right"], cells, notes=notes)


def order_table(one: CastSet) -> SmallTable | None:
    """Order given the right people, beside chance, and both together."""

    def cells(own: Figures) -> list[Cell] | None:
        told = own["order"]
        if told is None:
            return None
        return [
            Cell(f"{told['right']} of {told['images']}", sort=told["right"]),
            stat_cell(told["share"], SHARE),
            share_cell(told["chance"]),
            stat_cell(told["both"], SHARE),
        ]

    headings = ["right people", "of these in order", "by chance", "people and order right"]
    return table_of(one, "order", headings, cells)


def garments_table(one: CastSet) -> SmallTable | None:
    """Garments of those found: on the right person, on another, the same on all."""

    def cells(own: Figures) -> list[Cell] | None:
        told = own["garments"]
        if told is None:
            return None
        shares = [stat_cell(told[key], SHARE) for key in ("right", "swapped", "same")]
        found = Cell(f"{told['people']} of {told['asked']}", sort=told["people"])
        return [found, shares[0], share_cell(told["chance"]), *shares[1:]]

    headings = ["people found", "own clothes", "by chance", "on somebody else", "the same on all"]
    return table_of(one, "garments", headings, cells)


def count_table(one: CastSet) -> SmallTable | None:
    """Heads: share right, and the signed mean of found minus asked, in all and by canvas."""
    canvases = one.told["canvases"]

    def cells(own: Figures) -> list[Cell]:
        told = [own["count"], *(own["count"]["canvases"].get(canvas) for canvas in canvases)]
        return [
            cell
            for part in told
            for cell in (
                stat_cell(part["right"] if part else None, SHARE),
                _signed(part["difference"] if part else None),
            )
        ]

    places = ["all", *map(shape, canvases)]
    headings = [f"{place}: {what}" for place in places for what in ("right", "too many")]
    return table_of(one, "count", headings, cells)


def _signed(statistic: Figures | None) -> Cell:
    cell = stat_cell(statistic, PLAIN)
    text = cell.text.replace("−0.00", "0.00")
    return Cell(f"+{text}" if float(f"{cell.sort or 0:.2f}") > 0 else text, cell.range, cell.sort)


def _points(statistic: Figures | None) -> Cell:
    """A difference of shares in points."""
    if statistic is None:
        return Cell("–")
    low, high = (formatting.signed(statistic[end]) for end in ("low", "high"))
    reach = f"{low} to {high}" if statistic["low"] is not None else ""
    return Cell(formatting.signed(statistic["mean"]), reach, statistic["mean"])


def products_table(one: CastSet) -> SmallTable | None:
    """Accuracy of groups beside the product of their parts on each canvas."""
    canvases = one.told["canvases"]

    def cells(own: Figures) -> list[Cell] | None:
        told = own["products"]
        if not told:
            return None
        return [
            cell
            for canvas in canvases
            for part in [told.get(canvas, {})]
            for cell in (
                stat_cell(part.get("success"), SHARE),
                stat_cell(part.get("product"), SHARE),
                _points(part.get("gap")),
            )
        ]

    words = ("groups right", "by their parts", "difference, points")
    headings = [f"{shape(canvas)}: {word}" for canvas in canvases for word in words]
    return table_of(one, "products", headings, cells)


def looks_table(one: CastSet, names: Mapping[str, str]) -> SmallTable | None:
    """Likeness of each character where found, alone and together, and over characters."""
    who = {**names, "mean": "everybody"}
    letters = [x for x in who if any(x in own["looks"] for own in one.variants.values())]
    places = [(x, where) for x in letters for where in ("alone", "together")]

    def cells(own: Figures) -> list[Cell] | None:
        if not own["looks"]:
            return None
        return [stat_cell(own["looks"].get(x, {}).get(where), LIKENESS) for x, where in places]

    return table_of(one, "looks", [f"{who[x]} {where}" for x, where in places], cells)
