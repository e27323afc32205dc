"""From scores to verdicts: what was claimed, and what the pictures say about it.

needs: scores of all variants, the judge's references; people's ratings, if there are any, in
       config/experiments/<experiment>.ratings*.csv
gives: results/<experiment>/declared.json, the hypotheses as they were before training;
       results/<experiment>/scores.csv, summary.json, verdicts.json
"""


localrules:
    declare,
    compare,


rule declare:
    """Write down what is claimed, and what was changed of it. Its priority puts it before any
    training. The log, config/declared/<experiment>.jsonl, is no file of any rule: it grows whenever
    something is declared, changed, trained, looked at or published, and makes nothing stale.
    """
    output:
        "results/{experiment}/declared.json",
    log:
        "logs/{experiment}/declare.log",
    priority: 100
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: declaration.design_hash(PLAN, w.experiment),
    message:
        "{wildcards.experiment}: hypotheses"
    shell:
        "python scripts/preregister.py {wildcards.experiment:q}"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule compare:
    """Compare the variants, and decide every hypothesis by the margin declared for it."""
    input:
        scores=lambda w: scoring_specs.scores_of(PLAN.experiments[w.experiment]),
        made_by=lambda w: scoring_specs.provenance_of(PLAN.experiments[w.experiment]),
        trainings=lambda w: scoring_specs.trainings_of(PLAN.experiments[w.experiment]),
        references=facts_known,
        vectors=lambda w: scoring_specs.vectors_compared(PLAN.experiments[w.experiment]),
        declared="results/{experiment}/declared.json",
        ratings=lambda w: scoring_specs.ratings_of(w.experiment),
        ceiling=lambda w: ceilings.figures_of(PLAN, PLAN.experiments[w.experiment]),
    output:
        scores="results/{experiment}/scores.csv",
        summary="results/{experiment}/summary.json",
        verdicts="results/{experiment}/verdicts.json",
    log:
        "logs/{experiment}/compare.log",
    benchmark:
        "benchmarks/{experiment}/compare.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: scoring_specs.compare_spec(
            PLAN.experiments[w.experiment]
        ).canonical(),
        version=step_version("compare"),
        log=lambda w: str(log_path(w.experiment)),
    message:
        "{wildcards.experiment}: figures and verdicts"
    shell:
        "python scripts/compare.py --spec {params.spec:q} --results results/{wildcards.experiment}"
        " --references {input.references:q} --vectors {input.vectors:q}"
        " --ratings {input.ratings:q} --declared {params.log:q} --ceiling {input.ceiling:q}"
        " --scores {output.scores:q} --summary {output.summary:q} --verdicts {output.verdicts:q}"
        " 2>&1 | tee -i {log:q}"
