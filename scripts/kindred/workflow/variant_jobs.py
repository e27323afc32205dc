"""What programs that do a variant's jobs at once are told, and the files that those jobs need.

Knows which jobs a variant has; each is told what its own rule would tell it. Knows nothing of how
rules are written.
"""

from __future__ import annotations

from typing import Any

from kindred.config.plan import Plan, Variant
from kindred.specs.batched_jobs import Drawing, Drawings, Scoring, Scorings
from kindred.specs.spec_model import SpecModel
from kindred.workflow import command, paths, scoring_specs


def drawings(plan: Plan, experiment: str, variant: str) -> Drawings:
    """All renderings of a variant: every prompt set by every run."""
    sets = plan.experiments[experiment].prompt_sets
    jobs = []
    for run, folder in _runs(plan, experiment, variant):
        adapters = paths.adapters_of(plan, experiment, variant, str(run))
        for name in sets:
            given: dict[str, Any] = {"adapters": adapters} if adapters else {}
            prompts = paths.prompts_of(plan, experiment, variant, name)
            out = f"{folder}/images/{name}.json"
            jobs.append(Drawing(spec=name, prompts=prompts, out=out, **given))
    specs = {name: plan.render_spec(experiment, variant, name) for name in sets}
    return Drawings(specs=specs, jobs=jobs)


def scorings(plan: Plan, experiment: str, variant: str) -> Scorings:
    """All scorings of a variant. Raises ValueError when the experiment has no judge."""
    own = plan.experiments[experiment]
    jobs = []
    for run, folder in _runs(plan, experiment, variant):
        for name in own.prompt_sets:
            base = scoring_specs.plain_pictures(own, variant, name)
            jobs.append(
                Scoring(
                    spec=variant,
                    manifest=f"{folder}/images/{name}.json",
                    references=f"results/{experiment}/references.json",
                    vectors=f"results/{experiment}/references.safetensors",
                    variant=variant,
                    run=run,
                    out=f"{folder}/scores/{name}.csv",
                    **({"base": base} if base else {}),
                )
            )
    return Scorings(specs={variant: scoring_specs.score_spec(own, variant)}, jobs=jobs)


def needed_to_draw(jobs: Drawings) -> list[str]:
    """The files that renderings read, each once."""
    files = [file for job in jobs.jobs for file in (*job.adapters, job.prompts)]
    return list(dict.fromkeys(files))


def needed_to_score(jobs: Scorings) -> list[str]:
    """The files that scorings read, each once."""
    files = [x for job in jobs.jobs for x in (job.manifest, *job.base, job.references, job.vectors)]
    return list(dict.fromkeys(files))


def one_word(jobs: SpecModel) -> str:
    """The canonical string. Raises KindredError when it is too long for a command line."""
    return command.one_word(
        jobs.canonical(),
        "a variant's prompt sets are too long to be drawn or scored together in one command; "
        "leave out the target drawn_together or scored_together: each job then goes alone",
    )


def summaries(plan: Plan, file: str, judged_only: bool = False) -> list[str]:
    """results/<experiment>/<variant>/together/<file> of every variant of every experiment."""
    return [
        f"results/{experiment.name}/{variant}/together/{file}"
        for experiment in plan.experiments.values()
        if experiment.judge or not judged_only
        for variant in experiment.variants
    ]


def _runs(plan: Plan, experiment: str, variant: str) -> list[tuple[int, str]]:
    own: Variant = plan.variant(experiment, variant)
    return list(zip(own.runs, paths.run_folders(experiment, own), strict=True))
