"""The page about several families: the answer first, a figure for each claim, then the numbers.

Knows verdicts.json and power.json of results/families/<name>/; how it looks is the templates' part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from kindred.common.sentences import counted
from kindred.config.user_schema import BASE_VARIANT
from kindred.evidence.family_means import FEWEST
from kindred.evidence.family_power import HEADINGS, SPREADS, family_power_rows
from kindred.evidence.labels import CONTRADICTED, SUPPORTED
from kindred.evidence.verdict_sentences import gap, gaps
from kindred.report import formatting, svg_plots
from kindred.report.formatting import deciding, kind_of, number, share
from kindred.specs.cast_figures import DRAWERS
from kindred.specs.family_figures import FIGURES

TONES = {SUPPORTED: "good", CONTRADICTED: "bad"}
SAID = {True: "yes", False: "no", None: "not known"}
HEADS_OF_COPIES = ("without copies", "label", "with copies", "label it would have")
CEILING = "CEILING: the world’s own drawings"
Json = Mapping[str, Any]


def families_content(verdicts: Json, power: Json) -> dict[str, Any]:
    """What stands on the page, section by section."""
    hypotheses = in_order(verdicts)
    arms = {name: _in_order(one, hypotheses) for name, one in verdicts["arms"].items()}
    return {
        **{
            key: verdicts[key]
            for key in ("title", "question", "families", "warnings", "copies", "people")
        },
        "counted": with_copies(verdicts["copies"], hypotheses),
        "log": verdicts["declared"],
        "answer": answer(verdicts, hypotheses),
        "hypotheses": hypotheses,
        "tones": TONES,
        "plots": {name: _plot(name, one) for name, one in hypotheses.items()},
        "reach": list(map(_limit_row, verdicts["reach"].values())),
        "gates": list(map(_limit_row, verdicts["gates"].values())),
        "casts": {name: casts_table(one) for name, one in arms.items()},
        "figures": {name: figures_table(one) for name, one in arms.items()},
        "by_family": {name: families_table(one) for name, one in arms.items()},
        "power": {
            "headings": HEADINGS,
            "rows": family_power_rows(power),
            "often": round(100 * power["power"]),
            "spreads": formatting.listing([f"{100 * sd:.0f}" for sd in SPREADS]),
        },
    }


def in_order(verdicts: Json) -> dict[str, Json]:
    """The hypotheses in the order in which they were tested; the others by name."""
    found = verdicts["hypotheses"]
    return {name: found[name] for name in dict.fromkeys([*verdicts["sequence"], *found])}


def _in_order(arms: Json, hypotheses: Mapping[str, Json]) -> dict[str, Any]:
    """A prompt set's arms: those that claims are about first, the base last. Without those of too
    few families, where others have enough."""
    asked = [one[key] for one in hypotheses.values() for key in ("variant", "against")]
    names = [name for name in dict.fromkeys([*asked, *arms["variants"]]) if name != BASE_VARIANT]
    variants = arms["variants"]
    most = max((len(one["by_family"]) for one in variants.values()), default=0)
    ordered = {
        name: variants[name]
        for name in [*names, BASE_VARIANT]
        # What one family or two have, as a LoRA of somebody alone, tells nothing of families.
        if name in variants and len(variants[name]["by_family"]) >= min(FEWEST, most)
    }
    return {**arms, "variants": ordered}


def answer(verdicts: Json, hypotheses: Mapping[str, Json]) -> list[str]:
    """The answer in a few sentences: how often the arm that claims are about is right, beside what
    it is compared with; then what became of the claims, and what was to be reached."""
    sentences = []
    first = next(iter(hypotheses.values()))
    arms = verdicts["arms"].get(first["prompt_set"], {"variants": {}, "ceiling": {}})
    told = arms["variants"].get(first["variant"])
    if told:
        others = dict.fromkeys(
            one["against"] for one in hypotheses.values() if one["variant"] == first["variant"]
        )
        beside = [
            f"{name} {share(arms['variants'][name]['figures']['casts']['mean'])}"
            for name in (*others, BASE_VARIANT)
            if name in arms["variants"]
        ]
        top = arms["ceiling"].get("all")
        beside += [f"the ceiling {share(top['mean'])}"] if top else []
        text = f"{first['variant']} draws exactly those asked for in {_spelled(told)} of pictures"
        count = counted(told["figures"]["casts"]["families"], "family")
        sentences.append(f"{text}, mean of {count}. Beside it: {formatting.listing(beside)}.")
    if verdicts["warnings"]:
        sentences.append(
            f"Nothing is concluded, because a gate does not hold. {' '.join(verdicts['warnings'])}"
        )
    sentences += [f"{one['label_words']}: {one['claim']}" for one in hypotheses.values()]
    if verdicts["reach"]:
        limits = verdicts["reach"].values()
        held = sum(one["holds"] is True for one in limits)
        missed = [one["says"] for one in limits if one["holds"] is False]
        text = f"Reached: {held} of {counted(len(limits), 'limit')}"
        sentences.append(text + (f". Not reached: {'; '.join(missed)}." if missed else "."))
    return sentences


def _spelled(arm: Json) -> str:
    cell = arm["figures"]["casts"]
    if cell["low"] is None:
        return share(cell["mean"])
    return f"{share(cell['mean'])} ({share(cell['low'])} to {share(cell['high'])})"


def _plot(name: str, one: Json) -> Markup | None:
    """A claim's difference in every family, and the mean with the interval that decides it; twice,
    for wide pages and for phones."""
    if not kind_of(one["measure"]).percent:
        return None
    low, high = deciding(one)
    rows = [
        svg_plots.Interval(family, value, None, None) for family, value in one["by_family"].items()
    ]
    rows.append(
        svg_plots.Interval("mean", one["difference"], low, high, TONES.get(one["label"], ""))
    )
    options = {"line_at": 0.0, "margin": one["margin"] or None}
    title = f"{name}: {one['variant']} minus {one['against']} in every family"
    axis = f"{one['variant']} − {one['against']}, in percentage points"
    wide = svg_plots.intervals_svg({"": rows}, title, axis, **options)
    narrow = svg_plots.intervals_svg({"": rows}, title, "difference", narrow=True, **options)
    return Markup(wide + narrow)


def _limit_row(one: Json) -> dict[str, str]:
    """A limit as a row: what, asked for, what it reads, whether it holds, how far it is off."""
    parts = one["parts"]
    lowest = parts[0] if parts else None
    value = lowest["value"] if lowest else one["value"]
    unit = " points" if one["against"] else " %" if one["percent"] else ""

    def said(amount: float | None) -> str:
        if amount is None:
            return "–"
        text = f"{100 * amount:.1f}{unit}" if one["percent"] else f"{amount:.2f}"
        return text.replace("-", "−")

    reads = said(value)
    if lowest:
        reads += f" ({lowest['name']}, the furthest of {len(parts)})"
    elif one["low"] is not None:
        reads += f" ({said(one['low'])} to {said(one['high'])})"
    return {
        "says": one["says"],
        "limit": one["limit"],
        "reads": reads,
        "holds": SAID[one["holds"]],
        "short": said(one["short"]).replace(" %", " points") if one["short"] else "–",
        "families": str(one["families"]),
    }


def casts_table(one: Json) -> dict[str, Any]:
    """Arms by kinds of casts, with the ceiling above and drawers without names below."""
    kinds = one["kinds"]
    rows = [
        _row(
            name,
            [arm["figures"]["casts"], *(arm["kinds"].get(kind) for kind in kinds)],
            families=len(arm["by_family"]),
        )
        for name, arm in one["variants"].items()
    ]
    if one["ceiling"]:
        cells = [one["ceiling"].get(kind) for kind in ("all", *kinds)]
        rows.insert(0, _row(CEILING, cells, line=True))
    for drawer, told in one["drawers"].items():
        cell = {"mean": told["all"], "low": None, "high": None}
        rows.append(_row(DRAWERS[drawer], [cell, *[None for _ in kinds]], line=True))
    return {"headings": ["all casts", *kinds], "rows": rows}


def figures_table(one: Json) -> dict[str, Any]:
    """Arms by all other figures."""
    shown = [figure for name, figure in FIGURES.items() if name != "casts"]
    rows = [
        _row(name, [arm["figures"][figure.name] for figure in shown], [f.percent for f in shown])
        for name, arm in one["variants"].items()
    ]
    says = {figure.heading: figure.says for figure in shown}
    return {"headings": [figure.heading for figure in shown], "rows": rows, "says": says}


def families_table(one: Json) -> dict[str, Any]:
    """Families by arms: all casts."""
    arms = one["variants"]
    families = dict.fromkeys(family for arm in arms.values() for family in arm["by_family"])
    rows = [
        _row(family, [_plain(arm["by_family"].get(family)) for arm in arms.values()])
        for family in families
    ]
    return {"headings": list(arms), "rows": rows}


def with_copies(copies: Json | None, hypotheses: Mapping[str, Json]) -> dict[str, Any] | None:
    """What claims, arms and gates would read with copies; None where copies don't leave."""
    if not copies or "counted" not in copies:
        return None
    counted_too, left = copies["counted"], copies["left"]
    rows = [
        {
            "name": f"{one['variant']} − {one['against']}",
            "cells": [*_claim(one), *_claim(counted_too["hypotheses"][name])],
            "line": False,
        }
        for name, one in hypotheses.items()
    ]
    arms = {name: _in_order(one, hypotheses) for name, one in counted_too["arms"].items()}
    kept, drawn = (sum(numbers) for numbers in zip(*left.values(), strict=True))
    stay = formatting.listing([f"{name} {one[0]}" for name, one in left.items()])
    return {
        "claims": {
            "headings": HEADS_OF_COPIES,
            "rows": rows,
        },
        "casts": {name: casts_table(one) for name, one in arms.items()},
        "by_family": {name: families_table(one) for name, one in arms.items()},
        "gates": list(map(_limit_row, counted_too["gates"].values())),
        "sentence": f"{kept:,} of its {drawn:,} pictures stay ({stay}), not of all casts.",
    }


