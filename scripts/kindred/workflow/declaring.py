"""Declaring an experiment, or the claims about several families, in its log.

Knows which log and which results belong to a name; what an entry says is in
evidence/preregistration.py.
"""

from __future__ import annotations

from pathlib import Path

from kindred.common.chained_log import Entry
from kindred.common.errors import KindredError
from kindred.common.experiment_log import in_families, log_path
from kindred.common.planned_config import planned_config
from kindred.config.declaration import declaration_of, families_declaration
from kindred.config.family_files import family_specs
from kindred.evidence.preregistration import Found, preregister, runs_looked_at
from kindred.specs.families import FamiliesSpec
from kindred.training.start_marker import trainings_begun
from kindred.workflow.family_jobs import declared_with
from kindred.workflow.frozen_plan import planned

EARLIER = Path("resources/store/declared")  # logs of an older form
RESULTS = Path("results")


def declare(name: str, why: str) -> tuple[list[Entry], int]:
    """(All entries of the log, how many hypotheses) after declaring an experiment or a file of
    config/families. An experiment that claims nothing and is one of such a file's has no log.

    Raises KindredError for a name of neither, ProblemsError for mistakes in files.
    """
    spec = family_specs(planned_config()).get(name)
    return _experiment(name, why) if spec is None else _families(name, spec, why)


def _experiment(name: str, why: str) -> tuple[list[Entry], int]:
    plan, config = planned([name])
    if name not in plan.experiments:
        raise KindredError(
            f"the plan has no experiment {name}",
            str(config),
            "run `snakemake` again, and check the experiment's name",
        )
    experiment = plan.experiments[name]
    if declared_with(config, experiment):
        return [], 0
    now = declaration_of(plan, experiment, config, why)
    found = _found(name)
    entries = preregister(log_path(name), now, found, EARLIER / f"{name}.jsonl")
    return entries, len(experiment.hypotheses)


def _families(name: str, spec: FamiliesSpec, why: str) -> tuple[list[Entry], int]:
    plan, config = planned(spec.families)
    now = families_declaration(plan, name, spec, config, why)
    each = {one: _found(one) for one in spec.families}
    begun = {in_families(one, v): runs for one in each for v, runs in each[one].begun.items()}
    looked = {in_families(one, v): runs for one in each for v, runs in each[one].looked.items()}
    entries = preregister(log_path(name), now, Found(begun, looked))
    return entries, len(spec.hypotheses)


def _found(experiment: str) -> Found:
    results = RESULTS / experiment
    return Found(trainings_begun(results), runs_looked_at(results))
