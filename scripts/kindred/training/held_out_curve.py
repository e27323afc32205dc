"""When the loss on held-out photos is taken, and what its course says. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kindred.specs.training import Recipe

COLUMN = "held_out_loss"  # of training.csv, and the name in an adapter's header
RISING_FOR = 1 / 3  # of a training's steps since the least loss, after which rising is told
RISE = 0.01  # by which a later loss must be above the least one: less is nearly flat
Curve = Sequence[tuple[int, float]]  # (step, loss)


def is_due(recipe: Recipe, step: int) -> bool:
    """Whether the loss is taken after a step: of every kept one, every `checkpoint_every`, and of
    the last."""
    if step > recipe.steps:
        return False
    return step % recipe.checkpoint_every == 0 or step in {*recipe.series, recipe.steps}


def curve_of(rows: Iterable[Mapping[str, float]]) -> list[tuple[int, float]]:
    """The held-out losses among the rows of a training's log."""
    return [(int(row["step"]), row[COLUMN]) for row in rows if COLUMN in row]


def rising_since(curve: Curve, steps: int) -> int | None:
    """The step of the least loss, where a third of the training's `steps` or more lie behind it in
    which the loss rose: its later half is above the earlier one and above the least by RISE. None
    where it does not rise, or too little is known.
    """
    if not curve:
        return None
    lowest, least = min(curve, key=lambda point: point[1])
    since = [loss for step, loss in curve if step > lowest]
    if len(since) < 2 or curve[-1][0] - lowest < RISING_FOR * steps:
        return None
    half = len(since) // 2
    earlier, later = (sum(part) / len(part) for part in (since[:half], since[-half:]))
    return lowest if later > earlier and later > least * (1 + RISE) else None


def warning_of(curve: Curve, steps: int) -> str:
    """What a person is told while the held-out loss rises; '' while it does not."""
    lowest = rising_since(curve, steps)
    if lowest is None:
        return ""
    least, newest = min(loss for _, loss in curve), curve[-1][1]
    return (
        f"the held-out loss has risen since step {lowest} (from {least:.4f} to {newest:.4f} at "
        f"step {curve[-1][0]}): more steps learn these photos by heart. That alone is no "
        "reason to stop sooner: look at pictures of several steps"
    )
