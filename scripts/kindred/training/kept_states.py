"""Last states of finished trainings, from which the same training with more steps goes on.

A state lies under a hash of all that its training depends on but `steps`, and is what a longer
training would have had after as many steps: order of images, noise and captions follow from run and
step alone. Only the rate may depend on how many steps there will be. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kindred.specs.training import Recipe

STATES = "states"  # below the folder of checkpoints; within, a folder a key


def why_none(recipe: Recipe) -> str:
    """Why a longer training can't go on from a state of this recipe; '' when it can."""
    if recipe.schedule == "constant":
        return ""
    return (
        f"`schedule: {recipe.schedule}` falls over all steps, so a longer training has different "
        "learning rates from the first step on"
    )


def states_up_to(folder: Path, steps: int) -> list[Path]:
    """The states in a key's folder that a training of so many steps would have had, oldest
    first."""
    return [path for path in sorted(folder.glob("step-*.pt")) if step_of(path) <= steps]


def step_of(state: Path) -> int:
    """The steps behind a state."""
    return int(state.stem.removeprefix("step-"))


def folders(checkpoints: Path) -> Iterator[Path]:
    """The folders of all states that are kept; each is named by its key."""
    yield from sorted(path for path in (checkpoints / STATES).glob("*") if path.is_dir())
