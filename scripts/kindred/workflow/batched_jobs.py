"""An experiment's trainings as one list: what scripts/train_batched.py is told, and what it reads.

Knows the layout of results/ and resources/ through paths.py; each training reads what rule
`train` gives it. Knows nothing of how trainings are stacked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kindred.common.errors import KindredError
from kindred.config.plan import Experiment, Plan, Variant
from kindred.specs.batched_jobs import RenderJob, RenderJobs, ScoreJob, ScoreJobs
from kindred.specs.spec_model import SpecModel
from kindred.specs.step_series import SELECTION, step_file
from kindred.workflow import calibrated, paths, scoring_specs

# The folder of a job that trains several together, in its experiment's: all, or a part of them.
TOGETHER = r"together(/\d+-of-\d+)?"
Dealt = Mapping[str, Sequence[int]]  # names of variants -> the runs that are trained


def folders_together(experiment: Experiment, jobs: int) -> list[str]:
    """The folders of the jobs to which an experiment's trainings are dealt: `together` for one."""
    count = len(deal(experiment, jobs))
    if count == 1:
        return ["together"]
    return [f"together/{number}-of-{count}" for number in range(1, count + 1)]


def dealt_to(experiment: Experiment, folder: str) -> Dealt:
    """What the job of such a folder trains. Raises KindredError when there is no such part."""
    number, _, count = folder.removeprefix("together").lstrip("/").partition("-of-")
    parts = deal(experiment, int(count or 1))
    if not 1 <= int(number or 1) <= len(parts) == int(count or 1):
        raise KindredError(
            f"no job of this name has its trainings: {folder}",
            experiment.name,
            "run `snakemake trained_together`",
        )
    return parts[int(number or 1) - 1]


def deal(experiment: Experiment, jobs: int) -> list[dict[str, list[int]]]:
    """An experiment's trainings in at most so many parts of about equal work, none empty.

    Trainings in the order in which they are stacked are cut into pieces, so that few stacks are
    cut. Those that are equal, which are trained once, stay together.
    """
    if jobs == 1 or not experiment.trained:
        return [{one.name: list(one.runs) for one in experiment.trained}]
    equal: dict[tuple[str, int], list[tuple[Variant, int]]] = {}
    for variant in experiment.trained:
        for run in variant.runs:
            equal.setdefault((variant.spec, run), []).append((variant, run))
    ordered = sorted(equal.values(), key=lambda group: _stacked_as(*group[0]))
    work = [_work(group[0][0]) for group in ordered]
    jobs, total, before = min(jobs, len(ordered)), sum(work), 0
    parts: list[dict[str, list[int]]] = []
    for number, (group, steps) in enumerate(zip(ordered, work, strict=True)):
        wanted = (2 * before + steps) * jobs // (2 * total) + 1  # by the middle of its work
        left = len(ordered) - number
        if not parts or ((len(parts) < wanted or left == jobs - len(parts)) and len(parts) < jobs):
            parts.append({})
        for variant, run in group:
            parts[-1].setdefault(variant.name, []).append(run)
        before += steps
    return parts


def _stacked_as(variant: Variant, run: int) -> tuple[Any, ...]:
    """Trainings that can be one stack stand together, the longest first."""
    recipe = variant.train.recipe
    files = tuple(_files(variant).values())
    return variant.base, recipe.batch, files, -recipe.steps, recipe.rank, run


def _work(variant: Variant) -> int:
    """Pictures that a training looks at."""
    return variant.train.recipe.steps * variant.train.recipe.batch