def _claim(one: Json) -> list[dict[str, str]]:
    """A claim's difference with the interval that decides it, and its label."""
    low, high = deciding(one)
    reach = "" if low is None else gaps((low, high), one["measure"])
    said = {"text": gap(one["difference"], one["measure"]), "range": reach}
    return [said, {"text": one["label_words"], "range": ""}]


def _plain(value: float | None) -> Json | None:
    return None if value is None else {"mean": value, "low": None, "high": None}


def _row(
    name: str,
    cells: Sequence[Json | None],
    percent: Sequence[bool] = (),
    line: bool = False,
    families: int = 0,
) -> dict[str, Any]:
    """A row of cells {"text", "range"}; shares where `percent` doesn't say otherwise. A cell of
    fewer `families` says so."""
    shares = percent or [True] * len(cells)
    made = [_cell(cell, own, families) for cell, own in zip(cells, shares, strict=True)]
    return {"name": name, "cells": made, "line": line}


def _cell(cell: Json | None, percent: bool, families: int) -> dict[str, str]:
    if cell is None:
        return {"text": "–", "range": ""}
    said = share if percent else number
    parts = [] if cell["low"] is None else [f"{said(cell['low'])} to {said(cell['high'])}"]
    if cell.get("families", families) < families:
        parts.append(counted(cell["families"], "family"))
    return {"text": said(cell["mean"]), "range": ", ".join(parts)}
