"""What the rules share: the plan, canonical spec strings, step versions, file names.

Every rule that computes has two or three params, each one string, because Snakemake compares params
as a set of values without their names:
  spec     its slice of the configuration, as canonical JSON
  version  the step's version, with the step's name in it
  base     which version of a model it uses, with its architecture's version
"""

import gc
import os
import re
import shlex
import sys
from functools import cache
from pathlib import Path

from snakemake.logging import logger

from kindred.models.identity import architecture_of, identity
from kindred.models.training_adapter import known_identity
from kindred.workflow import (
    asked_files,
    calibrated,
    ceilings,
    executors,
    face_detail_specs,
    paths,
    report_specs,
    rule_files,
    rule_functions,
    scoring_specs,
)
from kindred.config import declaration, family_files
from kindred.config.user_schema import BASE_VARIANT
from kindred.config.prior_preservation import (
    class_image_render_spec,
    class_image_texts,
    standalone_class_images,
)
from kindred.config.stranger_pictures import stranger_class_images
from kindred.config.load_plan import load_plan
from kindred.workflow import frozen_plan, lost_files, slurm_jobs, told_once
from kindred.workflow.checkout import check_checkout
from kindred.workflow.downloads import check_downloads
from kindred.common import commands, planned_code
from kindred.common.planned_config import planned_config
from kindred.common.errors import KindredError, message
from kindred.common.experiment_log import LOGS, LOGS_VARIABLE, log_path
from kindred.judges.version import version_of
from kindred.specs.report import CurveSpec, SheetSpec
from kindred.specs.step_series import SELECTION
from kindred.common.versions import (
    REVISION_VARIABLE,
    code_revision,
    part_version,
    step_version,
)


onstart:
    gc.enable()
    if workflow.is_main_process:
        if not workflow.local_exec:
            or_stop(executors.check_elsewhere, PLAN.device)
        else:
            # Its timers never end, one more for every job: while jobs wait for a GPU, Snakemake
            # would choose among them ever more often (docs/decisions/workflow.md).
            workflow.scheduler.job_rate_limiter = None
            if workflow.executor_plugin.name == "local":
                needed = bases_needed()
                or_stop(check_downloads, PLAN.device, PLAN.bases, needed, Path("."))
        or_stop(slurm_jobs.settle, os.environ.get(slurm_jobs.REQUEST, ""))
        if workflow.executor_plugin.name == "slurm":
            slurm_jobs.mark()
            logger.addHandler(slurm_jobs.Reasons())
        freeze()
        if any(
            job.rule.name == "check_node" for job in workflow.dag.needrun_jobs()
        ):
            from kindred.workflow import cluster_check

            cluster_check.prepare()
        put_adapters_back()


# Rules say `python`: that is the one Snakemake itself runs in, also without an activated .venv.
# Unbuffered, so that lines of progress pass through `tee` at once.
PYTHON = shlex.quote(str(Path(sys.executable).parent))
PREFIX = f"set -euo pipefail; export PATH={PYTHON}:$PATH PYTHONUNBUFFERED=1; "


def or_stop(function, *arguments):
    """The function's result; a person's mistake ends in its message instead of a stack trace."""
    try:
        return function(*arguments)
    except KindredError as error:
        sys.exit(commands.complete(f"error: {error}"))


or_stop(check_checkout, workflow.basedir)

# A mistake is told at the end: `tee` of rules is one that leaves it out, so that no rule changes.
if workflow.is_main_process and told_once.tell_once(logger):
    tee = shlex.quote(str(SCRIPTS / "kindred/workflow/told_once.py"))
    PREFIX += f'tee() {{{{ python -IS {tee} "$@"; }}}}; '
shell.prefix(PREFIX)


def freeze():
    """Give what is started from here the plan and the code as they are now, so that a job does what
    was planned when it is started later."""
    exported = {
        frozen_plan.VARIABLE: str(FROZEN.write()),
        planned_code.VARIABLE: PLANNED_CODE,
        REVISION_VARIABLE: code_revision(),
        LOGS_VARIABLE: str(LOGS),
        **commands.asked(config.get("experiments")),
    }
    os.environ.update(exported)
    workflow.register_envvars(*exported)


if workflow.is_main_process:
    for variable in (
        *(frozen_plan.VARIABLE, planned_code.VARIABLE),
        *(REVISION_VARIABLE, LOGS_VARIABLE, commands.VARIABLE),
    ):
        os.environ.pop(variable, None)  # of a Snakemake that started this one
    os.environ.update(commands.asked(config.get("experiments")))
    FROZEN = or_stop(frozen_plan.FrozenPlan.take, Path("config"), config)
    PLANNED_CODE = planned_code.code_hash()
    PLAN = or_stop(load_plan, Path("."), config)
elif planned_code.was_changed():
    said = message("", planned_code.CHANGED, planned_code.CURE)
    sys.exit(commands.complete(f"error: {said}"))
elif frozen_plan.VARIABLE in os.environ:
    frozen = Path(os.environ[frozen_plan.VARIABLE])
    PLAN = or_stop(frozen_plan.load_frozen, Path("."), frozen)
