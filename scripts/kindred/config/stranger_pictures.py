"""Pictures of strangers by the base itself, which set how alike a face must be to get a name.

Knows which pictures of an experiment show one person of a class noun and name nobody, and what is
drawn where they are too few; knows nothing of faces or of files. Pictures whose prompt has a name
are left out: how often the base alone passes for a person is measured on them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil

from kindred.characters.trigger_words import ADULT_NOUNS, CHILD_NOUNS, SAYS, letters_in
from kindred.config.plan import ClassImages, Experiment, Plan, Variant
from kindred.config.prompt_schema import named
from kindred.specs.judge import JUDGES
from kindred.specs.rendering import EDGE_MULTIPLE, Prompt, PromptSet

WANTED = 72  # pictures of each noun: in most of them one face can be read, and 60 are enough
FIRST_SEED = 20_001  # far from where prompt sets and class images begin to count
LARGEST = 512  # px, the shorter side: a face is then read as well as in a larger picture
VIEWS = (
    ("photo", "a photo of {}"),
    ("close", "a close-up photo of {} looking at the camera"),
    ("garden", "a photo of {} smiling in a garden"),
    ("street", "a photo of {} in a street, head and shoulders"),
)
Nouns = Mapping[str, str]  # prompt -> class noun


@dataclass(frozen=True)
class StrangerPictures:
    """asked: (variant, prompt set) -> the prompts that count, of pictures that the experiment draws
    anyway. class_images: the same of datasets of class images. drawn: what is drawn besides."""

    asked: dict[tuple[str, str], Nouns]
    class_images: dict[str, Nouns]
    drawn: dict[str, tuple[ClassImages, Nouns]]


def stranger_pictures(plan: Plan, experiment: Experiment) -> StrangerPictures | None:
    """Of an experiment whose judge finds thresholds by strangers; None of others, and where no base
    draws anything."""
    if experiment.judge is None or not JUDGES[experiment.judge.kind].population:
        return None
    bases = _drawing_bases(experiment)
    if not bases:
        return None
    nouns = sorted({who.plain_noun for who in experiment.characters.values()})
    plain = [one.name for one in experiment.variants.values() if _is_plain(one)]
    counts, asked, classes = dict.fromkeys(nouns, 0), {}, {}
    for name, prompt_set in experiment.prompt_sets.items():
        found = _showing_one(prompt_set, nouns, experiment)
        for variant in plain if found else ():
            asked[variant, name] = found
            _count(counts, prompt_set, found)
    for name in experiment.class_image_datasets:
        own = plan.datasets[name].class_images
        found = _showing_one(own.prompt_set, nouns, experiment) if own else {}
        if own and found and own.asked_by not in {(experiment.name, one) for _, one in asked}:
            classes[name] = found
            _count(counts, own.prompt_set, found)
    lacking = {noun: WANTED - count for noun, count in counts.items() if count < WANTED}
    drawn = [_drawn(plan, experiment, base, lacking, len(bases)) for base in bases if lacking]
    return StrangerPictures(asked, classes, {name: (one, told) for name, one, told in drawn})


def stranger_class_images(plan: Plan) -> dict[str, ClassImages]:
    """Everything that is drawn to have enough strangers, for all experiments."""
    found = (stranger_pictures(plan, one) for one in plan.experiments.values())
    return {name: own for one in found if one for name, (own, _) in one.drawn.items()}


def _is_plain(variant: Variant) -> bool:
    """Whether it draws with the base alone, and no faces drawn again, which need scores."""
    return not (variant.loads or variant.references or variant.pictures or variant.detail)


def _drawing_bases(experiment: Experiment) -> list[str]:
    """The bases that draw some variant's pictures."""
    drawing = [name for name, one in experiment.variants.items() if not one.pictures]
    sets = experiment.prompt_sets
    return sorted({experiment.drawing_base(name, one) for name in drawing for one in sets})


def _showing_one(asked: PromptSet, nouns: Collection[str], experiment: Experiment) -> Nouns:
    """The prompts that name nobody and ask for one person, of one of the class nouns."""
    found = {}
    for name, text in asked.texts().items():
        said = _people(frozenset(nouns)).findall(text.casefold())
        if len(said) == 1 and said[0] in nouns and not letters_in(text, experiment.characters):
            found[name] = said[0]
    return found


@cache
def _people(nouns: frozenset[str]) -> re.Pattern[str]:
    """The class nouns, and what else is said of people."""
    words = {*nouns, *ADULT_NOUNS, *CHILD_NOUNS, *SAYS, "people", "person", "couple", "group"}
    words |= {word for said in SAYS.values() for word in said.split()}
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")


def _count(counts: dict[str, int], asked: PromptSet, found: Nouns) -> None:
    for prompt, noun in found.items():
        counts[noun] += len(asked.full(prompt).seeds or ())


def _drawn(
    plan: Plan, experiment: Experiment, base: str, lacking: Mapping[str, int], bases: int
) -> tuple[str, ClassImages, Nouns]:
    """(name, what one of so many bases draws, noun of each prompt), in the steps and at the scale
    of the first prompt set that it draws."""
    prompts: dict[str, Prompt] = {}
    nouns: dict[str, str] = {}
    stems = named(sorted(lacking))
    for stem, noun in stems.items():
        count = ceil(lacking[noun] / bases)
        for place, (view, text) in enumerate(VIEWS):
            seeds = len(range(place, count, len(VIEWS)))
            if seeds:
                whom = f"{'an' if noun[:1] in set('aeiou') else 'a'} {noun}"
                numbers = list(range(FIRST_SEED, FIRST_SEED + seeds))
                prompts[f"{stem}-{view}"] = Prompt(text=text.format(whom), seeds=numbers)
                nouns[f"{stem}-{view}"] = noun
    usual = _first_drawn(plan, experiment, base)
    width, height = _sizes(usual.width, usual.height)
    given = usual.model_dump(include={"guidance_scale", "precision"}, exclude_none=True)
    own = PromptSet(
        prompts=prompts,
        seeds=[FIRST_SEED],
        width=width,
        height=height,
        steps=usual.steps,
        **given,
    )
    return f"strangers-{base}-{'+'.join(stems)}-{own.hash()[:8]}", ClassImages(base, own), nouns


def _first_drawn(plan: Plan, experiment: Experiment, base: str) -> PromptSet:
    """The first prompt set that a base draws, by itself if it can be, as it draws it."""
    variants = sorted(experiment.variants.values(), key=lambda one: not _is_plain(one))
    return next(
        experiment.asked_of(variant.name, name, plan.drawing)
        for variant in variants
        for name in experiment.prompt_sets
        if not variant.pictures and experiment.drawing_base(variant.name, name) == base
    )


def _sizes(*edges: int) -> list[int]:
    """Edges with the shorter one at most LARGEST, each one that can be rendered."""
    scale = min(1.0, LARGEST / min(edges))
    return [max(1, round(edge * scale / EDGE_MULTIPLE)) * EDGE_MULTIPLE for edge in edges]
