"""Everything a report is made of, read from an experiment's folder and its datasets'.

Knows which files lie where and what is said when one is missing; knows nothing of pages. Paths of
pictures are kept, pictures are not opened here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError, Problems
from kindred.common.files import read_json, read_jsonl
from kindred.common.sentences import counted
from kindred.rendering.manifest import Manifest, Row, read_manifest
from kindred.report.copy_pairs import CopyPair, read_copy_pairs
from kindred.report.training_curves import Run, read_run
from kindred.scoring.score_table import read_scores
from kindred.specs.character import Character

SUMMARY_VERSION = 2
COMPARE_AGAIN = "run `snakemake`, which compares again"
Place = tuple[str, int, str, str, int]  # variant, run, prompt set, prompt name, seed


@dataclass(frozen=True)
class Photo:
    """A prepared photo, and the letters of the characters in it."""

    path: Path
    letters: tuple[str, ...]


@dataclass(frozen=True)
class ReportData:
    """An experiment's results. `scores` has the rows of kind image; `photos` is None when
    originals are to be left out; `power` says what the design could find, None where that was not
    forecast; `series` how kept steps compare, None where none are, and `copy_pairs` the pictures of
    the last steps that lie nearest to something trained on."""

    folder: Path
    summary: Mapping[str, Any]
    verdicts: Mapping[str, Any]
    scores: Mapping[Place, Mapping[str, str]]
    pictures: Mapping[Place, Row]
    settings: Mapping[str, Mapping[str, Any]]
    specs: Mapping[str, Mapping[str, Any]]
    trainings: Mapping[tuple[str, int], Mapping[str, Any]]
    curves: Mapping[tuple[str, int], Run]
    audits: Mapping[str, Mapping[str, Any]]
    photos: list[Photo] | None
    power: Mapping[str, Any] | None = None
    series: Mapping[str, Any] | None = None
    copy_pairs: Sequence[CopyPair] = ()

    @cached_property
    def characters(self) -> dict[str, Character]:
        """Letter -> character."""
        found = self.summary["characters"]
        return {letter: Character.model_validate(who) for letter, who in found.items()}

    @cached_property
    def names(self) -> dict[str, str]:
        """Letter -> trigger name."""
        return {letter: who.name for letter, who in self.characters.items()}

    @cached_property
    def variants(self) -> dict[str, Mapping[str, Any]]:
        """The summary of each variant: the baseline first, then what is tried, then controls,
        bases last."""
        return in_page_order(self.summary)

    @cached_property
    def hypotheses(self) -> dict[str, Mapping[str, Any]]:
        """What verdicts.json says of each hypothesis, the primary ones first."""
        found = self.verdicts["hypotheses"]
        return dict(sorted(found.items(), key=lambda item: not item[1]["primary"]))

    @property
    def prompts(self) -> list[tuple[str, str, str, str]]:
        """(prompt set, prompt name, text, cell asked for)."""
        return [
            (key, name, prompt["text"], prompt["asked"])
            for key, one in self.summary["prompt_sets"].items()
            for name, prompt in one["prompts"].items()
        ]

    @cached_property
    def seeds(self) -> dict[tuple[str, str], list[int]]:
        """(prompt set, prompt name) -> its seeds, in the order drawn."""
        found: dict[tuple[str, str], dict[int, None]] = {}
        for _, _, key, name, seed in self.pictures:
            found.setdefault((key, name), {})[seed] = None
        return {prompt: list(seeds) for prompt, seeds in found.items()}

    @cached_property
    def by_size(self) -> dict[int, list[str]]:
        """How many are asked for -> prompt sets that ask for so many, smallest first."""
        found: dict[int, list[str]] = {}
        for key, _, _, asked in self.prompts:
            if asked:
                sets = found.setdefault(asked.count("+") + 1, [])
                sets += [key] if key not in sets else []
        return dict(sorted(found.items()))


def in_page_order(summary: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The variants of a summary: the baseline first, then what is tried, then controls, bases
    last."""
    found = summary["variants"]

    def rank(name: str) -> tuple[int, str]:
        if name == summary["baseline"]:
            return 0, name
        one = found[name]
        return (3 if one["kind"] == "base" else 2 if one["control"] else 1), name

    return {name: found[name] for name in sorted(found, key=rank)}


