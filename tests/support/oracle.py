"""A judge that knows the truth of drawn pictures, to test what is made of a judge's answers.

It recognises a picture by its pixels and a person by a vector of their own, with a little noise.
Knows the judges' interface; asserts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
from PIL import Image

from kindred.common.hashing import pixel_hash
from kindred.judges.interface import Acceptance, Calibration, DetectedPerson
from kindred.world.drawing import draw
from kindred.world.families import FAMILIES
from kindred.world.people import Person, random_person
from kindred.world.scene import sample_scene
from kindred.world.vocabulary import LANDSCAPE, PORTRAIT, WIDE

SIZES = {1: PORTRAIT, 2: LANDSCAPE, 3: WIDE, 4: WIDE}


class Oracle:
    """Sees who was drawn. `noise`: how unlike two pictures of one person are."""

    identity = "oracle@1"
    counts = "people"
    calibration = Calibration()
    gates = Acceptance(True, {"count": 1.0}, ())

    def __init__(self, noise: float = 0.1) -> None:
        self.noise = noise
        self.truth: dict[str, list[tuple[tuple[float, ...], str]]] = {}

    def draw(self, letters: str, seed: int, blind: str = "") -> Image.Image:
        """A picture of the Russells of `letters` from left to right, '?' a stranger. Those in
        `blind` are not seen by this judge."""
        rng = Random(f"{letters} {seed}")
        people = [_person(letter, rng) for letter in letters]
        scene = sample_scene(rng, people, size=SIZES[len(people)], shuffle=False)
        drawing = draw(scene, masks=False)
        self.truth[pixel_hash(drawing.image)] = [
            (head, letter if letter != "?" else f"stranger {seed} {n}")
            for n, (head, letter) in enumerate(zip(drawing.heads, letters, strict=True))
            if letter not in blind
        ]
        return drawing.image

    def find(self, images: Sequence[Image.Image]) -> list[list[DetectedPerson]]:
        """The truth, with one vector a person."""
        return [
            [
                DetectedPerson(head, head, 1.0, self._vector(who, pixel_hash(image)))
                for head, who in truth
            ]
            for image, truth in ((image, self.truth[pixel_hash(image)]) for image in images)
        ]

    def adherence(
        self, images: Sequence[Image.Image], prompts: Sequence[str]
    ) -> list[float | None]:
        """Always 1 where a place is named."""
        return [1.0 if "beach" in prompt else None for prompt in prompts]

    def wears(
        self,
        images: Sequence[Image.Image],
        people: Sequence[Sequence[DetectedPerson]],
        garments: Sequence[Sequence[str]],
    ) -> list[list[str]]:
        """The garments in the order asked for, from left to right; nobody beyond wears one."""
        return [
            [*own, *[""] * len(found)][: len(found)]
            for found, own in zip(people, garments, strict=True)
        ]

    def whole(self, images: Sequence[Image.Image]) -> None:
        """Nothing: small copies are compared."""
        return None

    def _vector(self, who: str, picture: str) -> np.ndarray:
        own = np.random.default_rng(list(who.encode())).standard_normal(64)
        own /= np.linalg.norm(own)
        noise = np.random.default_rng(list((who + picture).encode())).standard_normal(64)
        vector = own + self.noise * noise / np.linalg.norm(noise)
        return vector / np.linalg.norm(vector)


def _person(letter: str, rng: Random) -> Person:
    return random_person(rng) if letter == "?" else FAMILIES["russell"].member(letter)
