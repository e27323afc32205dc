"""Where the workflow's files lie: from a plan to the paths that rules ask for.

Knows the layout of results/ and resources/; knows nothing of what is in the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kindred.characters.trigger_words import letters_in
from kindred.config.lab_album import LabFamily
from kindred.config.plan import CompositeSource, Dataset, Experiment, Plan, Variant
from kindred.config.user_schema import BASE_VARIANT
from kindred.specs.reference_pictures import ShownPhotos
from kindred.specs.samples import SAMPLES
from kindred.specs.step_series import adapter_file, step_file
from kindred.world.families import photo_names, stranger_names

PHOTOS_WITH_NAMES = ("images.json", "captions.jsonl")
# Beyond this many variants nobody looks at every sheet or rates pictures of all: those files are
# made when asked for by name.
SHEETS_UP_TO = 40


def all_targets(plan: Plan) -> list[str]:
    """The files that stand for finished experiments."""
    wanted: list[str] = []
    for experiment in plan.experiments.values():
        folder = f"results/{experiment.name}"
        wanted += [f"{folder}/audit/{dataset}.html" for dataset in audited(experiment)]
        wanted += sheets(experiment) if len(experiment.variants) <= SHEETS_UP_TO else []
        # The page picks a number of pictures itself, however many there are.
        wanted += [f"{folder}/rating.html"]
        wanted += [f"{folder}/declared.json"] if experiment.hypotheses else []
        wanted += power_table(experiment)
        wanted += [f"{folder}/live.html"] if experiment.samples and experiment.trained else []
        wanted += [f"{folder}/report.html"] if experiment.judge else []
        for variant in experiment.variants.values():
            for run in run_folders(experiment.name, variant):
                wanted += [f"{run}/images/{name}.json" for name in experiment.prompt_sets]
                wanted += [f"{run}/lora.safetensors"] if variant.train else []
    return wanted


def power_table(experiment: Experiment) -> list[str]:
    """What an experiment's design can find; none where nothing is claimed."""
    return [f"results/{experiment.name}/power.json"] if experiment.hypotheses else []


def power_tables(plan: Plan) -> list[str]:
    """The same of all experiments."""
    return [path for one in plan.experiments.values() for path in power_table(one)]


def tables_to_send(plan: Plan) -> list[str]:
    """The tables without names, of all experiments that are judged."""
    return [
        f"results/{one.name}/figures-to-send.csv" for one in plan.experiments.values() if one.judge
    ]


def told_by_runs(experiment: Experiment) -> list[str]:
    """What the report reads besides figures: settings, summaries and logs of all trainings, the
    lists of all pictures."""
    folder = f"results/{experiment.name}"
    wanted = [f"{folder}/{variant.name}/spec.json" for variant in experiment.trained]
    wanted += [f"{folder}/audit/{dataset}.json" for dataset in audited(experiment)]
    for variant in experiment.variants.values():
        for run in run_folders(experiment.name, variant):
            wanted += [f"{run}/{file}" for file in ("lora.json", "training.csv") if variant.train]
    return wanted + lists_of_pictures(experiment)


def lists_of_pictures(experiment: Experiment) -> list[str]:
    """The manifests of all variants, runs and prompt sets."""
    return [
        f"{run}/images/{name}.json"
        for variant in experiment.variants.values()
        for run in run_folders(experiment.name, variant)
        for name in experiment.prompt_sets
    ]


def photos_of(experiment: Experiment) -> list[str]:
    """The lists of prepared photos and their captions; none when they are not to be shown."""
    shown = [] if experiment.hide_photos else experiment.photos_trained_on
    return [f"resources/{dataset}/{file}" for dataset in shown for file in PHOTOS_WITH_NAMES]


def audited(experiment: Experiment) -> list[str]:
    """The datasets trained on, and the photos that they were made of."""
    return sorted({*experiment.datasets, *experiment.photos_trained_on})


def sheets(experiment: Experiment) -> list[str]:
    """All contact sheets of an experiment; with `hide_photos` none that shows photos."""
    folder = f"results/{experiment.name}"
    wanted = [
        f"{folder}/{variant}/sheets/{name}.png"
        for variant in experiment.variants
        for name in experiment.prompt_sets
    ]
    wanted += [f"{folder}/sheets/{name}.png" for name in experiment.prompt_sets]
    wanted += [f"{folder}/curves.png"] if experiment.trained else []
    if solo_prompt_sets(experiment) and not experiment.hide_photos:
        wanted += [f"{folder}/likeness/{dataset}.png" for dataset in experiment.photos_trained_on]
    return wanted


def run_folders(experiment: str, variant: Variant) -> list[str]:
    """results/<experiment>/<variant>/run-<k> for each of its runs."""
    return [f"results/{experiment}/{variant.name}/run-{k}" for k in variant.runs]


