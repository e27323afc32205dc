"""From the files under config/ to a plan, or to every problem they have, all at once.

Knows which file refers to which; what a wrong reference means for a person. Knows nothing of jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kindred.common.errors import Problem, Problems, did_you_mean
from kindred.config.albums import file_of, read_experiments
from kindred.config.config_files import ConfigFiles
from kindred.config.device_fit import check_device
from kindred.config.experiment import resolve_experiment
from kindred.config.plan import Dataset, Experiment, Plan
from kindred.config.user_schema import NAME, NAME_RULE, ExperimentConfig, MainConfig
from kindred.config.variant_names import check_names
from kindred.config.yaml_document import Document, read_document
from kindred.specs.composites import MaskSpec

HEADING = "The configuration needs your attention"
# Sections whose entries are looked at each by itself, so that one mistake hides no other.
ENTRIES = ("variants", "prompt_sets", "hypotheses")


def load_plan(
    root: Path, overrides: Mapping[str, Any] | None = None, config: Path | None = None
) -> Plan:
    """Read config/config.yaml below `root` and all it names; `overrides` replace its top keys.
    `config`: the folder to read in place of config/; all that it names still lies below `root`.

    Raises ProblemsError with every problem found.
    """
    config_files = ConfigFiles(root, Problems(HEADING), config=config)
    main = _main(config_files, overrides or {})
    experiments: dict[str, Experiment] = {}
    datasets: dict[str, Dataset] = {}
    masks: dict[str, MaskSpec] = {}
    file = "--config" if "experiments" in (overrides or {}) else config_files.folder / "config.yaml"
    for name in main.experiments if main else ():
        for experiment, used in _experiments(config_files, name.strip(), f"{file}: experiments"):
            experiments[experiment.name] = experiment
            _share(config_files.problems, datasets, used, experiment.name)
            _share_masks(config_files.problems, masks, experiment)
            if main:
                check_device(main.device, experiment, config_files.bases, config_files.problems)
    check_names(experiments, config_files.problems)
    config_files.problems.raise_if_any()
    assert main is not None
    bases = {name for experiment in experiments.values() for name in experiment.bases}
    used = {name: config_files.bases[name] for name in bases}
    warnings = tuple(config_files.problems.warnings)
    told = main.device, main.lab, masks, warnings, main.why
    drawing = {name: config_files.drawing[name] for name in bases}
    comfyui = {name: config_files.comfyui[name] for name in bases}
    return Plan(experiments, datasets, used, *told, drawing, comfyui, main.tracker)


def _main(config_files: ConfigFiles, overrides: Mapping[str, Any]) -> MainConfig | None:
    document = read_document(config_files.folder / "config.yaml", config_files.problems)
    if document is None:
        return None
    told = Document(document.path, dict(overrides), {}, frozenset(overrides))
    for one in (document, told):
        one.rename_old_keys(MainConfig, config_files.problems)
    merged = dict(document.data)
    for key, value in told.data.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = {**merged[key], **value} if both else value
    given = Document(document.path, merged, document.lines, frozenset(overrides))
    return given.validate(MainConfig, config_files.problems)


def _experiments(
    config_files: ConfigFiles, name: str, where: str
) -> list[tuple[Experiment, dict[str, Dataset]]]:
    """An experiment by its name; of a file with albums, one an album."""
    known = config_files.names("experiments")
    if file_of(config_files.folder, name) not in known:
        config_files.problems.add(
            where,
            f"no file config/experiments/{name}.yaml",
            did_you_mean(name, known),
        )
        return []
    if not NAME.match(name):
        path = config_files.folder / "experiments" / f"{name}.yaml"
        config_files.problems.add(str(path), "its name can't be the name of a folder", NAME_RULE)
        return []
    found = []
    for one, document in read_experiments(config_files.folder, name, config_files.problems):
        problems = config_files.problems
        config, partial = document.validate_rest(ExperimentConfig, problems, ENTRIES)
        if config:
            known = len(problems.found)
            experiment, used = resolve_experiment(document, config, one, config_files)
            problems.found[known:] = [x for x in problems.found[known:] if not _of(x, partial)]
            found.append((replace(experiment, file=document.path.stem), used))
    return found


def _of(problem: Problem, entries: Iterable[str]) -> bool:
    """Whether a problem is one of entries that were read in part."""
    place = problem.where.rsplit(": ", 1)[-1]
    return any(place == entry or place.startswith(f"{entry}.") for entry in entries)


def _share(
    problems: Problems, datasets: dict[str, Dataset], used: dict[str, Dataset], experiment: str
) -> None:
    """Datasets lie in one folder each for all experiments, so equal names must mean the same."""
    for name, dataset in used.items():
        if datasets.setdefault(name, dataset) != dataset:
            problems.add(
                f"experiment {experiment}: datasets.{name}",
                "another experiment describes a dataset of this name differently",
                "make both the same (characters too), or rename one",
            )


def _share_masks(problems: Problems, masks: dict[str, MaskSpec], experiment: Experiment) -> None:
    """People are looked for once in a dataset, so for all experiments by the same means."""
    for name, spec in experiment.masks.items():
        if masks.setdefault(name, spec) != spec:
            problems.add(
                f"experiment {experiment.name}: datasets.{name}",
                "another experiment finds people's outlines in these photos in another way",
                "give both the same `segmenter` and `judge`, or rename the dataset",
            )
