"""Pictures that were made elsewhere, in the place of a variant's.

needs: the folder that a variant's `pictures` names
gives: results/<experiment>/<variant>/run-1/images/<prompt_set>.json, as `render` gives it for other
       variants; the pictures lie in resources/store/images
"""

from kindred.workflow import elsewhere_specs


rule bring_in:
    """Take pictures that were made elsewhere in the place of a variant's."""
    input:
        lambda w: or_stop(
            elsewhere_specs.elsewhere_files,
            PLAN,
            w.experiment,
            w.variant,
            w.prompt_set,
        ),
    output:
        "results/{experiment}/{variant}/run-{run}/images/{prompt_set}.json",
    log:
        "logs/{experiment}/bring_in/{variant}.run-{run}.{prompt_set}.log",
    benchmark:
        "benchmarks/{experiment}/bring_in/{variant}.run-{run}.{prompt_set}.tsv"
    wildcard_constraints:
        variant=ELSEWHERE,
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: or_stop(
            elsewhere_specs.elsewhere_spec, PLAN, w.experiment, w.variant, w.prompt_set
        ).canonical(),
        version=step_version("bring_in"),
    message:
        "{wildcards.experiment}: {wildcards.prompt_set} of {wildcards.variant}, made elsewhere"
    shell:
        "python scripts/bring_in.py --spec {params.spec:q} --store resources/store/images"
        " --out {output:q} 2>&1 | tee -i {log:q}"
