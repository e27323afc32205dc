"""What an experiment's design can find, before anything is trained.

needs: the plan alone; finished runs or a publication, where there are any, make it more exact
gives: results/<experiment>/power.json
    snakemake power --config experiments=ours     # prints it
"""


localrules:
    power,


rule design_power:
    """What difference the runs, prompts and pictures can find, for every hypothesis, and a warning
    of each that they can't decide. Its priority puts it before any training."""
    output:
        "results/{experiment}/power.json",
    log:
        "logs/{experiment}/power.log",
    priority: 100
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: scoring_specs.power_spec(
            PLAN.experiments[w.experiment]
        ).canonical(),
        version=step_version("power"),
    message:
        "{wildcards.experiment}: what its design can find"
    shell:
        "python scripts/power.py --spec {params.spec:q} --results results/{wildcards.experiment}"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule power:
    """Print it for the configured experiments."""
    input:
        paths.power_tables(PLAN),
    log:
        "logs/power.log",
    conda:
        "../envs/environment.yaml"
    message:
        "what the designs can find"
    shell:
        "python scripts/power.py --show {input:q} 2>&1 | tee -i {log:q}"
