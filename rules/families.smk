"""Claims about families in general, from the figures of several experiments.

needs: summary.json of all experiments that a file of config/families names; scores.csv where copies
       may be left out or people answered; lists of pictures; people's answers,
       config/families/<name>.who*.csv
gives: results/families/<name>/declared.json and power.json, before anything is trained;
       results/families/<name>/who.html, verdicts.json, report.html, report.md
    snakemake families --config 'experiments=[alike, alike-okorie, ...]'
"""

from kindred.workflow import family_jobs

or_stop(family_files.check_asked, FAMILIES, PLAN.experiments)


localrules:
    declare_families,
    families,


rule declare_families:
    """Write down what is claimed of families and what was changed of it, in one log with the
    designs of all their experiments: config/declared/<name>.jsonl. Its priority puts it before any
    training."""
    output:
        "results/families/{name}/declared.json",
    log:
        "logs/families/{name}-declare.log",
    priority: 100
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: family_jobs.families_hash(PLAN, FAMILIES[w.name]),
    message:
        "families {wildcards.name}: hypotheses"
    shell:
        "python scripts/preregister.py {wildcards.name:q}"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule family_power:
    """What difference these families, runs and prompts can find, for every hypothesis."""
    output:
        "results/families/{name}/power.json",
    log:
        "logs/families/{name}-power.log",
    priority: 100
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: family_jobs.power_spec(
            PLAN, w.name, FAMILIES[w.name]
        ).canonical(),
        version=step_version("power"),
    message:
        "families {wildcards.name}: what they can find"
    shell:
        "python scripts/family_power.py --spec {params.spec:q}"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule families_rating:
    """A page on which people say who is in two hundred pictures of all families, not knowing who
    was asked for or what drew them."""
    input:
        pictures=lambda w: family_jobs.who_inputs(PLAN, FAMILIES[w.name]),
        templates=[*multiext("report/who", ".html", ".css", ".js"), "report/rater.js"],
    output:
        "results/families/{name}/who.html",
    log:
        "logs/families/{name}-who.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: family_jobs.who_spec(PLAN, w.name, FAMILIES[w.name]).canonical(),
        version=step_version("families_rating"),
    message:
        "families {wildcards.name}: page for people's answers"
    shell:
        "python scripts/families_rating.py --spec {params.spec:q} --results results"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule compare_families:
    """One difference a family, and a t test over families from three on."""
    input:
        summaries=lambda w: [
            f"results/{name}/summary.json" for name in FAMILIES[w.name].families
        ],
        scores=lambda w: family_jobs.scores_compared(w.name, FAMILIES[w.name]),
        answers=lambda w: family_jobs.answers_of(w.name),
        declared="results/families/{name}/declared.json",
    output:
        "results/families/{name}/verdicts.json",
    log:
        "logs/families/{name}.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: FAMILIES[w.name].canonical(),
        version=step_version("families"),
        log=lambda w: str(log_path(w.name)),
    message:
        "families {wildcards.name}: verdicts"
    shell:
        "python scripts/compare_families.py --spec {params.spec:q} --results results"
        " --declared {params.log:q} --answers {input.answers:q} --verdicts {output:q} 2>&1 | tee -i {log:q}"


rule families_report:
    """One page about all families: the answer first."""
    input:
        verdicts="results/families/{name}/verdicts.json",
        power="results/families/{name}/power.json",
        templates=multiext("report/families", ".html", ".md") + ["report/report.css"],
    output:
        page=report(
            "results/families/{name}/report.html",
            caption="../report/captions/families.rst",
            category="families",
            subcategory="the page to read",
        ),
        markdown="results/families/{name}/report.md",
    log:
        "logs/families/{name}-report.log",
    conda:
        "../envs/environment.yaml"
    params:
        version=step_version("families_report"),
    message:
        "families {wildcards.name}: page"
    shell:
        "python scripts/families_report.py --folder results/families/{wildcards.name:q}"
        " --page {output.page:q} --markdown {output.markdown:q} 2>&1 | tee -i {log:q}"


rule families:
    """All files of config/families whose experiments are configured."""
    input:
        paths.families_targets(FAMILIES),
    message:
        "families: "
        + (
            ", ".join(FAMILIES)
            or "no file of config/families has all of "
            "its experiments among the configured ones"
        )
