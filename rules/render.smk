"""Pictures: every prompt set with every seed, by every variant and run, and by the base alone.

needs: embedded prompts and adapters
gives: results/<experiment>/<variant>/run-<k>/images/<prompt_set>.json, the list of its pictures;
       the pictures lie in resources/store/images under a key of all that they depend on
"""


rule render:
    """Draw the pictures of one prompt set that are not in the store yet. The base is loaded once,
    and only if a picture is missing."""
    input:
        adapters=adapters_to_draw_with,
        prompts=lambda w: paths.prompts_of(PLAN, w.experiment, w.variant, w.prompt_set),
        shown=lambda w: paths.photos_shown(filter(None, [variant_of(w).references])),
    output:
        "results/{experiment}/{variant}/run-{run}/images/{prompt_set}.json",
    log:
        "logs/{experiment}/render/{variant}.run-{run}.{prompt_set}.log",
    benchmark:
        "benchmarks/{experiment}/render/{variant}.run-{run}.{prompt_set}.tsv"
    wildcard_constraints:
        variant=f"(?!(?:{ELSEWHERE}|{DETAILED})/)[^/]+",
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: PLAN.render_spec(
            w.experiment, w.variant, w.prompt_set
        ).canonical(),
        version=step_version("render"),
        base=lambda w: base_identity(drawing_base(w)),
    message:
        "{wildcards.experiment}: {wildcards.prompt_set} by {wildcards.variant}, run {wildcards.run}"
    shell:
        "python scripts/render.py --spec {params.spec:q} --prompts {input.prompts:q}"
        " --adapter {input.adapters:q} --store resources/store/images --out {output:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"