def encoded_folder(variant: Variant) -> str:
    """Where the encoded photos and captions that a variant trains on lie."""
    return f"resources/encoded/{variant.base}/{variant.dataset}"


def step_adapter(experiment: str, variant: Variant, run: int | str, step: int) -> str:
    """The adapter of a kept step; that of the last step is the finished one."""
    last = variant.train.recipe.steps if variant.train else 0
    return f"results/{experiment}/{variant.name}/run-{run}/{adapter_file(step, last)}"


def step_adapters(experiment: str, variant: Variant, run: int | str) -> list[str]:
    """The adapters of a run's kept steps, in order."""
    steps = variant.train.recipe.series if variant.train else []
    return [step_adapter(experiment, variant, run, step) for step in steps]


def step_tables(experiment: str, variant: Variant, run: int | str) -> list[str]:
    """The tables of scores of a run's kept steps, in order."""
    steps = variant.train.recipe.series if variant.train else []
    files = [step_file(variant.name, run, step, "scores", "csv") for step in steps]
    return [f"results/{experiment}/{file}" for file in files]


def steps_compared(experiment: Experiment) -> list[str]:
    """The tables of scores of all kept steps of an experiment, and what tells their losses."""
    runs = [(variant, run) for variant in experiment.in_series for run in variant.runs]
    tables = [file for one in runs for file in step_tables(experiment.name, *one)]
    return tables + [
        file
        for variant in experiment.with_losses
        for run in variant.runs
        for file in losses_of_steps(experiment.name, variant, run)
    ]


def losses_of_steps(experiment: str, variant: Variant, run: int | str) -> list[str]:
    """What tells the losses of a run's kept steps."""
    log = f"results/{experiment}/{variant.name}/run-{run}/training.csv"
    return [*step_adapters(experiment, variant, run), log]


def read_to_choose(experiment: str, variant: Variant, run: int | str) -> list[str]:
    """What a run's step is chosen by: scores of pictures, or the training's losses."""
    if variant.take == "held_out":
        return losses_of_steps(experiment, variant, run)
    return step_tables(experiment, variant, run)


def series_of(experiment: Experiment) -> list[str]:
    """How an experiment's kept steps compare; none where none are kept and compared."""
    return [f"results/{experiment.name}/series.json"] if experiment.compares_steps else []


def class_image_files(variant: Variant) -> list[tuple[str, str]]:
    """(option, path) of what training reads of the variant's class images; none without any."""
    if variant.class_images is None:
        return []
    folder = f"resources/{variant.class_images}"
    encoded = f"resources/encoded/{variant.base}/{variant.class_images}"
    return [
        ("--prior-images", f"{folder}/images.json"),
        ("--prior-captions", f"{folder}/captions.jsonl"),
        ("--prior-latents", f"{encoded}/latents.safetensors"),
        ("--prior-text", f"{encoded}/text-{variant.text_tokens}.safetensors"),
    ]


def masks_files(variant: Variant) -> list[str]:
    """Where training learns where people are; none unless its loss is weighted by that."""
    weighed = variant.train is not None and variant.train.recipe.weighs_people
    return [f"resources/{variant.dataset}/masks.json"] if weighed else []


def further_files(variant: Variant) -> list[tuple[str, str]]:
    """(option, path) of what training reads for single options of the recipe: masks of people,
    captions without names."""
    found = [("--masks", path) for path in masks_files(variant)]
    if variant.train is not None and variant.train.recipe.diff_output_preservation:
        texts = f"{encoded_folder(variant)}/class-text-{variant.text_tokens}.safetensors"
        found.append(("--class-text", texts))
    return found


def sample_files(experiment: Experiment, variant: Variant) -> list[tuple[str, str]]:
    """(option, path) of what a training draws on its way, and of its prompts as the base reads
    them; none where it draws nothing."""
    if experiment.samples is None:
        return []
    texts = f"resources/encoded/{variant.base}/prompts/{experiment.name}/{SAMPLES}.safetensors"
    return [("--samples", samples_file(experiment)), ("--sample-texts", texts)]


def samples_file(experiment: Experiment) -> str:
    """What an experiment's trainings draw on their way."""
    return f"results/{experiment.name}/{SAMPLES}.json"


def truth_of(dataset: Dataset) -> list[str]:
    """The truth about drawn photos; none about a person's."""
    return [f"resources/{dataset.name}/photos.truth.json"] if dataset.lab else []


def strangers_files(made: CompositeSource) -> list[str]:
    """What composites are made of besides the photos: images, captions and masks of strangers."""
    name = made.strangers
    files = ("images.json", "captions.jsonl", "masks.json")
    return [f"resources/{name}/{file}" for file in files] if name else []


def composites_file(dataset: str) -> str:
    """The list of the photos of a dataset with pictures made of them."""
    return f"resources/{dataset}/made.json"


def composites_option(dataset: Dataset) -> list[str]:
    """How preparing and captioning learn which pictures are made; nothing for photos."""
    return ["--made", composites_file(dataset.name)] if dataset.made else []


