"""Kindred: from photos of a few people to character LoRAs and their pictures.

`config/config.yaml` names the experiments; `snakemake` builds whatever of them is missing or stale.
"""

from snakemake.utils import min_version

min_version("9.27")


include: "rules/common.smk"
include: "rules/draw.smk"
include: "rules/preprocess.smk"
include: "rules/caption.smk"
include: "rules/audit.smk"
include: "rules/encode.smk"
include: "rules/train.smk"
include: "rules/render.smk"
include: "rules/sheets.smk"


def everything():
    """The files that stand for finished experiments."""
    wanted = []
    for experiment in PLAN.experiments.values():
        folder = f"results/{experiment.name}"
        wanted += [f"{folder}/audit/{dataset}.html" for dataset in experiment.datasets]
        wanted += sheets(experiment)
        for variant in experiment.variants.values():
            for run in (f"{folder}/{variant.name}/run-{k}" for k in variant.runs):
                wanted += [
                    f"{run}/images/{name}.json" for name in experiment.prompt_sets
                ]
                wanted += [f"{run}/lora.safetensors"] if variant.train else []
    return wanted


localrules:
    all,


rule all:
    """Everything that the configured experiments ask for."""
    default_target: True
    input:
        everything(),