else:  # started by hand
    PLAN = or_stop(load_plan, Path("."), config)
if workflow.is_main_process:
    or_stop(asked_files.check_asked, sys.argv[1:], PLAN, Path("."))
    profile = executors.losing_profile(sys.argv[1:], os.environ)
    for warning in [*PLAN.warnings, *filter(None, [profile, slurm_jobs.remark()])]:
        print(commands.complete(f"warning: {warning}"), file=sys.stderr)
DATASETS = PLAN.datasets
DRAWN = {name: dataset.lab for name, dataset in DATASETS.items() if dataset.lab}
MADE = {name: dataset.made for name, dataset in DATASETS.items() if dataset.made}
PRIORS = {
    name: dataset.class_images
    for name, dataset in DATASETS.items()
    if dataset.class_images
}
FAMILIES = or_stop(family_files.asked, planned_config(), PLAN.experiments)
CLASSES = standalone_class_images(PLAN) | stranger_class_images(PLAN)
# Variants whose pictures were made elsewhere, as a pattern that nothing fits where there are none.
ELSEWHERE = "|".join(map(re.escape, paths.elsewhere(PLAN))) or "(?!)"
# The same of those that draw faces of others' pictures again.
DETAILED = "|".join(map(re.escape, face_detail_specs.detailed(PLAN))) or "(?!)"


wildcard_constraints:
    # Another experiment's files are files like any other: a configuration may name them.
    experiment="|".join(map(re.escape, PLAN.experiments)),
    variant="[^/]+",
    dataset="[^/]+",
    base="[^/]+",
    prompt_set="[^/]+",
    run=r"\d+",
    step=r"\d+",
    tokens=r"\d+",


@cache
def model_identity(model, revision, parts):
    """`id@revision`; of a local folder a hash of its files."""
    return or_stop(identity, model, revision, parts)


def base_identity(name, role="all"):
    """Which version of a base's parts is in use: those for images, text, pictures, or all."""
    base = PLAN.bases[name]
    architecture = or_stop(architecture_of, base)
    version, parts = part_version(architecture), architecture.parts.folders(role)
    return f"{version} {model_identity(base.model, base.revision, parts)}"


def trained_identity(name):
    """The same of a base that is trained on, with the adapter that is fused meanwhile."""
    return base_identity(name) + or_stop(known_identity, PLAN.bases[name])


def caption_identity(dataset):
    """Which version of the captioner is in use; '' without one."""
    captioner = DATASETS[dataset].caption.captioner
    return (
        f"{part_version('blip')} {model_identity(captioner.model, captioner.revision, ('.',))}"
        if captioner
        else ""
    )


def finder_identity(spec):
    """Which versions of the models that find people are in use; '' for the truth of drawings."""
    segmenter, judge = spec.segmenter, spec.judge
    parts = (
        [model_identity(segmenter.model, segmenter.revision, (".",))]
        if segmenter
        else []
    )
    return " ".join(parts + ([or_stop(version_of, judge)] if judge else []))


@cache
def judge_version(experiment):
    """Which version of an experiment's judge is in use."""
    return or_stop(version_of, PLAN.experiments[experiment].judge)


@cache
def known_by(experiment):
    """By which files an experiment's judge knows the characters: facts, vectors."""
    return calibrated.known_by(PLAN, experiment)


def facts_known(w):
    """What the judge goes by."""
    return known_by(w.experiment)[0]


def vectors_known(w):
    """The faces that the judge knows."""
    return known_by(w.experiment)[1]


def bases_needed():
    """Which versions of bases the jobs that are about to run use."""
    return (str(getattr(job.params, "base", "")) for job in workflow.dag.needrun_jobs())


def put_adapters_back():
    """Give the adapter store what results/ has of the trainings that are about to run, where it was
    emptied, so that nothing is trained again because something before it is made again.
    """
    from kindred.training import adapter_store, kept_steps

    folders = []
    for job in workflow.dag.needrun_jobs():
        if job.rule.name == "train":
            folders.append(os.path.dirname(job.output.adapter))
        elif job.rule.name == "train_together":
            name = job.wildcards.experiment
            for variant in PLAN.experiments[name].trained:
                folders += paths.run_folders(name, variant)
    for folder in folders:
        try:
            adapter_store.put_back(adapter_store.STORE, Path(folder))
            kept_steps.put_back(adapter_store.STORE, Path(folder))
        except KindredError as error:
            print(f"warning: {error}", file=sys.stderr)


def options_of(model, *keys):
    """Command-line options named like a model's fields."""
    options = {key.replace("_", "-"): getattr(model, key) for key in keys}
    return " ".join(f"--{name} {value}" for name, value in options.items())


# Unset where jobs go to a cluster: how many cores its nodes have is for max-threads of the profile.
CORES = getattr(workflow.global_resources.get("_cores"), "value", None) or 1


