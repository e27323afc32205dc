"""Whether trainings can see their photos in so many steps, by the number of photos alone.

Only where a selection takes all of them, which planning can tell without reading any; what a
selection chooses, and of which sizes, the audit says (data/audit/training_amounts.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from kindred.common.errors import KindredError, Problems
from kindred.common.sentences import counted
from kindred.config.amounts_told import is_first_look
from kindred.config.contradictions import Contradiction
from kindred.config.plan import Dataset, Experiment, Variant
from kindred.config.yaml_document import Document
from kindred.specs.training import Selection
from kindred.world.families import photo_names


def warn_of_few_steps(
    document: Document,
    experiment: Experiment,
    datasets: Mapping[str, Dataset],
    root: Path,
    problems: Problems,
) -> None:
    """Warn of trainings that end before every photo was seen, and of batches larger than all photos
    together, each once however many variants have it, and of nothing in a first look. Folders of
    photos count from `root`."""
    variants = [] if is_first_look(experiment.name) else experiment.trained
    used = {variant.dataset for variant in variants}
    counts = {name: count_of(one, root) for name, one in datasets.items() if name in used}
    told: set[Contradiction] = set()
    for variant in variants:
        for one in _of_variant(variant, counts.get(variant.dataset or "")):
            if one not in told:
                told.add(one)
                problems.warn(document.where("variants", variant.name), one.what, one.advice)


def count_of(dataset: Dataset, root: Path) -> int | None:
    """How many pictures a dataset has, all resolutions of its photos; None where only making it
    tells, or where its folder can't be read, which is said elsewhere."""
    try:
        if dataset.lab is not None:
            photos = len(photo_names(dataset.lab.coverage))
        elif dataset.source is not None:
            from kindred.data.photo_folder import scan  # albums of the lab need no folder

            photos = len(scan(root / dataset.source).photos)
        else:
            return None
    except KindredError:
        return None
    sizes = dataset.preprocess
    return photos * (1 if sizes.buckets is not None else len(sizes.resolutions))


def _of_variant(variant: Variant, count: int | None) -> Iterator[Contradiction]:
    """Of a variant whose dataset has so many pictures."""
    train = variant.train
    if train is None or not count or not takes_all(train.selection):
        return
    recipe = train.recipe
    seen = recipe.steps * recipe.batch * recipe.gradient_accumulation
    if seen < count:
        yield Contradiction(
            f"sees {counted(seen, 'picture')} in {counted(recipe.steps, 'step')}, but "
            f"'{variant.dataset}' has {count}, so at least {counted(count - seen, 'is', 'are')} "
            "never seen",
            "steps",
            f"set `steps` to {-(-count * recipe.steps // seen)} or more, or choose fewer photos",
        )
    if recipe.batch > count:
        yield Contradiction(
            f"fills batches of {recipe.batch} from the {counted(count, 'picture')} of "
            f"'{variant.dataset}', so every batch repeats some",
            "batch",
            f"set `batch` to {count} or less",
        )


def takes_all(selection: Selection) -> bool:
    """Whether every picture of a dataset is trained on, once or more often."""
    chosen = selection.model_dump(exclude={"seed", "balance"}, exclude_none=True)
    return not chosen and selection.balance != "drop"
