"""Kindred: from photos of a few people to character LoRAs and their pictures.

`config/config.yaml` names the experiments; `snakemake` builds whatever of them is missing or stale.
"""

from snakemake.utils import min_version

min_version("9.27")


include: "rules/start.smk"
include: "rules/common.smk"
include: "rules/lost_files.smk"
include: "rules/draw.smk"
include: "rules/preprocess.smk"
include: "rules/caption.smk"
include: "rules/audit.smk"
include: "rules/encode.smk"
include: "rules/train.smk"
include: "rules/render.smk"
include: "rules/sheets.smk"
include: "rules/score.smk"
include: "rules/compare.smk"
include: "rules/power.smk"
include: "rules/report.smk"


# Those that few experiments need, or that somebody asks for by name (workflow/rule_files.py).
for name in rule_files.further(PLAN, CLASSES, FAMILIES, sys.argv):

    include: f"rules/{name}.smk"


localrules:
    all,


rule all:
    """Everything that the configured experiments ask for."""
    default_target: True
    input:
        paths.all_targets(PLAN),
        paths.families_targets(FAMILIES),
    message:
        "finished: see " + ", ".join(f"results/{name}" for name in PLAN.experiments)


rule_functions.write_signatures(workflow.rules)
rule_functions.end_in_a_sentence(snakemake.rules, commands.complete, PLAN)
snakemake.persistence.ParamsChange.__str__ = rule_functions.what_changed
PARSED.save()
sys.dont_write_bytecode, sys.pycache_prefix = BYTECODE
