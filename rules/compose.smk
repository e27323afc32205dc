"""Composites and crops for variants that ask for them, and the outlines of people.

needs: photos of a dataset, prepared images and captions; photos of strangers that are cut in
gives: resources/<dataset>/masks.json, who is where in its photos;
       resources/<dataset>-composed-<hash>/photos/*, captions.csv, made.json and masks.json: the
       photos and what was made of them, a dataset like any other
"""

# One rule a dataset, for the same reasons as in draw.smk.
for masked, mask_spec in PLAN.masks.items():

    rule:
        name:
            f"masks_{masked}"
        input:
            images=photos_read_for(
                masked, (f"resources/{masked}/masks.json", lost_files.masks)
            ),
            captions=f"resources/{masked}/captions.jsonl",
            truth=[] if mask_spec.finds else paths.truth_of(DATASETS[masked]),
        output:
            f"resources/{masked}/masks.json",
        log:
            f"logs/masks/{masked}.log",
        benchmark:
            f"benchmarks/masks/{masked}.tsv"
        priority: 20
        conda:
            "../envs/environment.yaml"
        threads: THREADS
        resources:
            gpu=GPUS_EACH if mask_spec.finds else 0,
            device=DEVICE,
        params:
            spec=mask_spec.canonical(),
            version=step_version("masks"),
            models=lambda w, spec=mask_spec: finder_identity(spec),
            source=lambda w, dataset=masked: source_folder(dataset),
        message:
            f"outlines of people in {masked}"
        shell:
            "python scripts/segment_people.py --spec {params.spec:q} --source {params.source:q}"
            " --images {input.images:q} --captions {input.captions:q} --truth {input.truth:q}"
            " --out {output:q} --device {resources.device} --threads {threads}"
            " 2>&1 | tee -i {log:q}"


for made, made_spec in MADE.items():

    rule:
        name:
            f"compose_{made}"
        input:
            images=photos_read_for(
                made_spec.of,
                (f"resources/{made}/made.json", lost_files.composites),
                (f"resources/{made}/masks.json", lost_files.masks),
            ),
            captions=f"resources/{made_spec.of}/captions.jsonl",
            masks=f"resources/{made_spec.of}/masks.json",
            strangers=paths.strangers_files(made_spec),
        output:
            captions=f"resources/{made}/photos/captions.csv",
            made=f"resources/{made}/made.json",
            masks=f"resources/{made}/masks.json",
        log:
            f"logs/compose/{made}.log",
        benchmark:
            f"benchmarks/compose/{made}.tsv"
        priority: 20
        conda:
            "../envs/environment.yaml"
        threads: WORKERS  # read from OPENBLAS_NUM_THREADS, see `cores_given`
        params:
            spec=made_spec.spec.canonical(),
            version=step_version("compose"),
            source=lambda w, made=made_spec: composites_source(made),
        message:
            f"composites and crops of {made}"
        shell:
            "python scripts/make_composites.py --spec {params.spec:q} --source {params.source:q}"
            " --images {input.images:q} --captions {input.captions:q} --masks {input.masks:q}"
            ' --photos "$(dirname {output.captions:q})" --made {output.made:q}'
            " --masks-out {output.masks:q} 2>&1 | tee -i {log:q}"