def training_jobs(experiment: Experiment, folder: str = "together") -> str:
    """All trainings of a job as canonical JSON: the files read -> the variants' folders -> their
    runs.

    Raises KindredError when it is too long for a command line (some thousands of variants).
    """
    dealt = dealt_to(experiment, folder)
    entries: dict[tuple[tuple[str, str], ...], dict[str, list[int]]] = {}
    for variant in _trained(experiment, dealt):
        folders = entries.setdefault(tuple(_files(variant).items()), {})
        folders[f"results/{experiment.name}/{variant.name}"] = list(dealt[variant.name])
    drawing = {"samples": paths.samples_file(experiment)} if experiment.samples else {}
    told: list[dict[str, Any]] = [
        {**dict(files), "folders": folders, **drawing} for files, folders in entries.items()
    ]
    return argument(
        json.dumps(told, sort_keys=True, separators=(",", ":")),
        KindredError(
            "there are too many variants to train together in one command",
            experiment.name,
            "run `snakemake` without trained_together, so that each training runs alone",
        ),
    )


def read_by(experiment: Experiment, folder: str = "together") -> list[str]:
    """Every file that some training of a job reads, each once."""
    variants = _trained(experiment, dealt_to(experiment, folder))
    specs = [f"results/{experiment.name}/{variant.name}/spec.json" for variant in variants]
    files = [path for variant in variants for path in _files(variant).values()]
    return list(dict.fromkeys(specs + files))


def bases_of(experiment: Experiment, folder: str) -> list[str]:
    """Names of the bases that a job trains on."""
    return sorted({one.base for one in _trained(experiment, dealt_to(experiment, folder))})


def _trained(experiment: Experiment, dealt: Dealt) -> list[Variant]:
    return [variant for variant in experiment.trained if variant.name in dealt]


def _files(variant: Variant) -> dict[str, str]:
    """The files one training reads besides its spec, by train.py's options."""
    encoded = paths.encoded_folder(variant)
    found = {
        "images": f"resources/{variant.dataset}/images.json",
        "captions": f"resources/{variant.dataset}/captions.jsonl",
        "latents": f"{encoded}/latents.safetensors",
        "text": f"{encoded}/text-{variant.text_tokens}.safetensors",
    }
    given = [*paths.class_image_files(variant), *paths.further_files(variant)]
    return found | {name.removeprefix("--").replace("-", "_"): path for name, path in given}


# Of one word; Linux takes 128 KiB of a whole command.
LONGEST = 100_000


def argument(text: str, otherwise: KindredError) -> str:
    """The text itself. Raises `otherwise` when it is too long."""
    if len(text.encode()) > LONGEST:
        raise otherwise
    return text


def render_jobs(plan: Plan, experiment: str, variant: str) -> RenderJobs:
    """All renderings of a variant: every prompt set by every run."""
    sets = plan.experiments[experiment].prompt_sets
    jobs = []
    for run, folder in _runs(plan, experiment, variant):
        adapters = paths.adapters_of(plan, experiment, variant, str(run))
        for name in sets:
            given: dict[str, Any] = {"adapters": adapters} if adapters else {}
            prompts = paths.prompts_of(plan, experiment, variant, name)
            out = f"{folder}/images/{name}.json"
            jobs.append(RenderJob(spec=name, prompts=prompts, out=out, **given))
    jobs += _step_renderings(plan, experiment, variant)
    sets = [*sets, *([SELECTION] if _steps(plan, experiment, variant) else [])]
    specs = {name: plan.render_spec(experiment, variant, name) for name in sets}
    return RenderJobs(specs=specs, jobs=jobs)


def score_jobs(plan: Plan, experiment: str, variant: str) -> ScoreJobs:
    """All scorings of a variant. Raises ValueError when the experiment has no judge."""
    own = plan.experiments[experiment]
    facts, vectors = calibrated.known_by(plan, experiment)
    jobs = []
    for run, folder in _runs(plan, experiment, variant):
        for name in own.prompt_sets:
            base = scoring_specs.plain_pictures(own, variant, name)
            training = scoring_specs.vectors_trained_on(own, variant)
            jobs.append(
                ScoreJob(
                    spec=name,
                    manifest=f"{folder}/images/{name}.json",
                    references=facts,
                    vectors=vectors,
                    training=training,
                    variant=variant,
                    run=run,
                    out=f"{folder}/scores/{name}.csv",
                    **({"base": base} if base else {}),
                )
            )
    jobs += _step_scorings(plan, experiment, variant)
    sets = [*own.prompt_sets, *([SELECTION] if _steps(plan, experiment, variant) else [])]
    specs = {name: scoring_specs.score_spec(own, variant, name) for name in sets}
    return ScoreJobs(specs=specs, jobs=jobs)


