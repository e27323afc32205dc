"""Fresh drawings that the judge is measured on, with their truth.

Drawn from seeds that no corpus uses, of people whom no corpus holds. Knows the world, not the
judge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from PIL import Image

from kindred.lab.identity_corpus import View, group
from kindred.world.drawing import draw
from kindred.world.families import FAMILIES
from kindred.world.people import Person, named_strangers, random_person, restyle
from kindred.world.scene import Scene, sample_scene
from kindred.world.vocabulary import CLOTHES_OF_KIND, COLOURS, HATS

Box = tuple[float, float, float, float]
FRESH = 900_000_000  # added to every seed, far from the seeds of any corpus
ACCEPTED_BY = ("russell", "okorie")  # the families whose figures stand in gates.json


@dataclass(frozen=True)
class AcceptanceImage:
    """A drawing: its scene, head boxes, and who (any numbering) the figures are."""

    image: Image.Image
    scene: Scene
    heads: tuple[Box, ...]
    who: tuple[int, ...] = ()


@dataclass(frozen=True)
class Swap:
    """One person; the same face under other looks; another face under the same looks."""

    person: AcceptanceImage
    restyled: AcceptanceImage
    stranger: AcceptanceImage


def picture(scene: Scene, who: tuple[int, ...] = ()) -> AcceptanceImage:
    """Draw a scene."""
    drawing = draw(scene, masks=False)
    return AcceptanceImage(drawing.image, scene, tuple(drawing.heads), who)


def scene_pictures(seed: int, count: int) -> list[AcceptanceImage]:
    """Scenes as pretraining shows them."""
    rng = Random(FRESH + seed)
    return [picture(sample_scene(rng)) for _ in range(count)]


def identity_pictures(seed: int, identities: int, views: int) -> list[AcceptanceImage]:
    """Unnamed people, `views` appearances each, alone and in groups, looks changed every time."""
    rng = Random(FRESH + seed)
    people = [random_person(rng) for _ in range(identities)]
    seen = [View(i, restyle(p, rng)) for i, p in enumerate(people) for _ in range(views)]
    return [
        picture(
            sample_scene(rng, [view.person for view in views], shuffle=False),
            tuple(view.identity for view in views),
        )
        for views in group(seen, rng)
    ]


def swap_pictures(seed: int, people: int) -> list[Swap]:
    """Solo scenes with one thing changed: the looks, or the face."""
    rng = Random(FRESH + seed)
    return [_swap(sample_scene(rng, [random_person(rng)]), rng) for _ in range(people)]


def _swap(scene: Scene, rng: Random) -> Swap:
    figure = scene.figures[0]
    hat = rng.choice([h for h in HATS if h != figure.hat])
    looks = {
        "person": restyle(figure.person, rng),
        "hat": hat,
        "hat_colour": rng.choice(COLOURS) if hat else None,
        "clothes": rng.choice(CLOTHES_OF_KIND[figure.person.kind]),
        "clothes_colour": rng.choice([c for c in COLOURS if c != figure.clothes_colour]),
    }
    other = replace(figure.person, traits=random_person(rng).traits)
    return Swap(
        picture(scene),
        picture(replace(scene, figures=(replace(figure, **looks),))),
        picture(replace(scene, figures=(replace(figure, person=other),))),
    )


def family_pictures(
    seed: int, strangers: int, views: int, family_views: int
) -> list[AcceptanceImage]:
    """Solos of every member of `ACCEPTED_BY` and of some named strangers, in their own hair; `who`
    counts the family first."""
    rng = Random(FRESH + seed)
    family = [person for name in ACCEPTED_BY for person in FAMILIES[name].members]
    others: list[Person] = rng.sample(named_strangers(), strangers)
    return [
        picture(sample_scene(rng, [person]), (who,))
        for who, person in enumerate(family + others)
        for _ in range(family_views if who < len(family) else views)
    ]


def family_size() -> int:
    """How many of the people in `family_pictures` are family."""
    return sum(len(FAMILIES[name].members) for name in ACCEPTED_BY)
