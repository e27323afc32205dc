"""What steps over several families are told, and where their files lie.

Knows plans and files of config/families; knows nothing of rules or figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kindred.common.hashing import spec_hash
from kindred.config.declaration import families_design
from kindred.config.family_files import family_specs
from kindred.config.plan import Experiment, Plan
from kindred.specs.families import FamiliesSpec
from kindred.specs.measures import MEASURES
from kindred.specs.power import FamiliesPowerSpec, FamilyDesign
from kindred.specs.report import FamilyPictures, WhoIsItSpec
from kindred.specs.scoring import Hypothesis
from kindred.workflow import paths
from kindred.workflow.scoring_specs import asked_prompts, trainings

Specs = Mapping[str, FamiliesSpec]


def scores_compared(name: str, spec: FamiliesSpec) -> list[str]:
    """The scores that are read where copies may have to leave or people answered; none else."""
    read = spec.copies or answers_of(name)
    return [f"results/{one}/scores.csv" for one in spec.families] if read else []


def answers_of(name: str, root: Path = Path(".")) -> list[str]:
    """What people's answers about pictures were saved as, beside the file of the families."""
    folder = root / "config" / "families"
    return sorted(path.relative_to(root).as_posix() for path in folder.glob(f"{name}.who*.csv"))


def who_spec(plan: Plan, name: str, spec: FamiliesSpec) -> WhoIsItSpec:
    """Of whose pictures people say who is in them: of all variants that claims and limits are
    about, in the families whose photos may be shown."""
    about = [*spec.hypotheses.values(), *spec.gates.values(), *spec.reach.values()]
    variants = {x for one in about for x in (one.variant, one.against) if x}
    sets = sorted({one.prompt_set for one in about})
    shown = [plan.experiments[x] for x in spec.families if not plan.experiments[x].hide_photos]
    return WhoIsItSpec(
        name=name,
        title=spec.title,
        prompt_sets=sets,
        families={
            one.name: FamilyPictures(
                characters=one.characters,
                runs={x: list(v.runs) for x, v in one.variants.items() if x in variants},
                datasets=one.photos_trained_on,
                clothes=_clothes(one, sets),
            )
            for one in shown
        },
    )


def _clothes(experiment: Experiment, prompt_sets: Sequence[str]) -> list[str]:
    casts = (experiment.casts.get(name, {}) for name in prompt_sets)
    return [prompt for own in casts for prompt, cast in own.items() if cast.wears]


def who_inputs(plan: Plan, spec: FamiliesSpec) -> list[str]:
    """What the page about these pictures is made of."""
    shown = [plan.experiments[x] for x in spec.families if not plan.experiments[x].hide_photos]
    return [
        path for one in shown for path in (*paths.lists_of_pictures(one), *paths.photos_of(one))
    ]


def families_hash(plan: Plan, spec: FamiliesSpec) -> str:
    """Hex SHA-256 of all that is declared of families."""
    return spec_hash(families_design(plan, spec))


def declared_with(config: Path, experiment: Experiment) -> list[str]:
    """The files of config/families that an experiment is in, where it claims nothing itself: there
    it is declared, and not in a log of its own."""
    if experiment.hypotheses:
        return []
    specs = family_specs(config)
    return [name for name, one in specs.items() if experiment.name in one.families]


def power_spec(plan: Plan, name: str, spec: FamiliesSpec) -> FamiliesPowerSpec:
    """The designs of all families, as far as claims about them go."""
    return FamiliesPowerSpec(
        name=name,
        hypotheses={key: Hypothesis(**_claim(one)) for key, one in spec.hypotheses.items()},
        sequence=spec.sequence,
        designs={
            key: {
                family: _design(plan.experiments[family], one)
                for family in _families(one.families, spec)
            }
            for key, one in spec.hypotheses.items()
        },
    )


def _claim(one: Hypothesis) -> dict[str, object]:
    return one.model_dump(mode="json", exclude_unset=True, exclude={"families"})


def _families(own: Sequence[str], spec: FamiliesSpec) -> Sequence[str]:
    return own or spec.families


def _design(experiment: Experiment, one: Hypothesis) -> FamilyDesign:
    first, second = (trainings(experiment.variants[x]) for x in (one.variant, one.against))
    asked = asked_prompts(experiment, one.prompt_set)
    return FamilyDesign(
        runs=(first, second),
        casts=list(asked.of_each.values()),
        pictures=asked.per_prompt,
        strata=asked.strata,
        macro=MEASURES[one.measure].macro,
    )
