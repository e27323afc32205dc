"""Kindred: from photos of a few people to character LoRAs and their pictures.

`config/config.yaml` names the experiments; `snakemake` builds whatever of them is missing or stale.
"""

from snakemake.utils import min_version

min_version("9.27")


include: "rules/common.smk"
include: "rules/lost_files.smk"
include: "rules/cluster.smk"
include: "rules/lab.smk"
include: "rules/draw.smk"
include: "rules/prior.smk"
include: "rules/preprocess.smk"
include: "rules/caption.smk"
include: "rules/compose.smk"
include: "rules/audit.smk"
include: "rules/encode.smk"
include: "rules/train.smk"
include: "rules/together.smk"
include: "rules/render.smk"
include: "rules/sheets.smk"
include: "rules/score.smk"
include: "rules/face_detail.smk"
include: "rules/ceiling.smk"
include: "rules/steps.smk"
include: "rules/together_pictures.smk"
include: "rules/compare.smk"
include: "rules/families.smk"
include: "rules/power.smk"
include: "rules/report.smk"


localrules:
    all,


rule all:
    """Everything that the configured experiments ask for."""
    default_target: True
    input:
        paths.all_targets(PLAN),
        family_jobs.targets(COMPARABLE),
    message:
        "finished: see " + ", ".join(f"results/{name}" for name in PLAN.experiments)


rule_functions.write_signatures(workflow.rules)
