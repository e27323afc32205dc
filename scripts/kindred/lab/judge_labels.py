"""What the judge is asked to say of a drawing, as numbers: the words, and a scene's labels.

The only place where the world's attributes meet the judge's classes. An attribute that can't be
seen in the picture (hair colour of a bald person, hair style under most hats) is labelled -1 and
counts nowhere.
"""

from __future__ import annotations

import numpy as np

from kindred.world.drawing import Drawing
from kindred.world.scene import Figure, Scene
from kindred.world.vocabulary import (
    CLOTHES,
    COLOURS,
    EXPRESSIONS,
    FRAMINGS,
    GAZES,
    HAIR_COLOURS,
    HAIR_STYLES,
    HATS,
    KINDS,
    LANDSCAPE,
    PLACES,
    PORTRAIT,
    POSES,
    TRAITS,
    WIDE,
    hats_style_visible,
)

SIZES = (PORTRAIT, LANDSCAPE, WIDE)
MOST = 4  # people in a drawing
NO_YES = ("no", "yes")
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "kind": KINDS,
    "hair_style": HAIR_STYLES,
    "hair_colour": HAIR_COLOURS,
    "beard": NO_YES,
    "glasses": NO_YES,
    "hat": ("none", *(hat for hat in HATS if hat)),
    "hat_colour": COLOURS,
    "clothes": CLOTHES,
    "clothes_colour": COLOURS,
    "expression": EXPRESSIONS,
    "gaze": GAZES,
    "pose": POSES,
}
SCENE: dict[str, tuple[str, ...]] = {"place": PLACES, "framing": FRAMINGS}


def vocabulary() -> dict[str, dict[str, list[str]] | list[str]]:
    """The words part of a JudgeConfig."""
    return {
        "attributes": {name: list(words) for name, words in ATTRIBUTES.items()},
        "scene": {name: list(words) for name, words in SCENE.items()},
        "traits": list(TRAITS),
    }


def person_words(figure: Figure) -> dict[str, str | None]:
    """Attribute -> word, None where the picture does not show it."""
    person, bald = figure.person, figure.person.hair_style == "bald"
    hidden = figure.hat is not None and not hats_style_visible(person.hair_style)
    return {
        "kind": person.kind,
        "hair_style": None if hidden else person.hair_style,
        "hair_colour": None if bald else person.hair_colour,
        "beard": NO_YES[person.beard],
        "glasses": NO_YES[person.glasses],
        "hat": figure.hat or "none",
        "hat_colour": figure.hat_colour,
        "clothes": figure.clothes,
        "clothes_colour": figure.clothes_colour,
        "expression": figure.expression,
        "gaze": figure.gaze,
        "pose": figure.pose,
    }


def person_labels(figure: Figure) -> list[int]:
    """Class indices in the order of ATTRIBUTES; -1 where nothing is seen."""
    words = person_words(figure)
    return [-1 if words[n] is None else c.index(words[n]) for n, c in ATTRIBUTES.items()]


def scene_labels(scene: Scene) -> list[int]:
    """Class indices in the order of SCENE."""
    return [PLACES.index(scene.place), FRAMINGS.index(scene.framing)]


def label_arrays(scenes: list[Scene], drawings: list[Drawing]) -> dict[str, np.ndarray]:
    """Labels of N drawings, padded to MOST people.

    people int8 [N]; heads, boxes float32 [N, MOST, 4] px; attributes int8 [N, MOST, A] (-1 where
    there is nobody); traits float32 [N, MOST, T]; scene int8 [N, 2].
    """
    n = len(scenes)
    out = {
        "people": np.array([len(s.figures) for s in scenes], np.int8),
        "heads": np.zeros((n, MOST, 4), np.float32),
        "boxes": np.zeros((n, MOST, 4), np.float32),
        "attributes": np.full((n, MOST, len(ATTRIBUTES)), -1, np.int8),
        "traits": np.zeros((n, MOST, len(TRAITS)), np.float32),
        "scene": np.array([scene_labels(s) for s in scenes], np.int8).reshape(n, len(SCENE)),
    }
    for i, (scene, drawing) in enumerate(zip(scenes, drawings, strict=True)):
        count = len(scene.figures)
        out["heads"][i, :count] = drawing.heads
        out["boxes"][i, :count] = drawing.boxes
        out["attributes"][i, :count] = [person_labels(f) for f in scene.figures]
        out["traits"][i, :count] = [f.person.traits for f in scene.figures]
    return out
