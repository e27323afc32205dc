"""One LoRA for every variant and run.

needs: encoded photos and captions
gives: results/<experiment>/<variant>/spec.json and run-<k>/lora.safetensors, lora.json and
       training.csv; run-<k>/steps/<n>/lora.safetensors of the steps that a recipe keeps;
       run-<k>/live.js and samples/ while it runs, for results/<experiment>/live.html
"""


localrules:
    resolve,
    samples,
    kept_step,


rule resolve:
    """Write down what a variant means in full. It depends on the variant alone, so that neither
    another variant nor new code makes it stale. Trainings wait for it, so it comes before pictures
    of the base."""
    output:
        "results/{experiment}/{variant}/spec.json",
    log:
        "logs/{experiment}/resolve/{variant}.log",
    priority: 20
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: variant_of(w).spec,
    message:
        "{wildcards.experiment}: settings of {wildcards.variant}"
    shell:
        "python scripts/write_spec.py --spec {params.spec:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule samples:
    """Write down what trainings draw on their way. It is read when a training begins, and another
    content makes no training stale."""
    output:
        "results/{experiment}/samples.json",
    log:
        "logs/{experiment}/samples.log",
    priority: 20
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: PLAN.experiments[w.experiment].samples.canonical(),
    message:
        "{wildcards.experiment}: what is drawn in trainings"
    shell:
        "python scripts/write_spec.py --samples --spec {params.spec:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule train:
    """Train one LoRA. Checkpoints and finished adapters are kept in resources/, under a key of all
    that the result depends on: an interrupted training goes on where it was, and one that was done
    before takes a second."""
    input:
        spec="results/{experiment}/{variant}/spec.json",
        images=lambda w: f"resources/{variant_of(w).dataset}/images.json",
        captions=lambda w: f"resources/{variant_of(w).dataset}/captions.jsonl",
        latents=lambda w: f"{paths.encoded_folder(variant_of(w))}/latents.safetensors",
        prior=lambda w: paths.paths(paths.class_image_files(variant_of(w))),
        further=lambda w: paths.paths(paths.further_files(variant_of(w))),
        samples=lambda w: [ancient(path) for path in paths.paths(samples_of(w))],
        text=lambda w: f"{paths.encoded_folder(variant_of(w))}/text-{variant_of(w).text_tokens}.safetensors",
    output:
        adapter="results/{experiment}/{variant}/run-{run}/lora.safetensors",
        summary="results/{experiment}/{variant}/run-{run}/lora.json",
        log="results/{experiment}/{variant}/run-{run}/training.csv",
    log:
        "logs/{experiment}/train/{variant}.run-{run}.log",
    benchmark:
        "benchmarks/{experiment}/train/{variant}.run-{run}.tsv"
    priority: 10
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_TO_TRAIN,
        device=DEVICE,
    params:
        version=lambda w: version_of_training(variant_of(w)),
        prior=lambda w: list(sum(paths.class_image_files(variant_of(w)), ())),
        # Of all further files; another name of a param makes all trainings stale.
        masks=lambda w: [
            word
            for pair in paths.further_files(variant_of(w)) + samples_of(w)
            for word in pair
        ],
        base=lambda w: trained_identity(variant_of(w).base),
    message:
        "{wildcards.experiment}: training {wildcards.variant}, run {wildcards.run}"
    shell:
        "python scripts/train.py --spec-file {input.spec:q} --run {wildcards.run}"
        " --images {input.images:q} --captions {input.captions:q}"
        " --latents {input.latents:q} --text {input.text:q} {params.prior:q} {params.masks:q}"
        " --out-dir results/{wildcards.experiment}/{wildcards.variant}/run-{wildcards.run}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


rule kept_step:
    """Copy what a training kept of a step on its way, so that pictures can be drawn with it."""
    input:
        training_with_steps,
    output:
        "results/{experiment}/{variant}/run-{run}/steps/{step}/lora.safetensors",
    log:
        "logs/{experiment}/steps/{variant}.run-{run}.{step}.log",
    conda:
        "../envs/environment.yaml"
    params:
        version=step_version("train"),
    message:
        "{wildcards.experiment}: step {wildcards.step} of {wildcards.variant}, run {wildcards.run}"
    shell:
        "python scripts/kept_step.py --step {wildcards.step}"
        " --run-folder results/{wildcards.experiment}/{wildcards.variant}/run-{wildcards.run}"
        " 2>&1 | tee -i {log:q}"
