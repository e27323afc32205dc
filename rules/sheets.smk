"""Contact sheets, photos beside renderings, and training curves.

needs: lists of pictures, training.csv; prepared photos for photos beside renderings
gives: results/<experiment>/<variant>/sheets/<prompt_set>.png, a variant's pictures;
       results/<experiment>/sheets/<prompt_set>.png, all variants, one below the other;
       results/<experiment>/likeness/<dataset>.png, photos beside renderings;
       results/<experiment>/curves.png, the loss of all trainings
"""


localrules:
    sheet_of_variant,
    sheet_of_all,
    likeness,
    curves,


rule sheet_of_variant:
    """A variant's pictures of one prompt set: prompts in rows, a column a seed."""
    input:
        lambda w: paths.paths(of_variant(w)),
    output:
        report(
            "results/{experiment}/{variant}/sheets/{prompt_set}.png",
            caption="../report/captions/sheet.rst",
            category="{experiment}",
            subcategory="pictures by variant",
        ),
    log:
        "logs/{experiment}/sheets/{variant}.{prompt_set}.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: SheetSpec(title=f"{w.variant}: {w.prompt_set}").canonical(),
        version=step_version("sheet"),
        pictures=lambda w: paths.options("--manifest", of_variant(w)),
    message:
        "{wildcards.experiment}: sheet of {wildcards.prompt_set} by {wildcards.variant}"
    shell:
        "python scripts/contact_sheet.py --spec {params.spec:q} {params.pictures:q} --out {output:q}"
        " 2>&1 | tee -i {log:q}"


rule sheet_of_all:
    """One prompt set by all variants, under each other: the same seed in a column."""
    input:
        lambda w: paths.paths(of_all(w)),
    output:
        report(
            "results/{experiment}/sheets/{prompt_set}.png",
            caption="../report/captions/sheet.rst",
            category="{experiment}",
            subcategory="pictures, variants compared",
        ),
    log:
        "logs/{experiment}/sheets/{prompt_set}.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: SheetSpec(title=f"{w.experiment}: {w.prompt_set}").canonical(),
        version=step_version("sheet"),
        pictures=lambda w: paths.options("--manifest", of_all(w)),
    message:
        "{wildcards.experiment}: sheet of {wildcards.prompt_set} by all variants"
    shell:
        "python scripts/contact_sheet.py --spec {params.spec:q} {params.pictures:q} --out {output:q}"
        " 2>&1 | tee -i {log:q}"


rule likeness:
    """Every character's photos beside pictures of it alone."""
    input:
        pictures=lambda w: paths.paths(of_solos(w)),
        images="resources/{dataset}/images.json",
        captions="resources/{dataset}/captions.jsonl",
    output:
        report(
            "results/{experiment}/likeness/{dataset}.png",
            caption="../report/captions/likeness.rst",
            category="{experiment}",
            subcategory="photos beside pictures",
        ),
    log:
        "logs/{experiment}/likeness/{dataset}.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: SheetSpec(
            characters=PLAN.experiments[w.experiment].characters
        ).canonical(),
        version=step_version("sheet"),
        pictures=lambda w: paths.options("--manifest", of_solos(w)),
    message:
        "{wildcards.experiment}: photos of {wildcards.dataset} beside renderings"
    shell:
        "python scripts/contact_sheet.py --spec {params.spec:q} {params.pictures:q} --images {input.images:q}"
        " --captions {input.captions:q} --images-dir resources/{wildcards.dataset}/images"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule curves:
    """Loss and learning rate of all trainings."""
    input:
        lambda w: paths.paths(of_trainings(w)),
    output:
        report(
            "results/{experiment}/curves.png",
            caption="../report/captions/curves.rst",
            category="{experiment}",
            subcategory="training",
        ),
    log:
        "logs/{experiment}/curves.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: CurveSpec(title=f"{w.experiment}: training loss").canonical(),
        version=step_version("curves"),
        runs=lambda w: paths.options("--run", of_trainings(w)),
    message:
        "{wildcards.experiment}: training curves"
    shell:
        "python scripts/plot_training_curves.py --spec {params.spec:q} {params.runs:q} --out {output:q}"
        " 2>&1 | tee -i {log:q}"
