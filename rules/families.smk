"""Claims about families in general, from the figures of several experiments.

needs: results/<experiment>/summary.json of all experiments that a file of config/families names
gives: results/families/<name>/verdicts.json, families.md
    snakemake families --config 'experiments=[alike, alike-okorie, ...]'
"""

FAMILIES = family_files.family_specs(Path("config"))
COMPARABLE = family_files.comparable(FAMILIES, PLAN.experiments)


localrules:
    families,


rule compare_families:
    """One difference a family, and a t test over families from three on."""
    input:
        lambda w: [f"results/{name}/summary.json" for name in FAMILIES[w.name].families],
    output:
        verdicts="results/families/{name}/verdicts.json",
        words="results/families/{name}/families.md",
    log:
        "logs/families/{name}.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: FAMILIES[w.name].canonical(),
        version=step_version("compare"),
    message:
        "families {wildcards.name}: verdicts"
    shell:
        "python scripts/compare_families.py --spec {params.spec:q} --results results"
        " --verdicts {output.verdicts:q} --markdown {output.words:q} 2>&1 | tee -i {log:q}"


rule families:
    """All files of config/families whose experiments are configured."""
    input:
        [f"results/families/{name}/verdicts.json" for name in COMPARABLE],
    message:
        "families: "
        + (
            ", ".join(COMPARABLE)
            or "no file of config/families has all of "
            "its experiments among the configured ones"
        )
