"""Sheets of what the base draws, for the eye: the card shows them beside the gates' figures.

Knows prompts and layout; what counts as good is in gates.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from PIL import Image

from kindred.lab.base_acceptance import SIZE_FOR, SampleRenderer
from kindred.rendering.manifest import read_manifest
from kindred.report.contact_sheet import Sheet, SheetRow, draw_sheet
from kindred.world.drawing import draw
from kindred.world.families import FAMILIES
from kindred.world.people import Person, named_strangers
from kindred.world.scene import sample_scene
from kindred.world.vocabulary import PORTRAIT

SEEDS = 5
PROMPTS = {
    1: (
        "a woman with long black hair in a white dress laughing in the snow",
        "a boy with short red hair and glasses in a black sweater in a studio",
    ),
    2: ("a man with a beard on the left and a girl with pigtails on the right at the beach",),
    3: ("a Christmas card with adult man {}, adult woman {} and small child {}",),
    4: ("from left to right: a man, a woman, a boy and a girl in front of a house",),
}


def base_sheet(studio: SampleRenderer) -> Image.Image:
    """Prompts of one to four people; where they have names, drawings of the named come first."""
    rows = []
    for people, prompts in PROMPTS.items():
        for prompt in prompts:
            named = strangers() if "{}" in prompt else []
            text = prompt.format(*(person.name for person in named))
            pictures = studio.take([text] * SEEDS, SIZE_FOR[people], 1, "sheet of the base")
            if named:
                drawn = [portrait(p) for p in named]
                drawn += [None] * (SEEDS - len(named))
                rows.append(SheetRow("as they are drawn", drawn, text))
            rows.append(SheetRow("" if not named else "generated", list(pictures), text))
    columns = [f"seed {seed}" for seed in range(1, SEEDS + 1)]
    return draw_sheet(Sheet("What the lab's base draws", columns, rows))


def strangers() -> list[Person]:
    """A named man, woman and child."""
    people = named_strangers()
    kinds = ("man", "woman", "girl")
    return [next(person for person in people if person.kind == kind) for kind in kinds]


def portrait(person: Person) -> Image.Image:
    """A drawing of a person, as the world draws it."""
    scene = sample_scene(Random(99), [person], size=PORTRAIT, hat=None, framing="headshot")
    return draw(scene, masks=False).image


def singles_sheet(results: Path) -> Image.Image:
    """Each family member as drawn, and by a LoRA of this one person."""
    rows = []
    for person in FAMILIES["russell"].members:
        manifest = results / f"only-{person.name[0]}" / "run-1" / "images" / "headshot.json"
        mine = [row.path for row in read_manifest(manifest).rows if row.name == person.name[0]]
        generated = [Image.open(path).convert("RGB") for path in mine[:SEEDS]]
        rows.append(SheetRow(person.name, [portrait(person), *generated]))
    columns = ["drawn", *(f"generated {number}" for number in range(1, SEEDS + 1))]
    return draw_sheet(Sheet("One LoRA a person, headshots", columns, rows))
