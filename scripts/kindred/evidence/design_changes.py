"""What changed between two states of a design, value by value, and in words for a table.

A design is nested dictionaries: "hypotheses", "variants", "prompt_sets", "judge", "bases",
"datasets", "versions"; of families "experiments", each with a design of its own, "sequence",
"gates", "copies", "reach". A change is {"path": [...], "before", "after"}, null where there was or
is nothing; one that no path leads to, because it was written down by hand, says {"what": "..."}.
Knows nothing of logs.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

Change = dict[str, Any]
Design = dict[str, Any]
NOTHING = "–"
NAMED = 6  # of more names that came or went together the first are said
CELL = 90  # characters of a value in a table
# The parts of a design whose keys are names, and how one of them is called.
PARTS = {
    "hypotheses": "hypothesis",
    "variants": "variant",
    "prompt_sets": "prompt set",
    "bases": "base",
    "datasets": "dataset",
    "versions": "version of",
    "judge": "judge",
    "experiments": "experiment",
    "gates": "gate",
    "reach": "limit",
}
OF_ALL = ("judge", "versions", "families", "sequence", "gates", "copies")  # claims


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every value that came, went or became another, behind how many pictures prompt sets ask for
    where that is another number. What is null in `after` is not known on this computer and says
    nothing."""
    sets = (before.get("prompt_sets", {}), after.get("prompt_sets", {}))
    asked = {name: [_asked(own[name]) for own in sets] for name in sorted({*sets[0]} & {*sets[1]})}
    counted = [
        {"what": f"prompt set {name}: prompts x seeds", "before": old, "after": new}
        for name, (old, new) in asked.items()
        if old != new
    ]
    return counted + _walk(before, after, [])


def _asked(prompt_set: Mapping[str, Any]) -> str:
    """'24 x 2', or '1 to 3' seeds where prompts have their own."""
    seeds = [len(one.get("seeds", prompt_set["seeds"])) for one in prompt_set["prompts"].values()]
    few, most = min(seeds, default=0), max(seeds, default=0)
    return f"{len(seeds)} x {few}" + (f" to {most}" if most > few else "")


