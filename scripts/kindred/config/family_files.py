"""Files in config/families: experiments that are compared together, a family each.

Knows which files there are and what a wrong one means for a person; compares nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from kindred.common.errors import Problems, did_you_mean
from kindred.config.albums import experiment_names, made_of
from kindred.config.user_schema import NAME, NAME_RULE
from kindred.config.yaml_document import read_document
from kindred.specs.families import FamiliesSpec

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
    problems.raise_if_any()
    return found


def comparable(specs: dict[str, FamiliesSpec], experiments: Collection[str]) -> list[str]:
    """Names of the files all of whose experiments are configured."""
    return [name for name, one in specs.items() if {*one.families} <= {*experiments}]


def _read(path: Path, known: Collection[str], problems: Problems) -> FamiliesSpec | None:
    if not NAME.match(path.stem):
        problems.add(str(path), "its name is unfit for a folder", NAME_RULE)
        return None
    document = read_document(path, problems)
    spec = document.validate(FamiliesSpec, problems) if document else None
    if document is None or spec is None:
        return None
    for name in spec.families:
        if name not in known:
            where, what = document.where("families"), f"no file config/experiments/{name}.yaml"
            problems.add(where, what, did_you_mean(name, known))
    if len({*spec.families}) < len(spec.families):
        what = "names an experiment twice"
        problems.add(document.where("families"), what, "a family counts once: name it once")
    for key, one in spec.hypotheses.items():
        if one.paired:
            problems.add(
                document.where("hypotheses", key, "paired"),
                "runs are not compared here, a family is the unit",
                "take `paired` out",
            )
    return spec
