"""Which trainings' loss on held-out photos rises, in words. Knows what logs say."""

from __future__ import annotations

from collections.abc import Mapping

from kindred.report import formatting
from kindred.report.training_curves import Run
from kindred.training.held_out_curve import rising_since


def rising_words(curves: Mapping[tuple[str, int], Run]) -> list[str]:
    """Sentences about variants whose held-out loss rises for a third of a training or longer.
    curves: (variant, run) -> its training; one that several variants take steps of counts once."""
    known: dict[tuple[str, int], Run] = {}
    for place, run in curves.items():
        if run.held_out and all(run.held_out != other.held_out for other in known.values()):
            known[place] = run
    found = []
    for name in dict.fromkeys(variant for variant, _ in known):
        own = [run for (variant, _), run in known.items() if variant == name]
        since = [rising_since(run.held_out, run.steps[-1]) for run in own]
        steps = sorted({step for step in since if step is not None})
        count = sum(step is not None for step in since)
        if steps:
            trainings = f"{count} of {len(own)} trainings" if len(own) > 1 else "its training"
            found.append(
                f"“{name}”: in {trainings} the loss on held-out photos rises for a third of the "
                f"steps or more (since step {formatting.listing(map(str, steps))}). It learns "
                "these photos by heart. That alone is no reason to stop sooner: look whether "
                "pictures copy photos, and choose the step by pictures (keep, selection)."
            )
    return found