def described(dataset: Dataset) -> list[str]:
    """What is read of a dataset to find copies of its pictures: where people are, too, in pictures
    made of photos, because that was decided when they were made."""
    files = ("images.json", "captions.jsonl", *(["masks.json"] if dataset.made else []))
    return [f"resources/{dataset.name}/{file}" for file in files]


def class_pictures(dataset: Dataset) -> str:
    """The list of pictures that a dataset of class images is made of."""
    if dataset.class_images is None:
        raise ValueError(f"dataset {dataset.name} is not of class images")
    if dataset.class_images.asked_by:
        experiment, prompt_set = dataset.class_images.asked_by
        return f"results/{experiment}/{BASE_VARIANT}/run-1/images/{prompt_set}.json"
    return f"resources/{dataset.name}/class.json"


def adapters_of(plan: Plan, experiment: str, variant: str, run: str) -> list[str]:
    """The adapters a variant's run renders with: its own, several others', or none."""
    loads = plan.variant(experiment, variant).loads
    return [plan.variant(experiment, name).adapter(experiment, int(run)) for name, _ in loads]


def photos_shown(shown: Iterable[ShownPhotos]) -> list[str]:
    """What is read to choose reference pictures and to draw with them."""
    names = dict.fromkeys(one.dataset for one in shown)
    return [f"resources/{name}/{file}" for name in names for file in PHOTOS_WITH_NAMES]


def families_targets(names: Iterable[str]) -> list[str]:
    """The files that stand for finished comparisons of families. names: of config/families."""
    files = ("declared.json", "power.json", "verdicts.json", "report.html", "who.html")
    return [f"results/families/{name}/{file}" for name in names for file in files]


def elsewhere(plan: Plan) -> list[str]:
    """The names of variants whose pictures were made elsewhere."""
    every = (
        one for experiment in plan.experiments.values() for one in experiment.variants.values()
    )
    return sorted({one.name for one in every if one.pictures})


def prompts_of(plan: Plan, experiment: str, variant: str, prompt_set: str) -> str:
    """The prompt set as the base reads it that draws it for the variant."""
    base = plan.experiments[experiment].drawing_base(variant, prompt_set)
    return f"resources/encoded/{base}/prompts/{experiment}/{prompt_set}.safetensors"


def solo_prompt_sets(experiment: Experiment) -> list[str]:
    """The written prompt sets that ask for some character alone; casts have strangers too."""
    sets = experiment.prompt_sets.items()
    texts = {name: asked.texts() for name, asked in sets if name not in experiment.casts}
    return [
        name
        for name, prompts in texts.items()
        if any(len(letters_in(text, experiment.characters)) == 1 for text in prompts.values())
    ]


def of_runs(experiment: str, variants: Iterable[Variant], file: str) -> list[tuple[str, str]]:
    """(label, path) of one file in every run of the variants; the label says which run."""
    return [
        (f"{v.name}, run {k}" if len(v.runs) > 1 else v.name, f"{folder}/{file}")
        for v in variants
        for k, folder in zip(v.runs, run_folders(experiment, v), strict=True)
    ]


def of_solos(experiment: Experiment, dataset: str) -> list[tuple[str, str]]:
    """(label, list of pictures) of first runs on a dataset, where one character is asked for."""
    return [
        (variant.name, f"{run_folders(experiment.name, variant)[0]}/images/{name}.json")
        for variant in experiment.trained
        if variant.root == dataset
        for name in solo_prompt_sets(experiment)
    ]


def options(name: str, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """`name label=path ...` for a command line."""
    return [word for label, path in pairs for word in (name, f"{label}={path}")]


def paths(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The paths of (label, path) pairs."""
    return [path for _, path in pairs]


def album_names(lab: LabFamily) -> list[str]:
    """The names of a drawn album's photos."""
    return stranger_names(lab.strangers) if lab.strangers else photo_names(lab.coverage or "")


def family_options(lab: LabFamily) -> str:
    """How the lab draws an album, as its program's options."""
    if lab.strangers:
        scale = f" --scale {lab.scale}" if lab.scale is not None else ""
        return f"--strangers {lab.strangers} --seed {lab.seed}{scale}"
    given = [f"--family {lab.family} --coverage '{lab.coverage}' --seed {lab.seed}"]
    given += [f"--hats {lab.hats}"] if lab.hats else []
    given += ["--sides"] if lab.sides else []
    if lab.say_hats is not None:
        given += ["--say-hats" if lab.say_hats else "--no-say-hats"]
    given += [] if lab.class_nouns else ["--no-class-nouns"]
    given += ["--any-shape"] if lab.shapes == "any" else []
    given += [f"--shared {lab.shared}"] if lab.shared is not None else []
    given += [f"--scale {lab.scale}"] if lab.scale is not None else []
    return " ".join(given)
