"""Files in config/families: experiments that are compared together, a family each.

Knows which files there are and what a wrong one means for a person; compares nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kindred.common.errors import Problems, did_you_mean
from kindred.config.albums import experiment_names, made_of
from kindred.config.plan import Experiment
from kindred.config.user_schema import NAME, NAME_RULE
from kindred.config.yaml_document import read_document
from kindred.specs.scoring import Hypothesis

if TYPE_CHECKING:
    from kindred.specs.families import FamiliesSpec, Limit

HEADING = "The families need your attention"


def family_specs(config: Path) -> dict[str, FamiliesSpec]:
    """Name -> what each file in families/ below the folder `config` says. Raises ProblemsError with
    every problem found."""
    problems, found = Problems(HEADING), {}
    paths = sorted((config / "families").glob("*.yaml"))
    known = experiment_names(config) if paths else set()
    for path in paths:
        if spec := _read(path, known, problems):
            each = [one for name in spec.families for one in made_of(config, name) or [name]]
            found[path.stem] = spec.model_copy(update={"families": each})
            _about_known(str(path), found[path.stem], problems)
    problems.raise_if_any()
    return found


def asked(config: Path, experiments: Collection[str]) -> dict[str, FamiliesSpec]:
    """Of `family_specs` those all of whose experiments are configured. Where no file can be one of
    these, each is looked at only so far as to know that. Raises ProblemsError as `family_specs`
    does."""
    if not any(_may_be_asked(path, experiments) for path in (config / "families").glob("*.yaml")):
        return {}
    found = family_specs(config)
    return {name: found[name] for name in comparable(found, experiments)}


def _may_be_asked(path: Path, experiments: Collection[str]) -> bool:
    """Whether all experiments of a file may be configured, or it has a mistake that nobody would be
    told of otherwise."""
    document = read_document(path, Problems())
    named = document.data.get("families") if document else None
    if not isinstance(named, list):
        return True
    names, files = {str(name) for name in named}, path.parents[1] / "experiments"
    parts = {one for name in experiments for one in _heads(name)}
    there = {name for name in names if any((files / f"{x}.yaml").exists() for x in _heads(name))}
    return names <= parts or there != names


def _heads(name: str) -> list[str]:
    """An experiment's name, and those that the file may have of which it is an album."""
    parts = name.split("-")
    return ["-".join(parts[:end]) for end in range(len(parts), 0, -1)]


def comparable(specs: dict[str, FamiliesSpec], experiments: Collection[str]) -> list[str]:
    """Names of the files all of whose experiments are configured."""
    return [name for name, one in specs.items() if {*one.families} <= {*experiments}]


def _read(path: Path, known: Collection[str], problems: Problems) -> FamiliesSpec | None:
    if not NAME.match(path.stem):
        problems.add(str(path), "its name can't be the name of a folder", NAME_RULE)
        return None
    from kindred.specs.families import FamiliesSpec  # planning, which is frequent, rarely needs it

    document = read_document(path, problems)
    spec = document.validate(FamiliesSpec, problems) if document else None
    if document is None or spec is None:
        return None
    for name in spec.families:
        if name not in known:
            where, what = document.where("families"), f"no file config/experiments/{name}.yaml"
            problems.add(where, what, did_you_mean(name, known))
    if len({*spec.families}) < len(spec.families):
        what = "lists an experiment twice"
        problems.add(document.where("families"), what, "list each family once")
    if path.stem in known and not made_of(path.parents[1], path.stem):
        what = f"an experiment is also called '{path.stem}', and both would write the same log"
        problems.add(str(path), what, "rename this file")
    for name in spec.sequence:
        if name not in spec.hypotheses or not spec.hypotheses[name].primary:
            where, known = document.where("sequence"), _primary(spec)
            what = f"'{name}' is not a primary hypothesis of this file"
            problems.add(where, what, did_you_mean(name, known))
    for key, one in spec.hypotheses.items():
        if one.paired:
            problems.add(
                document.where("hypotheses", key, "paired"),
                "`paired` compares single runs, but here the unit is a family",
                "remove `paired`",
            )
    return spec


def _primary(spec: FamiliesSpec) -> list[str]:
    return [name for name, one in spec.hypotheses.items() if one.primary]


def _about_known(path: str, spec: FamiliesSpec, problems: Problems) -> None:
    """Note every hypothesis that is about a family which its file does not name."""
    for key, one in spec.hypotheses.items():
        for name in sorted({*one.families} - {*spec.families}):
            where = f"{path}: hypotheses.{key}.families"
            what = f"'{name}' is not one of this file's families"
            problems.add(where, what, did_you_mean(name, spec.families))


def check_asked(specs: Mapping[str, FamiliesSpec], experiments: Mapping[str, Experiment]) -> None:
    """Raise ProblemsError for every variant and prompt set that a file asks for and one of its
    experiments lacks. specs: those all of whose experiments are there."""
    problems = Problems(HEADING)
    for file, spec in specs.items():
        asked: list[tuple[str, Hypothesis | Limit, Collection[str]]] = [
            (f"hypotheses.{key}", one, one.families or spec.families)
            for key, one in spec.hypotheses.items()
        ]
        for part, limits in (("gates", spec.gates), ("reach", spec.reach)):
            asked += [(f"{part}.{key}", one, spec.families) for key, one in limits.items()]
        for place, one, names in asked:
            where = f"config/families/{file}.yaml: {place}"
            for name in names:
                _check_one(where, one, experiments[name], problems)
    problems.raise_if_any()


def _check_one(
    where: str, one: Hypothesis | Limit, experiment: Experiment, problems: Problems
) -> None:
    known = (
        *(("variant", name, experiment.variants) for name in (one.variant, one.against) if name),
        ("prompt set", one.prompt_set, experiment.prompt_sets),
    )
    for kind, name, names in known:
        if name not in names:
            what = f"experiment {experiment.name} has no {kind} '{name}'"
            problems.add(where, what, did_you_mean(name, names))