def read_report_data(
    folder: Path,
    resources: Path,
    photos: bool,
    only_words: bool = False,
    series: bool = False,
) -> ReportData:
    """Read it all, with `series` also how kept steps compare; with `only_words` what words need,
    and of settings, logs and audits what is there: results may have been brought from another
    machine without them.

    Raises ProblemsError naming every file that is missing or of another version.
    """
    summary = read_versioned(folder / "summary.json")
    verdicts = read_versioned(folder / "verdicts.json")
    variants = summary["variants"]
    trained = {name: one for name, one in variants.items() if one["kind"] == "trained"}
    runs = [(name, run) for name, one in variants.items() for run in one["runs"]]
    of_training = [(name, run) for name, one in trained.items() for run in one["runs"]]
    datasets = sorted({one["dataset"] for one in trained.values() if one["dataset"]})
    if only_words:
        runs, of_training = _there(folder, runs, "images"), _there(folder, of_training, "lora.json")
        datasets = [name for name in datasets if (folder / "audit" / f"{name}.json").is_file()]
    pictures, settings = read_pictures(folder, runs, summary["prompt_sets"])

    scores = images_of(read_scores(folder / "scores.csv"))
    check_keys(scores, pictures, folder)

    def of_run(run: tuple[str, int], file: str) -> Path:
        return folder / run[0] / f"run-{run[1]}" / file

    compared = read_json(folder / "series.json") if series and not only_words else None
    return ReportData(
        folder,
        summary,
        verdicts,
        scores,
        pictures,
        settings,
        {name: read_json(folder / name / "spec.json") for name in trained},
        {run: read_json(of_run(run, "lora.json")) for run in of_training},
        {run: read_run(run[0], of_run(run, "training.csv")) for run in of_training},
        {name: read_json(folder / "audit" / f"{name}.json") for name in datasets},
        [photo for name in datasets for photo in read_photos(resources / name)] if photos else None,
        _power(folder / "power.json") if verdicts["hypotheses"] else None,  # of former claims
        compared,
        read_copy_pairs(compared, folder, resources) if compared and photos else [],
    )


def _power(path: Path) -> Mapping[str, Any] | None:
    """What the design could find; None where that was not forecast, or nothing is claimed."""
    found = read_json(path) if path.is_file() else None
    return found if found and found["hypotheses"] else None


def _there(folder: Path, runs: Sequence[tuple[str, int]], file: str) -> list[tuple[str, int]]:
    """The runs that have a file, or folder, of this name."""
    return [run for run in runs if (folder / run[0] / f"run-{run[1]}" / file).exists()]


def images_of(rows: Iterable[Mapping[str, str]]) -> dict[Place, Mapping[str, str]]:
    """The rows of kind image of a table of scores by their place."""
    return {
        (row["variant"], int(row["run"]), row["prompt_set"], row["prompt"], int(row["seed"])): row
        for row in rows
        if row["kind"] == "image"
    }


def check_keys(
    scores: Mapping[Place, Mapping[str, str]], pictures: Mapping[Place, Row], folder: Path
) -> None:
    """Refuse scores of other pictures than those listed: words must not stand under a picture that
    they were not said of. Raises ProblemsError."""
    problems = Problems("scores and pictures don't belong together")
    lists: dict[str, int] = {}
    for place, row in scores.items():
        if place in pictures and pictures[place].key != row["key"]:
            variant, run, prompt_set, _, _ = place
            path = str(folder / variant / f"run-{run}" / "images" / f"{prompt_set}.json")
            lists[path] = lists.get(path, 0) + 1
    for path, count in lists.items():
        cure = (
            "delete the table of scores that belongs to it and run `snakemake`, which scores again"
        )
        what = f"{counted(count, 'picture differs', 'pictures differ')} from those that were scored"
        problems.add(path, what, cure)
    problems.raise_if_any()


def read_photos(dataset: Path) -> list[Photo]:
    """A dataset's prepared photos, each in its largest size, those with fewest people first."""
    who = {
        row["id"]: tuple(sorted(row["characters"]))
        for row in read_jsonl(dataset / "captions.jsonl")
    }
    largest: dict[str, Mapping[str, Any]] = {}
    for row in sorted(read_json(dataset / "images.json"), key=lambda r: r["width"] * r["height"]):
        if row["image_id"] in who:
            largest[row["photo"]] = row
    ids = sorted((row["image_id"] for row in largest.values()), key=lambda i: (len(who[i]), i))
    return [Photo(dataset / "images" / f"{name}.png", who[name]) for name in ids]


def read_versioned(path: Path) -> Any:
    """summary.json or verdicts.json. Raises KindredError when missing or of another version."""
    value = read_json(path)
    found = value.get("version") if isinstance(value, dict) else None
    if found != SUMMARY_VERSION:
        what = f"has version {found}, but this program reads {SUMMARY_VERSION}"
        raise KindredError(what, str(path), COMPARE_AGAIN)
    return value


def read_pictures(
    folder: Path, runs: Sequence[tuple[str, int]], prompt_sets: Iterable[str]
) -> tuple[dict[Place, Row], dict[str, Mapping[str, Any]]]:
    """Every picture by its place, and the settings that each variant draws with, from the lists of
    pictures of (variant, run) pairs. Raises ProblemsError naming every list that can't be read."""
    problems, pictures, settings = Problems("lists of pictures can't be read"), {}, {}
    for variant, run in runs:
        for key in prompt_sets:
            path = folder / variant / f"run-{run}" / "images" / f"{key}.json"
            try:
                manifest: Manifest = read_manifest(path)
            except KindredError as error:
                problems.add_error(str(path), error)
                continue
            told = {**manifest.settings, "adapters": manifest.adapters}
            settings.setdefault(variant, told)
            for row in manifest.rows:
                pictures[variant, run, key, row.name, row.seed] = row
    problems.raise_if_any()
    return pictures, settings
