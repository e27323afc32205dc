"""All trainings of an experiment in one process for each GPU, many at once: for small bases.

needs: as rule `train`, of all variants
gives: finished adapters in resources/store, where `train` finds them in about a second each;
       results/<experiment>/together/trained.json, what was trained and what is left to `train`; of
       several jobs together/<k>-of-<n>/trained.json
Not part of `rule all`:
    snakemake trained_together && snakemake
"""

from kindred.workflow import batched_jobs

JOBS_TOGETHER = executors.jobs_together(
    PLAN.device, GPU_LIMIT, sum(bool(one.trained) for one in PLAN.experiments.values())
)
# How many jobs share the cores: experiments train at once where there are several GPUs.
AT_ONCE = max(JOBS_TOGETHER, executors.gpus_used(PLAN.device, GPU_LIMIT))


localrules:
    trained_together,


rule trained_together:
    """Every adapter of every configured experiment that can be trained together, in as many jobs as
    there are GPUs, or one an experiment."""
    input:
        [
            f"results/{name}/{folder}/trained.json"
            for name, experiment in PLAN.experiments.items()
            if experiment.trained
            for folder in batched_jobs.folders_together(experiment, JOBS_TOGETHER)
        ],
    message:
        "finished: trainings of " + ", ".join(PLAN.experiments)


rule train_together:
    """Train what the store lacks. What is stacked there is stored as soon as a stack is done, so an
    interrupted job does only the rest when it is run again."""
    input:
        lambda w: or_stop(
            batched_jobs.read_by, PLAN.experiments[w.experiment], w.together
        ),
        lambda w: (
            [
                f"results/{w.experiment}/{file}"
                for file in ("declared.json", "power.json")
            ]
            if PLAN.experiments[w.experiment].hypotheses
            else []
        ),
    output:
        trained="results/{experiment}/{together}/trained.json",
        jobs="results/{experiment}/{together}/to_train.json",
    log:
        "logs/{experiment}/train_{together}.log",
    benchmark:
        "benchmarks/{experiment}/train_{together}.tsv"
    wildcard_constraints:
        together=batched_jobs.TOGETHER,
    priority: 10
    conda:
        "../envs/environment.yaml"
    threads: max(1, CORES // AT_ONCE)
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        jobs=lambda w: or_stop(
            batched_jobs.training_jobs, PLAN.experiments[w.experiment], w.together
        ),
        version=step_version("train"),
        base=lambda w: " ".join(
            sorted(
                {
                    trained_identity(base)
                    for base in batched_jobs.bases_of(
                        PLAN.experiments[w.experiment], w.together
                    )
                }
            )
        ),
    message:
        "{wildcards.experiment}: training all variants {wildcards.together}"
    shell:
        "printf %s {params.jobs:q} > {output.jobs:q} &&"
        " python scripts/train_batched.py --jobs {output.jobs:q} --out {output.trained:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"
