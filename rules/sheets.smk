"""Pictures about pictures: contact sheets, photos beside renderings, training curves.

needs: lists of pictures, training.csv; for photos beside renderings the prepared photos
gives: results/<experiment>/<variant>/sheets/<prompt_set>.png, a variant's pictures;
       results/<experiment>/sheets/<prompt_set>.png, all variants under each other;
       results/<experiment>/likeness/<dataset>.png, photos beside renderings;
       results/<experiment>/curves.png, loss of all trainings
"""

from kindred.names import letters_in
from kindred.spec.sheet import CurveSpec, SheetSpec

# Beyond this many variants one picture of all of them helps nobody; each variant still has its own.
COMPARED = 40


def labelled(experiment, variants, file):
    """label=path for one file of every run, as the drawing programs take it."""
    folder = f"results/{experiment}"
    return [
        f"{v.name}{f', run {k}' if len(v.runs) > 1 else ''}={folder}/{v.name}/run-{k}/{file}"
        for v in variants
        for k in v.runs
    ]


def paths(pairs):
    """The files of label=path pairs."""
    return [pair.partition("=")[2] for pair in pairs]


def options(name, pairs):
    """--name label=path ... for the command line."""
    return [word for pair in pairs for word in (name, pair)]


def of_variant(w):
    """A variant's picture lists of one prompt set."""
    return labelled(w.experiment, [variant_of(w)], f"images/{w.prompt_set}.json")


def of_all(w):
    """Every variant's picture lists of one prompt set."""
    variants = PLAN.experiments[w.experiment].variants.values()
    return labelled(w.experiment, variants, f"images/{w.prompt_set}.json")


def solo_prompt_sets(experiment):
    """The prompt sets that ask for some character alone."""
    texts = {name: asked.texts() for name, asked in experiment.prompt_sets.items()}
    return [
        name
        for name, prompts in texts.items()
        if any(
            len(letters_in(text, experiment.characters)) == 1
            for text in prompts.values()
        )
    ]


def of_solos(w):
    """First runs of the variants trained on a dataset, for prompt sets that ask for one person."""
    experiment = PLAN.experiments[w.experiment]
    variants = [v for v in experiment.trained if v.dataset == w.dataset]
    return [
        f"{v.name}=results/{w.experiment}/{v.name}/run-{v.runs[0]}/images/{name}.json"
        for v in variants
        for name in solo_prompt_sets(experiment)
    ]


def of_trainings(w):
    """Every training's log."""
    return labelled(
        w.experiment, PLAN.experiments[w.experiment].trained, "training.csv"
    )


def sheets(experiment):
    """All sheets of an experiment."""
    folder = f"results/{experiment.name}"
    wanted = [
        f"{folder}/{variant}/sheets/{name}.png"
        for variant in experiment.variants
        for name in experiment.prompt_sets
    ]
    if len(experiment.variants) <= COMPARED:
        wanted += [f"{folder}/sheets/{name}.png" for name in experiment.prompt_sets]
        wanted += [f"{folder}/curves.png"] if experiment.trained else []
        if solo_prompt_sets(experiment):
            wanted += [
                f"{folder}/likeness/{dataset}.png" for dataset in experiment.datasets
            ]
    return wanted


rule sheet_of_variant:
    """A variant's pictures of one prompt set: prompts in rows, a column a seed."""
    input:
        lambda w: paths(of_variant(w)),
    output:
        "results/{experiment}/{variant}/sheets/{prompt_set}.png",
    log:
        "logs/{experiment}/sheets/{variant}.{prompt_set}.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: SheetSpec(title=f"{w.variant}: {w.prompt_set}").canonical(),
        code=code("sheet"),
        pictures=lambda w: options("--manifest", of_variant(w)),
    message:
        "{wildcards.experiment}: sheet of {wildcards.prompt_set} by {wildcards.variant}"
    shell:
        "python scripts/sheet.py --spec {params.spec:q} {params.pictures:q} --out {output:q}"
        " 2>&1 | tee -i {log:q}"


rule sheet_of_all:
    """One prompt set by all variants, under each other: the same seed in a column."""
    input:
        lambda w: paths(of_all(w)),
    output:
        "results/{experiment}/sheets/{prompt_set}.png",
    log:
        "logs/{experiment}/sheets/{prompt_set}.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: SheetSpec(title=f"{w.experiment}: {w.prompt_set}").canonical(),
        code=code("sheet"),
        pictures=lambda w: options("--manifest", of_all(w)),
    message:
        "{wildcards.experiment}: sheet of {wildcards.prompt_set} by all variants"
    shell:
        "python scripts/sheet.py --spec {params.spec:q} {params.pictures:q} --out {output:q}"
        " 2>&1 | tee -i {log:q}"


rule likeness:
    """Every character's photos beside pictures of it alone."""
    input:
        pictures=lambda w: paths(of_solos(w)),
        images="resources/{dataset}/images.json",
        captions="resources/{dataset}/captions.jsonl",
    output:
        "results/{experiment}/likeness/{dataset}.png",
    log:
        "logs/{experiment}/likeness/{dataset}.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: SheetSpec(
            characters=PLAN.experiments[w.experiment].characters
        ).canonical(),
        code=code("sheet"),
        pictures=lambda w: options("--manifest", of_solos(w)),
    message:
        "{wildcards.experiment}: photos of {wildcards.dataset} beside renderings"
    shell:
        "python scripts/sheet.py --spec {params.spec:q} {params.pictures:q} --images {input.images:q}"
        " --captions {input.captions:q} --images-dir resources/{wildcards.dataset}/images"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule curves:
    """Loss and learning rate of all trainings."""
    input:
        lambda w: paths(of_trainings(w)),
    output:
        "results/{experiment}/curves.png",
    log:
        "logs/{experiment}/curves.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: CurveSpec(title=f"{w.experiment}: training loss").canonical(),
        code=code("curve"),
        runs=lambda w: options("--run", of_trainings(w)),
    message:
        "{wildcards.experiment}: training curves"
    shell:
        "python scripts/curve.py --spec {params.spec:q} {params.runs:q} --out {output:q}"
        " 2>&1 | tee -i {log:q}"
