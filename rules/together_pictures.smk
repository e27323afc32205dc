"""All pictures, or all scores, of a variant in one process.

needs: as rules `render` and `score`
gives: pictures and tables of scores in resources/store, where `render` and `score` find them in
       under a second each; results/<experiment>/<variant>/together/{rendered,scored}.json
Not part of `rule all`: worth while where a job's work is shorter than the loading of its models.
    snakemake drawn_together && snakemake scored_together && snakemake
"""

from kindred.workflow import batched_jobs


localrules:
    drawn_together,
    scored_together,


rule drawn_together:
    """Every picture of every configured experiment, a job a variant."""
    input:
        batched_jobs.summaries(PLAN, "rendered.json"),
    message:
        "finished: every picture is in resources/store/images"


rule scored_together:
    """Every score of every configured experiment that has a judge, a job a variant."""
    input:
        batched_jobs.summaries(PLAN, "scored.json", judged_only=True),
    message:
        "finished: every table of scores is in resources/store/scores"


rule render_together:
    """Draw what the store lacks of a variant's pictures; the base is loaded once for all runs."""
    input:
        lambda w: batched_jobs.needed_to_draw(
            batched_jobs.render_jobs(PLAN, w.experiment, w.variant)
        ),
    output:
        summary="results/{experiment}/{variant}/together/rendered.json",
        jobs="results/{experiment}/{variant}/together/to_render.json",
    log:
        "logs/{experiment}/render_together/{variant}.log",
    benchmark:
        "benchmarks/{experiment}/render_together/{variant}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        jobs=lambda w: or_stop(
            batched_jobs.jobs_argument,
            batched_jobs.render_jobs(PLAN, w.experiment, w.variant),
        ),
        version=step_version("render"),
        base=lambda w: " ".join(map(base_identity, drawing_bases(w))),
    message:
        "{wildcards.experiment}: all pictures by {wildcards.variant}"
    shell:
        "printf %s {params.jobs:q} > {output.jobs:q} &&"
        " python scripts/render_batched.py --jobs {output.jobs:q} --store resources/store/images"
        " --out {output.summary:q} --device {resources.device} --threads {threads}"
        " 2>&1 | tee -i {log:q}"


rule score_together:
    """Score what the store lacks of a variant's tables; the judge is loaded once for all runs."""
    input:
        lambda w: batched_jobs.needed_to_score(
            batched_jobs.score_jobs(PLAN, w.experiment, w.variant)
        ),
    output:
        summary="results/{experiment}/{variant}/together/scored.json",
        jobs="results/{experiment}/{variant}/together/to_score.json",
    log:
        "logs/{experiment}/score_together/{variant}.log",
    benchmark:
        "benchmarks/{experiment}/score_together/{variant}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        jobs=lambda w: or_stop(
            batched_jobs.jobs_argument,
            batched_jobs.score_jobs(PLAN, w.experiment, w.variant),
        ),
        version=step_version("score"),
        judge=lambda w: judge_version(w.experiment),
    message:
        "{wildcards.experiment}: all scores of {wildcards.variant}"
    shell:
        "printf %s {params.jobs:q} > {output.jobs:q} &&"
        " python scripts/score_batched.py --jobs {output.jobs:q}"
        " --out {output.summary:q} --device {resources.device} --threads {threads}"
        " 2>&1 | tee -i {log:q}"
