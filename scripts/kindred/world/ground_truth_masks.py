"""A drawn photo's scene again, from its truth: for masks of who is where.

Knows what `drawing.truth` writes down; knows nothing of datasets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from kindred.world.drawing import draw
from kindred.world.layouts import CARD_INSET
from kindred.world.people import Person
from kindred.world.scene import Figure, Scene
from kindred.world.vocabulary import SIZES


def scene_of(facts: Mapping[str, Any]) -> tuple[Scene, int]:
    """The scene and the scale it was drawn at; what the backdrop varies in is not in the truth."""
    size = (facts["width"], facts["height"])
    width, height = next(s for s in SIZES.values() if s[0] * size[1] == s[1] * size[0])
    figures = tuple(_figure(person) for person in facts["people"])
    return Scene(width, height, facts["place"], facts["framing"], figures), size[0] // width


def mask_of(facts: Mapping[str, Any]) -> np.ndarray:
    """[H, W] uint8 in the photo's size: 0 background, k the k-th of the truth's people. The border
    of a card, which lies over everybody, is background."""
    scene, scale = scene_of(facts)
    drawing = draw(scene, scale)
    mask = np.array(drawing.masks)
    if scene.place == "christmas card":
        edge = round(CARD_INSET * scene.height * scale)
        inside = np.zeros_like(mask)
        inside[edge:-edge, edge:-edge] = mask[edge:-edge, edge:-edge]
        return inside
    return mask


def _figure(facts: Mapping[str, Any]) -> Figure:
    who = {f.name: facts[f.name] for f in fields(Person)}
    looks = {f.name: facts[f.name] for f in fields(Figure) if f.name != "person"}
    return Figure(Person(**who | {"traits": tuple(who["traits"])}), **looks)
