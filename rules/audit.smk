"""What the photos and captions can and can't teach, before anything is trained.

needs: a dataset's images.json and captions.jsonl
gives: results/<experiment>/audit/<dataset>.json and .html
"""


localrules:
    audit,


rule audit:
    """Compare a dataset with what an experiment asks of it. No later job needs the result, so other
    thresholds retrain nothing; its priority puts it first, and training itself refuses a cell
    without photos."""
    input:
        images=images_to_audit,
        captions="resources/{dataset}/captions.jsonl",
        people=lambda w: people_to_audit(w.dataset),
        template="report/audit.html",
    output:
        table="results/{experiment}/audit/{dataset}.json",
        page="results/{experiment}/audit/{dataset}.html",
    log:
        "logs/{experiment}/audit/{dataset}.log",
    benchmark:
        "benchmarks/{experiment}/audit/{dataset}.tsv"
    priority: 100
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: PLAN.audit_spec(w.experiment, w.dataset).canonical(),
        version=step_version("audit"),
        photos=lambda w: folders_to_audit(w.dataset),
    message:
        "{wildcards.experiment}: audit of {wildcards.dataset}"
    shell:
        "python scripts/audit.py --spec {params.spec:q} --images {input.images:q}"
        " --captions {input.captions:q} --photos {params.photos:q}"
        " --out {output.table:q} --page {output.page:q}"
        " 2>&1 | tee -i {log:q}"
