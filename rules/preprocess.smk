"""Photos of any kind turned into upright sRGB images in aspect buckets.

needs: the photos of a dataset
gives: resources/<dataset>/images/<id>.png and images.json, a row for each image
"""


rule preprocess:
    """Prepare a dataset's photos. Images that are still right are kept as they are, so the job is
    short when one photo of many has changed."""
    input:
        photos=photos_to_prepare,
    output:
        "resources/{dataset}/images.json",
    log:
        "logs/preprocess/{dataset}.log",
    benchmark:
        "benchmarks/preprocess/{dataset}.tsv"
    priority: 20
    conda:
        "../envs/environment.yaml"
    threads: WORKERS
    params:
        spec=lambda w: DATASETS[w.dataset].preprocess.canonical(),
        version=step_version("preprocess"),
        source=lambda w: source_folder(w.dataset),
        made=lambda w: paths.composites_option(DATASETS[w.dataset]),
    message:
        "photos of {wildcards.dataset}"
    shell:
        "python scripts/preprocess.py --spec {params.spec:q} --source {params.source:q}"
        " --images-dir resources/{wildcards.dataset}/images --out {output:q} --workers {threads}"
        " {params.made:q}"
        " 2>&1 | tee -i {log:q}"
