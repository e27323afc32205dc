"""How much trainings see of their pictures, as an audit is told.

Knows settings of trainings; knows no photos.
"""

from __future__ import annotations

from collections.abc import Iterable

from kindred.specs.dataset import TrainingAmount
from kindred.specs.training import Selection, TrainSpec

# Ends the name of the experiment that `make look` runs, in steps too few to learn anybody.
FIRST_LOOK = "-first-look"
# An audit looks at so many trainings that see least: its specification stands on a command line.
TRAININGS_TOLD = 40


def is_first_look(experiment: str) -> bool:
    """Whether an experiment of this name is one."""
    return experiment.endswith(FIRST_LOOK)


def training_amounts(
    experiment: str, trainings: Iterable[tuple[str, TrainSpec]]
) -> list[TrainingAmount]:
    """How much the trainings of an experiment's variants, by their names, see: of those with equal
    batch and selection, whatever its seed, the one that sees least; at most `TRAININGS_TOLD`.
    Nothing of a first look, whose steps are few on purpose."""
    if is_first_look(experiment):
        return []
    least: dict[tuple[int, str], TrainingAmount] = {}
    for name, train in trainings:
        recipe, selection = train.recipe, train.selection
        amount = TrainingAmount(
            where=f"variants.{name}",
            steps=recipe.steps,
            batch=recipe.batch,
            pictures=recipe.steps * recipe.batch * recipe.gradient_accumulation,
            **({} if selection == Selection() else {"selection": selection}),
        )
        key = (recipe.batch, selection.model_copy(update={"seed": 0}).model_dump_json())
        if key not in least or amount.pictures < least[key].pictures:
            least[key] = amount
    return sorted(least.values(), key=lambda one: one.pictures)[:TRAININGS_TOLD]
