"""Who is in each picture: the judge's references, and the scores of every list of pictures.

needs: prepared photos and captions; lists of pictures
gives: results/<experiment>/references.json and .safetensors, by which the judge knows everybody;
       results/<experiment>/calibrated.json and .safetensors, the same with thresholds that strangers drawn
       by the base don't pass, for judges that have thresholds;
       results/<experiment>/vectors/<dataset>.json and .npy, among which copies are looked for;
       results/<experiment>/<variant>/run-<k>/scores/<prompt_set>.csv, a row for each image and person
"""


rule references:
    """Find each character's reference photos: training photos that show it alone. Its priority puts
    it before any training, so that a judge who can't tell people apart is known of first.
    """
    input:
        photos=lambda w: [
            f"resources/{dataset}/{file}"
            for dataset in PLAN.experiments[w.experiment].references
            for file in paths.PHOTOS_WITH_NAMES
        ],
        shown=lambda w: paths.photos_shown(PLAN.experiments[w.experiment].shown),
    output:
        facts="results/{experiment}/references.json",
        vectors="results/{experiment}/references.safetensors",
    log:
        "logs/{experiment}/references.log",
    benchmark:
        "benchmarks/{experiment}/references.tsv"
    priority: 90
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: scoring_specs.reference_spec(
            PLAN.experiments[w.experiment]
        ).canonical(),
        version=step_version("references"),
        judge=lambda w: judge_version(w.experiment),
    message:
        "{wildcards.experiment}: reference photos of everybody"
    shell:
        "python scripts/reference_photos.py --spec {params.spec:q} --facts {output.facts:q}"
        " --vectors {output.vectors:q} --device {resources.device} --threads {threads}"
        " 2>&1 | tee -i {log:q}"


rule calibrate:
    """Find how alike a face must be to get a name, also by strangers that the base draws. It stands
    behind `references`, whose word on who can't be told apart must not wait for pictures.
    """
    input:
        pictures=lambda w: calibrated.pictures_of_strangers(PLAN, w.experiment),
        facts="results/{experiment}/references.json",
        vectors="results/{experiment}/references.safetensors",
    output:
        facts="results/{experiment}/calibrated.json",
        vectors="results/{experiment}/calibrated.safetensors",
    log:
        "logs/{experiment}/calibrate.log",
    benchmark:
        "benchmarks/{experiment}/calibrate.tsv"
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: calibrated.calibration_spec(
            PLAN, PLAN.experiments[w.experiment]
        ).canonical(),
        version=step_version("calibrate"),
        judge=lambda w: judge_version(w.experiment),
    message:
        "{wildcards.experiment}: thresholds by strangers that the base draws"
    shell:
        "python scripts/calibrate_judge.py --spec {params.spec:q} --references {input.facts:q}"
        " --vectors {input.vectors:q} --facts {output.facts:q} --out {output.vectors:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


rule image_vectors:
    """Look at the whole pictures of a dataset, composites included: trained on, or held out."""
    input:
        lambda w: paths.described(DATASETS[w.dataset]),
    output:
        facts="results/{experiment}/vectors/{dataset}.json",
        vectors="results/{experiment}/vectors/{dataset}.npy",
    log:
        "logs/{experiment}/vectors/{dataset}.log",
    benchmark:
        "benchmarks/{experiment}/vectors/{dataset}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: scoring_specs.vector_spec(
            PLAN.experiments[w.experiment], w.dataset
        ).canonical(),
        version=step_version("image_vectors"),
        judge=lambda w: judge_version(w.experiment),
    message:
        "{wildcards.experiment}: vectors of {wildcards.dataset}"
    shell:
        "python scripts/image_vectors.py --spec {params.spec:q} --out {output.facts:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


rule score:
    """Find the people in one run's pictures of a prompt set, and compare them with whom the
    prompts name."""
    input:
        pictures="results/{experiment}/{variant}/run-{run}/images/{prompt_set}.json",
        base=lambda w: scoring_specs.plain_pictures(
            PLAN.experiments[w.experiment], w.variant, w.prompt_set
        ),
        facts=facts_known,
        vectors=vectors_known,
        training=lambda w: scoring_specs.vectors_trained_on(
            PLAN.experiments[w.experiment], w.variant
        ),
    output:
        table="results/{experiment}/{variant}/run-{run}/scores/{prompt_set}.csv",
        made_by="results/{experiment}/{variant}/run-{run}/scores/{prompt_set}.json",
    log:
        "logs/{experiment}/score/{variant}.run-{run}.{prompt_set}.log",
    benchmark:
        "benchmarks/{experiment}/score/{variant}.run-{run}.{prompt_set}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: scoring_specs.score_spec(
            PLAN.experiments[w.experiment], w.variant, w.prompt_set
        ).canonical(),
        version=step_version("score"),
        judge=lambda w: judge_version(w.experiment),
    message:
        "{wildcards.experiment}: scores of {wildcards.prompt_set} by {wildcards.variant}, run {wildcards.run}"
    shell:
        "python scripts/score.py --spec {params.spec:q} --manifest {input.pictures:q}"
        " --base {input.base:q} --references {input.facts:q} --vectors {input.vectors:q}"
        " --training {input.training:q}"
        " --variant {wildcards.variant:q} --run {wildcards.run} --out {output.table:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"
