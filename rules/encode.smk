"""Photos, captions and prompts as the frozen base reads them, once for each base.

needs: images.json and prepared images; captions.jsonl; prompts
gives: resources/encoded/<base>/<dataset>/latents.safetensors and text-<tokens>.safetensors;
       class-text-<tokens>.safetensors for variants with diff_output_preservation;
       resources/encoded/<base>/prompts/<experiment>/<prompt_set>.safetensors. What was encoded
       before comes from resources/store/encoded, by content
"""


rule encode_images:
    """Latents of a dataset's photos. Only photos with new pixels are encoded."""
    input:
        images="resources/{dataset}/images.json",
    output:
        "resources/encoded/{base}/{dataset}/latents.safetensors",
    log:
        "logs/encode/{base}/{dataset}.latents.log",
    benchmark:
        "benchmarks/encode/{base}/{dataset}.latents.tsv"
    priority: 20
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: PLAN.bases[w.base].image_encoder().canonical(),
        version=step_version("encode_images"),
        base=lambda w: base_identity(w.base, "image"),
    message:
        "{wildcards.base}: encoding the photos of {wildcards.dataset}"
    shell:
        "python scripts/encode_images.py --spec {params.spec:q} --images {input.images:q}"
        " --images-dir resources/{wildcards.dataset}/images --latents {output:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


rule encode_captions:
    """Embeddings of a dataset's captions by both text encoders. Only new captions are encoded."""
    input:
        captions="resources/{dataset}/captions.jsonl",
    output:
        "resources/encoded/{base}/{dataset}/text-{tokens}.safetensors",
    log:
        "logs/encode/{base}/{dataset}.text-{tokens}.log",
    benchmark:
        "benchmarks/encode/{base}/{dataset}.text-{tokens}.tsv"
    priority: 20
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: PLAN.bases[w.base].text_encoder(int(w.tokens)).canonical(),
        version=step_version("encode_text"),
        base=lambda w: base_identity(w.base, "text"),
    message:
        "{wildcards.base}: encoding the captions of {wildcards.dataset}"
    shell:
        "python scripts/encode_captions.py --spec {params.spec:q} --captions {input.captions:q}"
        " --text {output:q} --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


rule encode_class_captions:
    """The same captions with class nouns in place of names, for variants that preserve what the
    base answers to those."""
    input:
        captions="resources/{dataset}/captions.jsonl",
    output:
        "resources/encoded/{base}/{dataset}/class-text-{tokens}.safetensors",
    log:
        "logs/encode/{base}/{dataset}.class-text-{tokens}.log",
    benchmark:
        "benchmarks/encode/{base}/{dataset}.class-text-{tokens}.tsv"
    priority: 20
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: PLAN.bases[w.base].text_encoder(int(w.tokens)).canonical(),
        names=lambda w: DATASETS[w.dataset].caption.canonical(),
        version=step_version("encode_text"),
        base=lambda w: base_identity(w.base, "text"),
    message:
        "{wildcards.base}: encoding the captions of {wildcards.dataset} without names"
    shell:
        "python scripts/encode_captions.py --spec {params.spec:q} --captions {input.captions:q}"
        " --without-names {params.names:q} --text {output:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


rule encode_prompts:
    """Embeddings of a prompt set by both text encoders. Seeds and sizes have no part in it."""
    output:
        "resources/encoded/{base}/prompts/{experiment}/{prompt_set}.safetensors",
    log:
        "logs/{experiment}/prompts/{base}/{prompt_set}.log",
    benchmark:
        "benchmarks/{experiment}/prompts/{base}/{prompt_set}.tsv"
    priority: 5
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: face_detail_specs.prompt_texts(
            PLAN, w.experiment, w.prompt_set, w.base
        ).canonical(),
        version=step_version("encode_text"),
        base=lambda w: base_identity(w.base, "text"),
    message:
        "{wildcards.experiment}: encoding the prompts of {wildcards.prompt_set} for {wildcards.base}"
    shell:
        "python scripts/encode_prompts.py --spec {params.spec:q} --out {output:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"
