"""What bringing in pictures is told that were made elsewhere: which stands for which prompt and
seed."""

from __future__ import annotations

from pathlib import Path

from kindred.common.errors import KindredError
from kindred.config.plan import Plan
from kindred.rendering.picture_prompts import prompts_file
from kindred.rendering.pictures_elsewhere import assign
from kindred.specs.pictures_elsewhere import PicturesElsewhere
from kindred.workflow.batched_jobs import argument


def elsewhere_spec(plan: Plan, experiment: str, variant: str, prompt_set: str) -> PicturesElsewhere:
    """The pictures of a prompt set. Raises KindredError where they are too many for a command."""
    folder = plan.variant(experiment, variant).pictures
    sets = plan.experiments[experiment].prompt_sets
    found = assign(Path(folder), sets, folder).sets[prompt_set]
    spec = PicturesElsewhere(prompt_set=prompt_set, pictures=found)
    what = f"'{prompt_set}' has {len(found)} pictures, too many for one command"
    argument(spec.canonical(), KindredError(what, folder, "split the prompt set in two"))
    return spec


def elsewhere_files(plan: Plan, experiment: str, variant: str, prompt_set: str) -> list[str]:
    """The pictures of a prompt set, and the file that says their prompts."""
    spec = elsewhere_spec(plan, experiment, variant, prompt_set)
    told = prompts_file(Path(plan.variant(experiment, variant).pictures))
    return [*dict.fromkeys(one.file for one in spec.pictures), *([told.as_posix()] if told else [])]