def threads_each():
    """CPU threads of one training or rendering: two with one thread beat one with two."""
    wanted = PLAN.device.threads
    return max(1, CORES // 4) if wanted == "auto" else wanted


THREADS = threads_each()
# Processes that prepare photos. Never all cores: a job that needs all of them waits as long as any
# other one runs.
WORKERS = max(1, min(4, CORES // 2))
DEVICE = PLAN.device.kind
GPU_LIMIT = getattr(workflow.global_resources.get("gpu"), "value", None)
GPUS_EACH = executors.slots_each(PLAN.device, GPU_LIMIT)
# Of a first look, where cores are left for others; how many a cluster has is unknown, so none there.
WAITING = executors.jobs_waiting(PLAN.device, PLAN.experiments, CORES > 2 * THREADS)
if PLAN.device.jobs_per_gpu + WAITING > 1 and workflow.is_main_process:
    slots = executors.gpu_slots(PLAN.device, GPU_LIMIT) + WAITING
    workflow.register_resource("gpu", slots)
# Only trainings are shared by several processes.
GPUS_TO_TRAIN = GPUS_EACH * PLAN.device.processes
# Through the environment, not on command lines: these settings make nothing stale.
os.environ.update(PLAN.environment())


@cache
def source_folder(dataset):
    """Where a dataset's photos lie."""
    made = dataset in DRAWN or dataset in PRIORS or dataset in MADE
    return f"resources/{dataset}/photos" if made else DATASETS[dataset].source


def folders_to_audit(dataset):
    """Where the photos lie that a dataset shows: those of what composites are made of first."""
    made = MADE.get(dataset)
    return [source_folder(name) for name in ([made.of] if made else []) + [dataset]]


def people_to_audit(dataset):
    """people.yaml beside the photos, where one is."""
    own = MADE[dataset].of if dataset in MADE else dataset
    if DATASETS[own].source is None:
        return []
    from kindred.data import people_file

    files = source_files(own)[1]
    return [file for file in files if os.path.basename(file) == people_file.NAME]


def composites_source(made):
    """Where the photos of composites lie, and with an option more the strangers, where any are cut
    in: one param for both, so that composites without strangers stay as they are."""
    folder, files = source_folder(made.of), paths.strangers_files(made)
    return (
        [folder, "--strangers", source_folder(made.strangers), *files]
        if files
        else folder
    )


@cache
def source_files(dataset):
    """The dataset's files: (photos, caption files). A new or lost file is a changed input."""
    folder = source_folder(dataset)
    if dataset in MADE:
        return [paths.composites_file(dataset)], [f"{folder}/captions.csv"]
    if dataset in DRAWN or dataset in PRIORS:
        prior = PRIORS.get(dataset)
        names = prior.names if prior else paths.album_names(DRAWN[dataset])
        return [f"{folder}/{name}" for name in names], [f"{folder}/captions.csv"]
    from kindred.data.photo_folder import as_inputs, check_ids, check_inputs, scan

    found = or_stop(scan, Path(folder))
    or_stop(check_ids, found)
    or_stop(check_inputs, found)
    captions = found.tables + found.sidecars + ([found.people] if found.people else [])
    photos = [photo.path for photo in found.photos]
    return tuple(
        as_inputs(files, Path(f"resources/{dataset}/dated-in-future-{kind}.json"))
        for kind, files in (("photos", photos), ("captions", captions))
    )


def variant_of(wildcards):
    """The variant that a path belongs to."""
    return PLAN.variant(wildcards.experiment, wildcards.variant)


def version_of_training(variant):
    """The step's version, with that of how captions are dealt where a control asks for it."""
    dealt = variant.train.pairing == "dealt"
    return step_version("train", "dealt") if dealt else step_version("train")


def samples_of(w):
    """What a training draws on its way: options of its program, each with its file."""
    return paths.sample_files(PLAN.experiments[w.experiment], variant_of(w))


def drawing_base(w):
    """The base that draws a variant's pictures of a prompt set."""
    return PLAN.experiments[w.experiment].drawing_base(w.variant, w.prompt_set)


def drawing_bases(w):
    """The bases that draw a variant's pictures."""
    experiment = PLAN.experiments[w.experiment]
    return sorted(
        {experiment.drawing_base(w.variant, name) for name in experiment.prompt_sets}
    )


def of_variant(w):
    """A variant's lists of pictures of one prompt set, each with its label."""
    return paths.of_runs(w.experiment, [variant_of(w)], f"images/{w.prompt_set}.json")


def of_all(w):
    """Every variant's lists of pictures of one prompt set, each with its label."""
    variants = PLAN.experiments[w.experiment].variants.values()
    return paths.of_runs(w.experiment, variants, f"images/{w.prompt_set}.json")


def of_solos(w):
    """Lists of pictures of one character alone, by the variants trained on a dataset."""
    return paths.of_solos(PLAN.experiments[w.experiment], w.dataset)


def of_trainings(w):
    """The log of every training, each with its label."""
    return paths.of_runs(
        w.experiment, PLAN.experiments[w.experiment].trained, "training.csv"
    )