def _walk(before: Any, after: Any, path: list[str]) -> list[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return [
            change
            for key in sorted({*before, *after})
            if not (key in after and after[key] is None)
            for change in _walk(before.get(key), after.get(key), [*path, key])
        ]
    return [] if before == after else [{"path": path, "before": before, "after": after}]


def with_changes(design: Mapping[str, Any], changes: Sequence[Change]) -> Design:
    """The design after changes."""
    made = copy.deepcopy(dict(design))
    for change in (one for one in changes if "path" in one):
        *above, last = change["path"]
        place = made
        for key in above:
            place = place.setdefault(key, {})
        if change["after"] is not None:
            place[last] = change["after"]
        else:
            place.pop(last, None)
    return made


def scope_of(changes: Sequence[Change], design: Mapping[str, Any]) -> list[str]:
    """The hypotheses that changes touch, sorted: their own, or those whose variants, base, photos
    or prompts they are; all of them for a judge, a step's version, or how claims are tested."""
    hypotheses: Mapping[str, Any] = design.get("hypotheses", {})
    found = set()
    for change in changes:
        part, *rest = change.get("path") or [""]
        if part == "experiments":
            touched = (name for name in hypotheses if _touches_family(rest, name, design))
        else:
            touched = (name for name in hypotheses if _touches(part, rest[:1], name, design))
        own = rest[:1] if part == "hypotheses" else []
        found |= {*touched, *own} if part else {*change.get("scope", ())}
    return sorted(found)


def _touches(part: str, names: Sequence[str], hypothesis: str, design: Mapping[str, Any]) -> bool:
    """Whether a change of what is called `names` in a part of the design touches a hypothesis."""
    one = design["hypotheses"][hypothesis]
    variants = [design.get("variants", {}).get(one[key], {}) for key in ("variant", "against")]
    uses = {
        "hypotheses": [hypothesis],
        "variants": [one["variant"], one["against"]],
        "prompt_sets": [one["prompt_set"]],
        "bases": [variant.get("base") for variant in variants],
        "datasets": [name for variant in variants for name in variant.get("datasets", ())],
    }
    return part in OF_ALL or any(name in uses.get(part, ()) for name in names)


def _touches_family(path: Sequence[str], hypothesis: str, design: Mapping[str, Any]) -> bool:
    """The same of a change within the experiment of one family, or of all of it."""
    experiment, *rest = path
    one = design["hypotheses"][hypothesis]
    if one.get("families") and experiment not in one["families"]:
        return False
    inner = design.get("experiments", {}).get(experiment, {})
    if not rest:
        return True
    whole = {**inner, "hypotheses": design["hypotheses"]}
    return rest[0] != "hypotheses" and _touches(rest[0], rest[1:2], hypothesis, whole)


def rows_of(changes: Sequence[Change]) -> list[dict[str, str]]:
    """Changes as {"what", "before", "after"} in words: names that came or went together in one, and
    variants, or experiments, of which the same became the same."""
    rows, rest = [], list(changes)
    for own in _alike(changes):
        part, names, inner = own[0]["path"][0], [one["path"][1] for one in own], own[0]["path"][2:]
        rows.append(_row(own[0]) | {"what": f"{part} {_named(names)}: {' '.join(inner)}"})
        rest = [change for change in rest if change not in own]
    for (place, kind), group in groupby(rest, _place):
        same = list(group)
        if len(same) > 1 and kind:
            names = [change["path"][-1] for change in same]
            counted = f"{len(names)}: {_named(names)}"
            went, came = (counted, NOTHING) if kind == "went" else (NOTHING, counted)
            rows.append({"what": said(list(place)), "before": went, "after": came})
        else:
            rows += [_row(change) for change in same]
    return rows


def _alike(changes: Sequence[Change]) -> list[list[Change]]:
    """Changes within several variants that are the same but for the variant; or experiments."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        part, *path = change.get("path") or [""]
        if part in ("variants", "experiments") and len(path) > 1:
            same = json.dumps([part, path[1:], change["before"], change["after"]], sort_keys=True)
            found.setdefault(same, []).append(change)
    return [own for own in found.values() if len(own) > 1]


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" * (len(names) > NAMED))


def _place(change: Change) -> tuple[tuple[str, ...], str]:
    """Where a value stands, and whether it came or went; '' where it became another."""
    path = tuple(change.get("path") or ())
    kind = "came" if change["before"] is None else "went" if change["after"] is None else ""
    return (path[:-1] if kind else path, kind)


def _row(change: Change) -> dict[str, str]:
    """A change in words; what was written down by hand is shown whole."""
    before, after = one_line(change["before"]), one_line(change["after"])
    if not change.get("path"):
        return {"what": change["what"], "before": before, "after": after}
    pairs = zip(before, after, strict=False)
    same = next((n for n, (one, other) in enumerate(pairs) if one != other), len(before))
    start = before.rfind(" ", 0, same) + 1 if same > CELL / 2 else 0
    cells = [cut(("…" if start else "") + text[start:]) for text in (before, after)]
    return {"what": said(change["path"]), "before": cells[0], "after": cells[1]}


def said(path: Sequence[str]) -> str:
    """A path in words: 'prompt set headshot: prompts'."""
    part, *rest = path
    if part in ("versions", "judge") or not rest:
        return " ".join([PARTS.get(part, part) if rest else part.replace("_", " "), *rest])
    name, *inner = rest
    return f"{PARTS.get(part, part)} {name}" + (f": {' '.join(inner)}" if inner else "")


def one_line(value: Any) -> str:
    """A value as text in a line; NOTHING for none."""
    if value is None or value == "":
        return NOTHING
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(text.split())


def cut(text: str) -> str:
    """A text that fits a cell of a table."""
    return text if len(text) <= CELL else text[: CELL - 1].rstrip() + "…"
