"""Names by which rules tell variants apart, over all experiments of one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kindred.common.errors import Problems
from kindred.config.plan import Experiment, Variant

# What a rule of its own makes -> whether a variant is of that kind.
BY_OWN_RULE: Mapping[str, Callable[[Variant], object]] = {
    "pictures made elsewhere": lambda one: one.pictures,
    "faces that are drawn again": lambda one: one.detail,
}


def check_names(experiments: Mapping[str, Experiment], problems: Problems) -> None:
    """Note names that stand for such a variant in one experiment and for another kind in another
    one of the same run."""
    every = [(one, name) for name, plan in experiments.items() for one in plan.variants.values()]
    for what, belongs in BY_OWN_RULE.items():
        owners = {one.name: name for one, name in every if belongs(one)}
        for one, name in every:
            if one.name in owners and not belongs(one):
                problems.add(
                    f"experiment {name}: variants.{one.name}",
                    f"in the experiment '{owners[one.name]}' this name belongs to {what}",
                    "rename one of the two variants, or run the two experiments one after the "
                    "other",
                )
