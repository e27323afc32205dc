"""All trainings of an experiment in one process, many at once: for small bases on a GPU.

needs: as rule `train`, of all variants
gives: finished adapters in resources/store, where `train` finds them and takes about a second each;
       results/<experiment>/together/trained.json, what was trained and what is left to `train`
Not part of `rule all`:
    snakemake trained_together && snakemake
"""

from kindred.workflow import batched_jobs


localrules:
    trained_together,


rule trained_together:
    """Every adapter of every configured experiment that can be trained together, a job each
    experiment."""
    input:
        [
            f"results/{name}/together/trained.json"
            for name, experiment in PLAN.experiments.items()
            if experiment.trained
        ],
    message:
        "finished: trainings of " + ", ".join(PLAN.experiments)


rule train_together:
    """Train what the store lacks. What is stacked there is stored as soon as a stack is done, so an
    interrupted job does only the rest when it is run again."""
    input:
        lambda w: batched_jobs.read_by(PLAN.experiments[w.experiment]),
        lambda w: (
            [
                f"results/{w.experiment}/{file}"
                for file in ("declared.json", "power.json")
            ]
            if PLAN.experiments[w.experiment].hypotheses
            else []
        ),
    output:
        trained="results/{experiment}/together/trained.json",
        jobs="results/{experiment}/together/to_train.json",
    log:
        "logs/{experiment}/train_together.log",
    benchmark:
        "benchmarks/{experiment}/train_together.tsv"
    priority: 10
    conda:
        "../envs/environment.yaml"
    threads: CORES
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        jobs=lambda w: or_stop(
            batched_jobs.training_jobs, PLAN.experiments[w.experiment]
        ),
        version=step_version("train"),
        base=lambda w: " ".join(
            sorted(
                {
                    trained_identity(v.base)
                    for v in PLAN.experiments[w.experiment].trained
                }
            )
        ),
    message:
        "{wildcards.experiment}: training all variants together"
    shell:
        "printf %s {params.jobs:q} > {output.jobs:q} &&"
        " python scripts/train_batched.py --jobs {output.jobs:q} --out {output.trained:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"
