"""Whether steps, learning rates and sizes fit the base: warnings, since only the person can know.

A base's file says what is usual for it (`fits:`). Knows ranges and where a value stands in an
experiment's file; knows no base by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from kindred.common.errors import Problems
from kindred.common.sentences import counted
from kindred.config.amounts_told import is_first_look
from kindred.config.base_config import DrawingDefaults, Fits, Range
from kindred.config.plan import Dataset, Experiment, Variant
from kindred.config.yaml_document import Document
from kindred.specs.dataset import Misfit, PreprocessSpec
from kindred.specs.rendering import PromptSet

Place = tuple[str, ...]
Value = tuple[Place, str, str, Range | None, float]  # where, what, key, what is usual, value


def warn_of_misfits(
    document: Document,
    experiment: Experiment,
    datasets: Mapping[str, Dataset],
    known: Mapping[str, Fits],
    drawing: Mapping[str, DrawingDefaults],
    guidance: Callable[[str], float | None],
    problems: Problems,
) -> tuple[Misfit, ...]:
    """What lies beyond what is usual for the base that it is for, each noted once as a warning;
    `known`, and `drawing`, what is drawn with on another base than trained on: by base. guidance:
    the scale of a base where a prompt set says none."""
    result = []
    own = (one.base for one in experiment.variants.values())
    for name in dict.fromkeys([*own, *experiment.bases]):
        fits = known.get(name)
        if fits is None:
            continue
        mine = [one for one in experiment.variants.values() if one.base == name]
        for found in (
            _of_training(mine, fits, is_first_look(experiment.name)),
            _of_photos(mine, datasets, fits),
            _of_pictures(_drawn_by(experiment, name, drawing), fits, guidance(name)),
        ):
            for at, one in _misfits(name, found):
                problems.warn(document.where(*at), one.what, one.cure)
                result.append(one)
    return tuple(result)


def _misfits(base: str, values: Iterator[Value]) -> Iterator[tuple[Place, Misfit]]:
    """One for each value beyond, with its place, however many variants have it."""
    same: dict[tuple[str, str], tuple[Place, Range]] = {}
    for at, what, key, usual, value in values:
        if usual is not None and not usual[0] <= value <= usual[1]:
            same.setdefault((what, key), (at, usual))
    for (what, key), (at, (low, high)) in same.items():
        usual = f"{low:g} to {high:g} are" if low < high else f"{low:g} is"
        text = f"{what} on the base '{base}', for which {usual} usual"
        yield at, Misfit(where=".".join(at), what=text, key=key)


def _of_training(variants: list[Variant], fits: Fits, first_look: bool) -> Iterator[Value]:
    for one in variants:
        if one.train:
            recipe, at = one.train.recipe, ("variants", one.name)
            if not first_look:
                what = f"trains {counted(recipe.steps, 'step')}"
                yield at, what, "steps", fits.steps, recipe.steps
            # Prodigy finds its rate itself; `lr` is a factor of it (see contradictions.py).
            usual = None if recipe.optimizer == "prodigy" else fits.lr
            yield at, f"has a learning rate of {recipe.lr:g}", "lr", usual, recipe.lr


def _of_photos(
    variants: list[Variant], datasets: Mapping[str, Dataset], fits: Fits
) -> Iterator[Value]:
    trained = [one for one in variants if one.train]
    read = (name for one in trained for name in (one.root, one.strangers, one.class_images))
    shown = dict.fromkeys(name for name in read if name)
    for name in shown:
        if name in datasets:
            at = ("datasets", name, "preprocess")
            for said, pixels in _areas(datasets[name].preprocess):
                what = f"makes photos of {said} px ({pixels / 1e6:.2g} megapixels)"
                yield at, what, "preprocess", fits.megapixels, pixels / 1e6


def _areas(preprocess: PreprocessSpec) -> Iterator[tuple[str, int]]:
    """Sizes of training photos, as said and in pixels."""
    if preprocess.buckets is not None:
        for width, height in preprocess.buckets:
            yield f"{width} x {height}", width * height
    else:
        for edge in preprocess.resolutions:
            yield f"{edge} x {edge}", edge * edge


def _drawn_by(
    experiment: Experiment, base: str, drawing: Mapping[str, DrawingDefaults]
) -> list[tuple[str, PromptSet]]:
    """The prompt sets that some variant is drawn on a base for, as it is drawn there."""
    found = []
    for name in experiment.prompt_sets:
        by_kind = {
            one.base != base: one.name
            for one in experiment.variants.values()
            if experiment.drawing_base(one.name, name) == base
        }
        found += [(name, experiment.asked_of(one, name, drawing)) for one in by_kind.values()]
    return found


def _of_pictures(
    asked: Iterable[tuple[str, PromptSet]], fits: Fits, guidance: float | None
) -> Iterator[Value]:
    for name, prompts in asked:
        at = ("prompt_sets", name)
        for prompt in prompts.prompts:
            one = prompts.full(prompt)
            assert one.width and one.height
            pixels = one.width * one.height
            what = f"draws {one.width} x {one.height} px ({pixels / 1e6:.2g} megapixels)"
            yield at, what, "size", fits.megapixels, pixels / 1e6
        what = f"draws in {counted(prompts.steps, 'step')}"
        yield at, what, "steps", fits.drawing_steps, prompts.steps
        scale = guidance if prompts.guidance_scale is None else prompts.guidance_scale
        if scale is not None:
            what = f"draws at guidance_scale {scale:g}"
            yield at, what, "guidance_scale", fits.guidance_scale, scale