def _steps(plan: Plan, experiment: str, variant: str) -> list[tuple[int, int, str]]:
    """(run, step, adapter) of a variant's kept steps that are compared; none where they have to be
    drawn and scored before one of them is its result."""
    own = plan.experiments[experiment]
    return [
        (run, step, paths.step_adapter(experiment, one, run, step))
        for one in own.in_series
        if one.name == variant and one.train and one.take == "last"
        for run in one.runs
        for step in one.train.recipe.series
    ]


def _step_renderings(plan: Plan, experiment: str, variant: str) -> list[RenderJob]:
    """The pictures of a variant's kept steps."""
    prompts = paths.prompts_of(plan, experiment, variant, SELECTION)
    return [
        RenderJob(
            spec=SELECTION,
            prompts=prompts,
            adapters=[adapter],
            out=f"results/{experiment}/{step_file(variant, run, step, 'images', 'json')}",
        )
        for run, step, adapter in _steps(plan, experiment, variant)
    ]


def _step_scorings(plan: Plan, experiment: str, variant: str) -> list[ScoreJob]:
    """The scores of a variant's kept steps."""
    own, folder = plan.experiments[experiment], f"results/{experiment}"
    facts, vectors = calibrated.known_by(plan, experiment)
    return [
        ScoreJob(
            spec=SELECTION,
            manifest=f"{folder}/{step_file(variant, run, step, 'images', 'json')}",
            references=facts,
            vectors=vectors,
            training=scoring_specs.vectors_trained_on(own, variant),
            variant=variant,
            run=run,
            out=f"{folder}/{step_file(variant, run, step, 'scores', 'csv')}",
        )
        for run, step, _ in _steps(plan, experiment, variant)
    ]


def needed_to_draw(jobs: RenderJobs) -> list[str]:
    """The files that renderings read, each once."""
    files = [file for job in jobs.jobs for file in (*job.adapters, job.prompts)]
    files += paths.photos_shown(one.references for one in jobs.specs.values() if one.references)
    return list(dict.fromkeys(files))


def needed_to_score(jobs: ScoreJobs) -> list[str]:
    """The files that scorings read, each once."""
    files = [
        x
        for job in jobs.jobs
        for x in (job.manifest, *job.base, job.references, job.vectors, *job.training)
    ]
    return list(dict.fromkeys(files))


def jobs_argument(jobs: SpecModel) -> str:
    """The canonical string. Raises KindredError when it is too long for a command line."""
    return argument(
        jobs.canonical(),
        KindredError(
            "a variant's prompt sets are too long for one command that draws or scores them "
            "together",
            cure="run `snakemake` without drawn_together or scored_together, so that each job "
            "runs alone",
        ),
    )


def summaries(plan: Plan, file: str, judged_only: bool = False) -> list[str]:
    """results/<experiment>/<variant>/together/<file> of every variant of every experiment; not of
    pictures made elsewhere, or with faces drawn again, which ordinary jobs make and score."""
    return [
        f"results/{experiment.name}/{variant}/together/{file}"
        for experiment in plan.experiments.values()
        if experiment.judge or not judged_only
        for variant, own in experiment.variants.items()
        if not (own.pictures or own.detail)
    ]


def _runs(plan: Plan, experiment: str, variant: str) -> list[tuple[int, str]]:
    own: Variant = plan.variant(experiment, variant)
    return list(zip(own.runs, paths.run_folders(experiment, own), strict=True))
