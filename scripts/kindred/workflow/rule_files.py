"""Which rule files are read beside those that nearly every experiment needs.

Snakemake parses and compiles each rule file at every start, and asks of each file which of all
rules makes it. So a rule file is left out where the plan asks for nothing that it makes, unless the
command line names it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from kindred.config.plan import Plan
from kindred.workflow import ceilings, face_detail_specs, paths

# In the order in which they are read.
FURTHER = (
    *("cluster", "lab", "prior", "compose", "together", "elsewhere", "face_detail", "ceiling"),
    *("steps", "together_pictures", "families"),
)
# Options of Snakemake that look at all rules.
EVERY_RULE = ("--lint", "--list", "-l", "--lt", "--print-compilation", "--generate-unit-tests")
# Rule file -> a part of the names of its rules, or of the files that they make.
NAMED_BY = {
    "cluster": ("cluster", "check_node"),
    "lab": ("lab",),
    "together": ("together",),
    "together_pictures": ("together",),
    "ceiling": ("ceiling",),
    "families": ("families",),
}


def further(
    plan: Plan, classes: Collection[Any], families: Collection[str], command_line: Sequence[str]
) -> list[str]:
    """Names of those to read. classes: datasets of class images; families: files of families;
    both as the configured experiments need them. command_line: with the program first."""
    program, *words = command_line
    # Another program than Snakemake's own may ask it for any rule.
    if "snakemake" not in program or any(word.startswith(EVERY_RULE) for word in words):
        return list(FURTHER)
    parts = NAMED_BY | {"lab": ("lab", plan.lab.out, plan.lab.work)}
    named = {
        name for name, own in parts.items() if any(part in word for part in own for word in words)
    }
    needed = {*_needed(plan, classes, families)}
    return [name for name in FURTHER if name in needed | named]


def _needed(plan: Plan, classes: Collection[Any], families: Collection[str]) -> Iterator[str]:
    """Those that make something which the experiments ask for."""
    trained = [one.train for own in plan.experiments.values() for one in own.trained if one.train]
    if classes or any(dataset.class_images for dataset in plan.datasets.values()):
        yield "prior"
    if plan.masks or any(dataset.made for dataset in plan.datasets.values()):
        yield "compose"
    if paths.elsewhere(plan):
        yield "elsewhere"
    if face_detail_specs.detailed(plan):
        yield "face_detail"
    if ceilings.all_figures(plan):
        yield "ceiling"
    if any(one.recipe.series for one in trained):
        yield "steps"
    if families:
        yield "families"
