"""Faces drawn again: another variant's pictures, each face larger and by its person's name.

needs: pictures and their scores, which say whose face is where; the adapters that drew them
gives: results/<experiment>/<variant>/run-<k>/images/<prompt_set>.json, as `render` gives it for
       other variants; the pictures lie in resources/store/images
"""


rule face_detail:
    """Draw the faces of one prompt set's pictures again that are not in the store yet. The judge's
    assignment says whose face it is; a picture without anybody's stays itself."""
    input:
        pictures=lambda w: face_detail_specs.of_source(
            PLAN, w.experiment, w.variant, w.run, f"images/{w.prompt_set}.json"
        ),
        scores=lambda w: face_detail_specs.of_source(
            PLAN, w.experiment, w.variant, w.run, f"scores/{w.prompt_set}.csv"
        ),
        adapters=adapters_to_draw_with,
        texts=lambda w: face_detail_specs.face_texts(
            PLAN, w.experiment, w.variant, w.prompt_set
        ),
    output:
        "results/{experiment}/{variant}/run-{run}/images/{prompt_set}.json",
    log:
        "logs/{experiment}/face_detail/{variant}.run-{run}.{prompt_set}.log",
    benchmark:
        "benchmarks/{experiment}/face_detail/{variant}.run-{run}.{prompt_set}.tsv"
    wildcard_constraints:
        variant=DETAILED,
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: face_detail_specs.face_detail_spec(
            PLAN, w.experiment, w.variant, w.prompt_set
        ).canonical(),
        version=step_version("face_detail"),
        base=lambda w: base_identity(drawing_base(w)),
    message:
        "{wildcards.experiment}: faces of {wildcards.prompt_set} by {wildcards.variant}, run {wildcards.run}"
    shell:
        "python scripts/face_detail.py --spec {params.spec:q} --manifest {input.pictures:q}"
        " --scores {input.scores:q} --texts {input.texts:q} --adapter {input.adapters:q}"
        " --store resources/store/images --out {output:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"
