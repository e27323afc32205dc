"""Writes the experiment files for a folder of photos, where there are none yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kindred.common.errors import KindredError, Problems
from kindred.common.files import write_text
from kindred.compute import nvml
from kindred.compute.memory_limit import GIB
from kindred.config.amounts_told import FIRST_LOOK
from kindred.config.base_config import DrawingDefaults
from kindred.config.config_files import ConfigFiles
from kindred.config.user_schema import NAME, NAME_RULE
from kindred.judges.version import installed
from kindred.models import hub
from kindred.models.identity import is_local
from kindred.specs.base_model import Base
from kindred.specs.judge import JUDGES
from kindred.starting import base_choice, estimates
from kindred.starting.experiment_text import NewExperiment, experiment_text, first_look_text
from kindred.starting.folder_survey import FolderSurvey

OTHERS = 5  # other bases that are told of


def gpu_gib() -> float:
    """The size of the smallest GPU here, GiB; 0 without one."""
    return min(nvml.totals().values(), default=0) / GIB


def new_experiment(
    root: Path, folder: str, name: str, found: FolderSurvey, gpu: float | None, base: str | None
) -> NewExperiment:
    """What the files for a folder say, without an estimate. gpu: GiB of the card that it is for;
    None: of the one here.

    Raises KindredError where there is no GPU and none is named, and as `chosen_base` does.
    """
    if base == base_choice.LAB:
        chosen = base_choice.lab_base(root)
        return NewExperiment(name, folder, found, chosen, DrawingDefaults(), 0)
    card = gpu or gpu_gib()
    if not card:
        raise KindredError(
            "there is no NVIDIA GPU here, and the bases for photos need one",
            "--gpu",
            "give the size of the card on which it will run, in GiB, such as `--gpu 12` "
            '(with make: `NEW="--gpu 12"`); or try everything with drawings on the miniature '
            "base: `--base lab`",
        )
    fitting = base_choice.fitting_bases(root, card)
    chosen = base_choice.chosen_base(root, card, base, fitting)
    files = ConfigFiles(root, Problems())
    files.base(chosen.name, "--base")
    others = [one for one in fitting if one.name != chosen.name]
    told = base_choice.listed(others[:OTHERS])
    return NewExperiment(name, folder, found, chosen, files.drawing[chosen.name], card, told)


def with_estimate(new: NewExperiment, root: Path, timed: bool) -> NewExperiment:
    """With lines of what it takes. timed: whether to time steps on this GPU; else by the first
    look where it has run, or by arithmetic."""
    if timed:
        measured = estimates.timed_steps(new.base, new.memory_gib)
    else:
        measured = estimates.of_first_look(root / f"results/{new.name}{FIRST_LOOK}")
    files = ConfigFiles(root, Problems())
    files.base(new.base.name, "--base")
    download = 0.0 if new.lab else files.downloads[new.base.name]
    found = estimates.estimate(new.base, new.amounts, new.memory_gib, download, measured)
    gated = _to_accept(new.base.base.model, root, files.gated[new.base.name])
    judge = [] if new.lab else _judge_missing()
    return replace(new, estimate=[*gated, *judge, *_version(new.base.base), *found.lines()])


def _judge_missing() -> list[str]:
    """What a person has to do before faces can be judged, where people were read from folders and
    `make who` needed no judge yet."""
    if all(map(installed, JUDGES["photo"].packages)):
        return []
    return ["judge: its packages are missing. Run `make photo` before the first run"]


def _to_accept(model: str, root: Path, licence: str | None) -> list[str]:
    """What a person has to do before a base can be downloaded, where it has to be."""
    if licence is None or is_local(str(root / model)):
        return []
    page = f"https://huggingface.co/{model}"
    return [
        f"licence: {licence}. Accept it on {page} and run `.venv/bin/hf auth login` before the "
        "first run"
    ]


def _version(base: Base) -> list[str]:
    """Which version of a base is here, where its file names none and it was downloaded."""
    commit = None if base.revision else hub.known_commit(base.model, None)
    return [f"version of the base: {hub.pinning(commit)}"] if commit else []


def _paths(name: str, root: Path) -> tuple[Path, Path]:
    folder = root / "config/experiments"
    return folder / f"{name}.yaml", folder / f"{name}{FIRST_LOOK}.yaml"


def _is_value(name: str) -> bool:
    """Whether Snakemake's --config reads a name as a number or as true or false."""
    try:
        float(name)
    except ValueError:
        return name.casefold() in ("true", "false")
    return True


def refuse_existing(name: str, root: Path, replaced: bool) -> None:
    """Raise KindredError for a name that no experiment can have, and where the files of
    `write_files` are there and may not be replaced."""
    if not NAME.match(name):
        cure = f'choose one with `--name ours` (with make: `NEW="--name ours"`): {NAME_RULE}'
        raise KindredError(f"'{name}' can't be the name of an experiment", "--name", cure)
    if _is_value(name):
        raise KindredError(
            f"'{name}' can't be the name of an experiment: Snakemake would read a value of its own",
            "--name",
            f"choose another name, such as photos-{name}",
        )
    there = [str(path.relative_to(root)) for path in _paths(name, root) if path.exists()]
    if there and not replaced:
        raise KindredError(
            "already exists",
            " and ".join(there),
            "choose another name with --name, or replace it with --force",
        )


def write_files(new: NewExperiment, root: Path) -> list[Path]:
    """The experiment and the first look at it, below config/experiments; what is there is
    replaced."""
    paths = _paths(new.name, root)
    for path, text in zip(paths, (experiment_text(new), first_look_text(new)), strict=True):
        write_text(path, text)
    return list(paths)
