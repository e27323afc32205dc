"""Inputs of jobs, with a look at what those made before: pictures, images and masks that a list names
and that are gone count as missing, so that they are made again."""

LOST = []  # lists whose files are gone


@cache
def notice_lost(listing, named):
    """Where files are gone that a list names, have Snakemake plan as if the list were gone: it is
    made again, and they with it, for `rule all` or for who reads it. Snakemake doesn't know these
    files, so the only thing to tell it is that the list isn't there."""
    gone = lost_files.lost(listing, named) if workflow.is_main_process else []
    if gone:
        make_again(
            listing, f"{len(gone)} of the files that it names are gone ({gone[0]})"
        )


def make_again(listing, why):
    """Have Snakemake plan as if a file were gone; say why."""
    known, folder = workflow.iocache.exists_local, os.path.dirname(listing)
    if (
        folder not in known.has_inventory
    ):  # it would list the folder later, and find the list there
        known.update(
            {entry.path: True for entry in os.scandir(folder)} | {folder: True}
        )
        known.has_inventory.add(folder)
    known[listing] = False
    LOST.append(listing)
    if len(LOST) <= 3:
        print(f"note: {listing}: {why}; made again if needed", file=sys.stderr)
    elif len(LOST) == 4:
        print("note: and other lists", file=sys.stderr)


def photos_to_prepare(w):
    """The photos of a dataset; what is lost of its prepared images is noticed."""
    notice_lost(f"resources/{w.dataset}/images.json", lost_files.prepared_photos)
    return source_files(w.dataset)[0]


def photos_read_for(dataset, *lists):
    """The images.json of a dataset, as the input of the job that makes `lists`, pairs of a list and
    what it names: what is lost of that is noticed."""

    def input_file(w):
        for listing, named in lists:
            notice_lost(listing, named)
        return f"resources/{dataset}/images.json"

    return input_file


def class_prompts_of(w):
    """The embedded prompts of a dataset; what is lost of its pictures is noticed."""
    notice_lost(f"resources/{w.dataset}/class.json", lost_files.pictures)
    return f"resources/{w.dataset}/class.safetensors"


@cache
def notice_tokenizers(audit):
    """An audit that did without a tokenizer is made again once that is on this machine."""
    found = lost_files.tokenizers_found(audit) if workflow.is_main_process else []
    if found:
        make_again(audit, f"{found[0]} has come since")


def images_to_audit(w):
    """The images.json of a dataset; what its audit did without is noticed."""
    notice_tokenizers(f"results/{w.experiment}/audit/{w.dataset}.json")
    return f"resources/{w.dataset}/images.json"


def adapters_to_draw_with(w):
    """The adapters of a run; what is lost of its pictures is noticed."""
    manifest = (
        f"results/{w.experiment}/{w.variant}/run-{w.run}/images/{w.prompt_set}.json"
    )
    notice_lost(manifest, lost_files.pictures)
    return paths.adapters_of(PLAN, w.experiment, w.variant, w.run)


def nothing_to_draw_by(w):
    """A ceiling is drawn without any file; what is lost of its pictures is noticed."""
    manifest = f"results/{w.experiment}/ceiling/images/{w.prompt_set}.json"
    notice_lost(manifest, lost_files.pictures)
    return []


def training_with_steps(w):
    """What a training wrote; where the adapter of a step that it kept is lost, it is noticed."""
    listing = f"results/{w.experiment}/{w.variant}/run-{w.run}/lora.json"
    steps = tuple(variant_of(w).train.recipe.series[:-1])
    notice_lost(listing, lost_files.kept_steps(steps))
    return listing


def adapter_of_step(w):
    """The adapter of a kept step; what is lost of its pictures is noticed."""
    run = f"results/{w.experiment}/{w.variant}/run-{w.run}"
    notice_lost(f"{run}/steps/{w.step}/images/{SELECTION}.json", lost_files.pictures)
    return paths.step_adapter(w.experiment, variant_of(w), w.run, int(w.step))
