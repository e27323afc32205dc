"""An experiment's trainings as one list: what scripts/train_batched.py is told, and what it reads.

Knows the layout of results/ and resources/ through paths.py; each training reads what rule
`train` gives it. Knows nothing of how trainings are stacked.
"""

from __future__ import annotations

import json
from typing import Any

from kindred.common.errors import KindredError
from kindred.config.plan import Experiment, Plan, Variant
from kindred.specs.batched_jobs import RenderJob, RenderJobs, ScoreJob, ScoreJobs
from kindred.specs.spec_model import SpecModel
from kindred.specs.step_series import SELECTION, step_file
from kindred.workflow import paths, scoring_specs


def training_jobs(experiment: Experiment) -> str:
    """All trainings as canonical JSON: the files read -> the variants' folders -> their runs.

    Raises KindredError when it is too long for a command line (some thousands of variants).
    """
    entries: dict[tuple[tuple[str, str], ...], dict[str, list[int]]] = {}
    for variant in experiment.trained:
        folders = entries.setdefault(tuple(_files(variant).items()), {})
        folders[f"results/{experiment.name}/{variant.name}"] = list(variant.runs)
    drawing = {"samples": paths.samples_file(experiment)} if experiment.samples else {}
    told: list[dict[str, Any]] = [
        {**dict(files), "folders": folders, **drawing} for files, folders in entries.items()
    ]
    return argument(
        json.dumps(told, sort_keys=True, separators=(",", ":")),
        KindredError(
            "too many variants to be trained together in one command",
            experiment.name,
            "leave out the target trained_together: each training then goes alone",
        ),
    )


def read_by(experiment: Experiment) -> list[str]:
    """Every file that some training reads, each once."""
    specs = [
        f"results/{experiment.name}/{variant.name}/spec.json" for variant in experiment.trained
    ]
    files = [path for variant in experiment.trained for path in _files(variant).values()]
    return list(dict.fromkeys(specs + files))


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
    jobs = []
    for run, folder in _runs(plan, experiment, variant):
        for name in own.prompt_sets:
            base = scoring_specs.plain_pictures(own, variant, name)
            training = scoring_specs.vectors_trained_on(own, variant)
            jobs.append(
                ScoreJob(
                    spec=name,
                    manifest=f"{folder}/images/{name}.json",
                    references=f"results/{experiment}/references.json",
                    vectors=f"results/{experiment}/references.safetensors",
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
    return [
        ScoreJob(
            spec=SELECTION,
            manifest=f"{folder}/{step_file(variant, run, step, 'images', 'json')}",
            references=f"{folder}/references.json",
            vectors=f"{folder}/references.safetensors",
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
            "a variant's prompt sets are too long to be drawn or scored together in one command",
            cure="leave out the target drawn_together or scored_together: each job then goes alone",
        ),
    )


def summaries(plan: Plan, file: str, judged_only: bool = False) -> list[str]:
    """results/<experiment>/<variant>/together/<file> of every variant of every experiment; not of
    pictures made elsewhere, which one ordinary job brings in and another scores."""
    return [
        f"results/{experiment.name}/{variant}/together/{file}"
        for experiment in plan.experiments.values()
        if experiment.judge or not judged_only
        for variant, own in experiment.variants.items()
        if not own.pictures
    ]


def _runs(plan: Plan, experiment: str, variant: str) -> list[tuple[int, str]]:
    own: Variant = plan.variant(experiment, variant)
    return list(zip(own.runs, paths.run_folders(experiment, own), strict=True))
