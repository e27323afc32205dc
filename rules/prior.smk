"""Class images: pictures of 'a man' drawn by the base, a dataset to train on beside the photos.

needs: nothing; or the base's pictures of a prompt set, where a dataset names one
gives: resources/<dataset>/class.safetensors and class.json, embedded prompts and list of pictures;
       resources/<dataset>/photos/*.png, captions.csv
"""


rule class_prompts:
    """Embeddings of 'a photo of a man', a prompt for each class noun."""
    output:
        "resources/{dataset}/class.safetensors",
    log:
        "logs/prior/{dataset}.prompts.log",
    benchmark:
        "benchmarks/prior/{dataset}.prompts.tsv"
    priority: 20
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: class_image_texts(PLAN, CLASSES[w.dataset]).canonical(),
        version=step_version("encode_text"),
        base=lambda w: base_identity(CLASSES[w.dataset].base, "text"),
    message:
        "class prompts of {wildcards.dataset}"
    shell:
        "python scripts/encode_prompts.py --spec {params.spec:q} --out {output:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


rule class_pictures:
    """The base's pictures of each class that are not in the store yet."""
    input:
        class_prompts_of,
    output:
        "resources/{dataset}/class.json",
    log:
        "logs/prior/{dataset}.pictures.log",
    benchmark:
        "benchmarks/prior/{dataset}.pictures.tsv"
    priority: 20
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: class_image_render_spec(PLAN, CLASSES[w.dataset]).canonical(),
        version=step_version("render"),
        base=lambda w: base_identity(CLASSES[w.dataset].base),
    message:
        "class pictures of {wildcards.dataset}"
    shell:
        "python scripts/render.py --spec {params.spec:q} --prompts {input:q}"
        " --store resources/store/images --out {output:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


# One rule a dataset, for the same reasons as in draw.smk.
for prior in PRIORS:

    rule:
        name:
            f"prior_{prior}"
        input:
            paths.class_pictures(DATASETS[prior]),
        output:
            photos=source_files(prior)[0],
            captions=source_files(prior)[1],
        log:
            f"logs/prior/{prior}.log",
        benchmark:
            f"benchmarks/prior/{prior}.tsv"
        conda:
            "../envs/environment.yaml"
        params:
            version=step_version("class_images"),
        message:
            f"class images of {prior}"
        shell:
            'python scripts/class_images.py --manifest {input:q} --out "$(dirname {output.captions:q})"'
            " 2>&1 | tee -i {log:q}"
