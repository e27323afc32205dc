"""What is not published: claims and figures that readers would take for more than they are.

Knows an experiment's log, figures and verdicts, and what was published of it before; changes
nothing. Each check adds what is wrong, where, and the cure to a list, so that all are said at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common.chained_log import Entry
from kindred.common.errors import Problems
from kindred.common.files import read_json
from kindred.common.hashing import spec_hash
from kindred.config.plan import Experiment, Plan
from kindred.evidence.amendments import spans
from kindred.report.published_tables import Line
from kindred.report.repository_pages import DECLARED

REFUTED = re.compile(r"(?<![\w-])refuted(?![\w-])", re.IGNORECASE)  # not within a name
FORMER = re.compile(r"\bclaim was .*?, is ")  # what a changed claim said, of amendments.py
PAIRING, RULES = "pairing", "rules"  # of verdicts.json: how arms are paired, how labels are found
FIGURES = ("run", "prompt_set", "pictures", "success", "identity")  # of runs.csv
GROUP = 3  # people asked for from whom on the picture's shape gives away who is meant


@dataclass(frozen=True)
class Publication:
    """What is to be published. results: the experiment's folder; runs: lines of runs.csv; page: the
    text of the report; entries: the log."""

    experiment: Experiment
    results: Path
    summary: Mapping[str, Any]
    verdicts: Mapping[str, Any]
    runs: Sequence[Line]
    page: str
    entries: Sequence[Entry]

    @property
    def where(self) -> str:
        """The file that most cures are written into."""
        return f"config/experiments/{self.experiment.name}.yaml"


def check(publication: Publication, problems: Problems) -> None:
    """Add everything for which this is not published."""
    for one in (_runs_again, _primaries, _groups, _words, _labels_on_photos):
        one(publication, problems)


def figures_of(runs: Sequence[Line]) -> dict[str, dict[str, str]]:
    """Variant -> run -> a hash of its figures, by which the same ones are known when they are
    published again. runs: lines of runs.csv."""
    found: dict[str, dict[str, list[list[str]]]] = {}
    for line in runs:
        own = found.setdefault(line["variant"], {}).setdefault(line["run"], [])
        own.append([line[key] for key in FIGURES])
    return {
        name: {run: spec_hash(sorted(lines))[:16] for run, lines in own.items()}
        for name, own in found.items()
    }


def _runs_again(publication: Publication, problems: Problems) -> None:
    """Runs that were published before: the same figures may be published again, no others."""
    now = figures_of(publication.runs)
    published = [one for one in publication.entries if one["kind"] == "published"]
    for name in now:
        earlier = [one for one in published if name in one["figures"]]
        other = {
            int(run): one["time"][:10]
            for one in earlier
            for run, figures in one["figures"][name].items()
            if now[name].get(run, figures) != figures and name in one["runs"]
        }
        if other:
            runs = (int(run) for one in earlier for run in one["figures"][name])
            problems.add(
                f"{publication.where}: variants.{name}",
                f"runs {spans(other)} were published on {max(other.values())} with different "
                "figures",
                f"train it again with new run numbers (`first_run: {max(runs) + 1}`)",
            )


def _primaries(publication: Publication, problems: Problems) -> None:
    """Primary hypotheses without their power, how arms are paired, and the rules of labels."""
    verdicts = publication.verdicts
    primary = [name for name, one in verdicts["hypotheses"].items() if one["primary"]]
    path = publication.results / "power.json"
    known = {*read_json(path)["hypotheses"]} if path.is_file() else set()
    lost = [name for name in primary if name not in known]
    if lost:
        problems.add(
            str(path),
            f"has no power for these primary hypotheses: {', '.join(lost)}",
            f"run `snakemake power --config experiments={publication.experiment.name}`",
        )
    without = [key for key in (PAIRING, RULES) if primary and not verdicts.get(key)]
    if without:
        problems.add(
            str(publication.results / "verdicts.json"),
            f"primary hypotheses lack {' and '.join(f'`{key}`' for key in without)}, which say "
            "how arms are paired and how labels are found",
            "run `snakemake`, which compares again with today's code",
        )


def _groups(publication: Publication, problems: Problems) -> None:
    """Figures of groups and casts without those of SCRAMBLED on the same prompts."""
    broken = {
        name
        for name, one in publication.summary["variants"].items()
        if one["control"].startswith("scrambled")
    }
    beside = {line["prompt_set"] for line in publication.runs if line["variant"] in broken}
    casts = publication.experiment.casts
    for name in sorted({line["prompt_set"] for line in publication.runs} - beside):
        prompts = publication.summary["prompt_sets"][name]["prompts"].values()
        most = max((len(one["asked"].split("+")) for one in prompts), default=0)
        if name in casts or most >= GROUP:
            problems.add(
                f"{publication.where}: prompt_sets.{name}",
                f"has figures of {'casts' if name in casts else 'a group'}, but no training on "
                "scrambled captions, which could be as good by the picture's shape alone",
                "add a variant with `control: {pairing: scrambled}`",
            )


def _words(publication: Publication, problems: Problems) -> None:
    """'refuted', which readers take for more than a difference that was not shown."""
    decided = publication.verdicts["hypotheses"]
    labels = [name for name, one in decided.items() if REFUTED.search(one["label"])]
    if labels:
        problems.add(
            str(publication.results / "verdicts.json"),
            f"the label of {', '.join(labels)} is 'refuted'",
            "run `snakemake`, which compares again with today's code",
        )
    claims = [name for name, one in decided.items() if REFUTED.search(one["claim"])]
    for name in claims:
        problems.add(
            f"{publication.where}: hypotheses.{name}.claim",
            "says 'refuted'",
            "write what is claimed, such as 'no difference larger than 10 points', and run "
            "`snakemake` again",
        )
    # What was changed is quoted word for word.
    page = FORMER.sub("", publication.page.partition(f"## {DECLARED}\n")[0])
    if REFUTED.search(page) and not (labels or claims):
        problems.add(
            str(publication.results / "report.md"),
            "says 'refuted'",
            "remove the word from title, question and claims, and run `snakemake` again",
        )


def _labels_on_photos(publication: Publication, problems: Problems) -> None:
    """Labels by a judge of photos, whose thresholds, confusions and false alarms are unknown."""
    judge = publication.experiment.judge
    if judge is not None and judge.kind != "lab" and publication.verdicts["hypotheses"]:
        problems.add(
            f"{publication.where}: judge",
            "labels on photos need a judge that was tested on these people, and Kindred can't "
            "run all of these tests yet: each photo left out, a threshold for each person, "
            "confusions within the family, false alarms of the base, blind ratings",
            "publish only figures: remove `hypotheses:`",
        )


def check_may_be_shown(
    plan: Plan, experiment: Experiment, summary: Mapping[str, Any], problems: Problems
) -> None:
    """Refuse what is made of real photos that are not to be shared, and results of which the
    configuration can't say so."""
    where = f"config/experiments/{experiment.file or experiment.name}.yaml"
    for part in _of_another_version(experiment, summary):
        problems.add(
            f"{where}: {part}",
            "the results belong to another version of this file",
            "restore the file with which they were made, or run `snakemake`",
        )
    if not experiment.hide_photos:
        used = {*experiment.references, *(v.root for v in experiment.variants.values() if v.root)}
        used |= {shown.dataset for shown in experiment.shown}
        for name in sorted(used):
            if plan.datasets[name].lab is None:
                problems.add(
                    f"{where}: datasets.{name}",
                    "these are photos of people, and Kindred does not publish what was made of "
                    "them without permission",
                    "if everybody in them agrees, write `hide_photos: true` into the experiment",
                )
        for variant in experiment.variants.values():
            if variant.files:
                problems.add(
                    f"{where}: variants.{variant.name}",
                    "draws with LoRAs trained elsewhere, perhaps on photos of people",
                    "if everybody in them agrees, write `hide_photos: true` into the experiment",
                )


def _of_another_version(experiment: Experiment, summary: Mapping[str, Any]) -> Iterator[str]:
    """The keys by which figures are not those that an experiment has now: variants that are gone,
    on other photos or with runs that are gone, and prompt sets that are gone."""
    for name, one in summary["variants"].items():
        known = experiment.variants.get(name)
        if known is None or one["dataset"] not in (known.dataset, known.root):
            yield f"variants.{name}"
        elif not {*one["runs"]} <= {*known.runs}:
            yield f"variants.{name}.runs"
    for name in summary["prompt_sets"]:
        if name not in experiment.prompt_sets:
            yield f"prompt_sets.{name}"
