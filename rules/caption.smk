"""One caption for each image: yours where there is one, otherwise a captioner's.

needs: caption files, prepared images
gives: resources/<dataset>/captions.jsonl, with author and characters of every caption
"""


rule caption:
    """Collect and complete a dataset's captions, and read who is in each photo."""
    input:
        captions=lambda w: source_files(w.dataset)[1],
        images="resources/{dataset}/images.json",
    output:
        "resources/{dataset}/captions.jsonl",
    log:
        "logs/caption/{dataset}.log",
    benchmark:
        "benchmarks/caption/{dataset}.tsv"
    priority: 20
    conda:
        "../envs/environment.yaml"
    resources:
        gpu=lambda w: GPUS_EACH if DATASETS[w.dataset].caption.captioner else 0,
    params:
        spec=lambda w: DATASETS[w.dataset].caption.canonical(),
        version=step_version("caption"),
        model=lambda w: caption_identity(w.dataset),
        source=lambda w: source_folder(w.dataset),
    message:
        "captions of {wildcards.dataset}"
    shell:
        "python scripts/caption.py --spec {params.spec:q} --source {params.source:q}"
        " --images {input.images:q} --images-dir resources/{wildcards.dataset}/images"
        " --out {output:q} 2>&1 | tee -i {log:q}"
