"""The ceiling of cast accuracy: the lab's own drawings of the casts, judged like all pictures.

needs: nothing that is trained; a base's autoencoder and the judge's references
gives: results/<experiment>/ceiling/images/<prompt_set>.json, lists of pictures, and their scores;
       results/<experiment>/ceiling.json, how many are right by cast and canvas
Only experiments whose casts are all of drawn people have one. `snakemake ceiling` makes it alone.
"""


localrules:
    sum_ceiling,
    ceiling,


rule ceiling:
    """The ceilings of all experiments, before anything is trained."""
    input:
        ceilings.all_figures(PLAN),
    message:
        "finished: the ceilings"


rule draw_ceiling:
    """Draw whom and what every prompt asks for, and encode and decode it with the base's
    autoencoder. Pictures that are in the store are kept."""
    input:
        nothing_to_draw_by,
    output:
        "results/{experiment}/ceiling/images/{prompt_set}.json",
    log:
        "logs/{experiment}/ceiling/draw.{prompt_set}.log",
    benchmark:
        "benchmarks/{experiment}/ceiling/draw.{prompt_set}.tsv"
    priority: 50
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: ceilings.ceiling_spec(
            PLAN, PLAN.experiments[w.experiment], w.prompt_set
        ).canonical(),
        version=step_version("ceiling"),
        base=lambda w: base_identity(
            PLAN.experiments[w.experiment].drawing_base(BASE_VARIANT, w.prompt_set),
            "image",
        ),
    message:
        "{wildcards.experiment}: drawing the casts of {wildcards.prompt_set}"
    shell:
        "python scripts/draw_ceiling.py --spec {params.spec:q} --store resources/store/images"
        " --out {output:q} --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


rule score_ceiling:
    """Find the people in the drawings, as in all other pictures."""
    input:
        pictures="results/{experiment}/ceiling/images/{prompt_set}.json",
        facts=facts_known,
        vectors=vectors_known,
    output:
        table="results/{experiment}/ceiling/scores/{prompt_set}.csv",
        made_by="results/{experiment}/ceiling/scores/{prompt_set}.json",
    log:
        "logs/{experiment}/ceiling/score.{prompt_set}.log",
    benchmark:
        "benchmarks/{experiment}/ceiling/score.{prompt_set}.tsv"
    priority: 50
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: scoring_specs.drawn_score_spec(
            PLAN.experiments[w.experiment], w.prompt_set
        ).canonical(),
        version=step_version("score"),
        judge=lambda w: judge_version(w.experiment),
    message:
        "{wildcards.experiment}: scores of the drawn casts of {wildcards.prompt_set}"
    shell:
        "python scripts/score.py --spec {params.spec:q} --manifest {input.pictures:q}"
        " --references {input.facts:q} --vectors {input.vectors:q} --variant ceiling --run 1"
        " --out {output.table:q} --device {resources.device} --threads {threads}"
        " 2>&1 | tee -i {log:q}"


rule sum_ceiling:
    """The share judged right by cast and canvas; what is under 95 % is warned of."""
    input:
        pictures=lambda w: ceilings.lists_of(PLAN, PLAN.experiments[w.experiment]),
        scores=lambda w: ceilings.tables_of(PLAN, PLAN.experiments[w.experiment]),
    output:
        "results/{experiment}/ceiling.json",
    log:
        "logs/{experiment}/ceiling/sum.log",
    priority: 50
    conda:
        "../envs/environment.yaml"
    params:
        version=step_version("ceiling"),
    message:
        "{wildcards.experiment}: the ceiling"
    shell:
        "python scripts/sum_ceiling.py --pictures {input.pictures:q} --scores {input.scores:q}"
        " --out {output:q} 2>&1 | tee -i {log:q}"
