"""The data's way through the workflow as a Mermaid figure, drawn from Snakemake's graph of rules.

Knows the text of `snakemake --rulegraph mermaid-js`; knows no rule but by its name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

# What stands behind or beside the way from photos to the report.
LEFT_OUT = {
    *("all", "declare", "resolve", "masks", "image_vectors", "design_power"),
    *("draw_ceiling", "score_ceiling", "sum_ceiling"),
}
PICTURES = {"sheet_of_variant", "sheet_of_all", "likeness", "curves", "rating"}
SHOWN_AS = dict.fromkeys(PICTURES, "sheets") | {"encode_prompts": "encode_captions"}
# In their order: composites are prepared and captioned as photos are, which is not shown.
LABELS = {
    "draw": "photos<br>(yours, or drawn by the lab)",
    "preprocess": "preprocess",
    "caption": "caption",
    "audit": "audit",
    "compose": "compose<br>(composites)",
    "encode_images": "encode photos",
    "encode_captions": "encode texts",
    "train": "train",
    "render": "render",
    "references": "references<br>(of the judge)",
    "score": "score",
    "compare": "compare",
    "report": "report",
    "sheets": "sheets, curves,<br>page for ratings",
}
Graph = Mapping[str, Collection[str]]  # step -> the steps that it waits for


def flow_figure(rulegraph: str) -> str:
    """A Mermaid flowchart of the steps between photos and report, from left to right."""
    graph = reduced(read_graph(rulegraph))
    lines = [f'  {step}["{LABELS.get(step, step)}"]' for step in sorted(graph)]
    lines += [f"  {one} --> {step}" for step in sorted(graph) for one in sorted(graph[step])]
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def read_graph(rulegraph: str) -> dict[str, set[str]]:
    """Steps with those that they wait for. Rules of one step count as it, and what is left out is
    passed through; nothing goes backwards in the order of LABELS."""
    names = {
        key: step_of(name) for key, name in re.findall(r"^\s*(id\d+)\[(.+)\]$", rulegraph, re.M)
    }
    waits: dict[str, set[str]] = {name: set() for name in names.values()}
    for one, step in re.findall(r"^\s*(id\d+) --> (id\d+)$", rulegraph, re.M):
        if names[one] != names[step]:
            waits[names[step]].add(names[one])
    for gone in LEFT_OUT & waits.keys():
        behind = waits.pop(gone)
        for step in waits:
            if gone in waits[step]:
                waits[step] = (waits[step] | behind) - {gone, step}
    order = {step: n for n, step in enumerate(LABELS)}
    return {
        step: {one for one in own if order.get(one, 0) < order.get(step, len(order))}
        for step, own in waits.items()
    }


def step_of(rule: str) -> str:
    """The step of a rule: without the dataset that it is for, kinds of sheets together."""
    name = re.sub(r"^(draw|compose|masks)_(?!ceiling).*", r"\1", rule)
    return SHOWN_AS.get(name, name)


def reduced(graph: Graph) -> dict[str, set[str]]:
    """The graph without what follows from the rest of it."""

    def ways(step: str, without: tuple[str, str]) -> set[str]:
        found: set[str] = set()
        ahead = [one for one in graph[step] if (one, step) != without]
        while ahead:
            one = ahead.pop()
            if one not in found and one != step:
                found.add(one)
                ahead += graph[one]
        return found

    return {
        step: {one for one in waits if one not in ways(step, (one, step))}
        for step, waits in graph.items()
    }
