"""The ceiling of an experiment's casts: where there is one, its files, what its steps are told.

Knows a plan and the names of drawn people; knows nothing of how they are drawn or judged.
"""

from __future__ import annotations

from kindred.config.plan import Experiment, Plan
from kindred.config.user_schema import BASE_VARIANT
from kindred.specs.ceiling import CeilingSpec
from kindred.specs.rendering import Prompt
from kindred.world.families import FAMILIES

LINE = "ceiling"  # folder and file stem in results/<experiment>/; no variant is called so


def cast_sets(plan: Plan, experiment: Experiment) -> list[str]:
    """The prompt sets that a ceiling is drawn for: all casts, where everybody who is asked for is a
    drawn person, somebody judges, and a base draws; else none."""
    drawn = {
        person.name for name in _families(plan, experiment) for person in FAMILIES[name].members
    }
    asked = {experiment.characters[letter].name for letter in _letters(experiment)}
    judged = experiment.judge and BASE_VARIANT in experiment.variants
    return list(experiment.casts) if judged and asked <= drawn else []


def figures_of(plan: Plan, experiment: Experiment) -> list[str]:
    """The file of an experiment's ceiling; none without one."""
    return [f"results/{experiment.name}/{LINE}.json"] if cast_sets(plan, experiment) else []


def all_figures(plan: Plan) -> list[str]:
    """The files of all ceilings."""
    return [file for one in plan.experiments.values() for file in figures_of(plan, one)]


def lists_of(plan: Plan, experiment: Experiment) -> list[str]:
    """The lists of a ceiling's pictures."""
    folder = f"results/{experiment.name}/{LINE}/images"
    return [f"{folder}/{name}.json" for name in cast_sets(plan, experiment)]


def tables_of(plan: Plan, experiment: Experiment) -> list[str]:
    """Their tables of scores, in the same order."""
    folder = f"results/{experiment.name}/{LINE}/scores"
    return [f"{folder}/{name}.csv" for name in cast_sets(plan, experiment)]


def ceiling_spec(plan: Plan, experiment: Experiment, prompt_set: str) -> CeilingSpec:
    """What drawing a prompt set's casts is told: no steps or guidance, for nothing is rendered."""
    asked = experiment.prompt_sets[prompt_set]
    base = plan.bases[experiment.drawing_base(BASE_VARIANT, prompt_set)]
    return CeilingSpec(
        encoder=base.image_encoder(),
        name=prompt_set,
        families=_families(plan, experiment),
        characters={x: experiment.characters[x].name for x in _letters(experiment)},
        prompts={name: _whole(asked.full(name)) for name in asked.prompts},
        casts=experiment.casts[prompt_set],
    )


def _whole(prompt: Prompt) -> Prompt:
    """Every field set, so that all stand in canonical strings, but what only guidance reads."""
    return Prompt(**prompt.model_dump(exclude={"negative"}))


def _families(plan: Plan, experiment: Experiment) -> dict[str, int | None]:
    """Families of the drawn datasets by which the judge knows people -> traits in common; none
    where one family stands there with two numbers of them, for then nobody is one person."""
    drawn = [plan.datasets[name].lab for name in experiment.references]
    found = {(lab.family, lab.shared) for lab in drawn if lab and lab.family in FAMILIES}
    families = dict(sorted(found, key=lambda one: one[0]))
    return families if len(families) == len(found) else {}


def _letters(experiment: Experiment) -> list[str]:
    """The characters that some cast has."""
    asked = [cast for prompts in experiment.casts.values() for cast in prompts.values()]
    return sorted({letter for cast in asked for letter in cast.members})
