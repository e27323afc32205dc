"""The experiment files that are written for a folder of photos, complete and with comments.

Knows what the experiments found out about data, and how an experiment file reads; knows no bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kindred.compute.memory_limit import GIB
from kindred.config.base_config import DrawingDefaults
from kindred.config.stranger_pictures import WANTED
from kindred.specs.casts import cast_prompts
from kindred.starting.base_choice import FittingBase, sizes
from kindred.starting.estimates import Amounts
from kindred.starting.folder_survey import FolderSurvey

LARGEST = 3  # people at most in a composite or a cast
# Composites of each cell, by its people, and of strangers alone (docs/findings/recipe.md).
PICTURES, ALONE = {1: 48, 2: 64, 3: 64}, 128
LAB_PICTURES, LAB_ALONE = {1: 8, 2: 8, 3: 8}, 16
LAB_STEPS, PROBE_STEPS = 300, 100
USUAL_STEPS = 28
RUNS = 2
STRANGERS = 24  # pictures of people who have no name


@dataclass(frozen=True)
class NewExperiment:
    """All that the files say. drawing: how pictures are drawn on a distilled base."""

    name: str
    folder: str
    survey: FolderSurvey
    base: FittingBase
    drawing: DrawingDefaults
    memory_gib: float
    others: str = ""
    estimate: Sequence[str] = ()

    @property
    def lab(self) -> bool:
        """Whether it is for the miniature."""
        return self.base.shape is None

    @property
    def strangers(self) -> str:
        """The dataset of people without names: called like no other experiment's, which would
        prepare it for another base and write the same folder."""
        return f"{self.name}-others"

    @property
    def letters(self) -> list[str]:
        """Of all people."""
        return self.survey.letters

    @cached_property
    def cells(self) -> dict[str, int]:
        """Composites of each cell of up to three people."""
        counts = LAB_PICTURES if self.lab else PICTURES
        most = min(LARGEST, len(self.letters))
        groups = (group for n in range(1, most + 1) for group in combinations(self.letters, n))
        return {"+".join(sorted(group)): counts[len(group)] for group in groups}

    @property
    def strangers_alone(self) -> int:
        """Composites of strangers without anybody known."""
        return LAB_ALONE if self.lab else ALONE

    @property
    def missing(self) -> list[str]:
        """Groups that no photo is known to show."""
        return [cell for cell in self.cells if "+" in cell and not self.survey.cells.get(cell)]

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Of a portrait, of two and of three, px."""
        return [(128, 144), (144, 128), (192, 96)] if self.lab else list(sizes(self.base.edge))

    @property
    def steps(self) -> int:
        """That a picture is drawn in."""
        return 16 if self.lab else self.drawing.steps or USUAL_STEPS

    @property
    def casts(self) -> int:
        """Pictures of the cast set: casts by both shapes, one wording and one picture."""
        names = {letter: who.name for letter, who in self.survey.characters.items()}
        return len(cast_prompts(names, self.shapes[1:], 1))

    @property
    def amounts(self) -> Amounts:
        """What is made in all."""
        steps = LAB_STEPS if self.lab else self.base.recipe.steps
        asked = 2 * len(self.letters) + len(self.groups) + self.casts
        strangers = 0 if self.lab else STRANGERS
        nouns = {who.noun for who in self.survey.characters.values()}
        for_judge = 0 if self.lab else WANTED * len(nouns)
        trained = RUNS * 2
        edge = max(max(shape) for shape in self.shapes)
        return Amounts(trained, steps, (asked + strangers) * (trained + 1), edge, for_judge)

    @property
    def groups(self) -> list[tuple[str, ...]]:
        """Pairs and the group of three or all, as prompts ask for them: six at most."""
        found = [tuple(cell.split("+")) for cell in self.cells if "+" in cell]
        return sorted(found, key=len, reverse=True)[:6]

    @property
    def card_gib(self) -> float:
        """What the plan expects a training to take, GiB."""
        return self.base.plan.peak / GIB if self.base.plan else 0.0


def experiment_text(new: NewExperiment) -> str:
    """The experiment."""
    return _fill("experiment.yaml.jinja", new)


def first_look_text(new: NewExperiment) -> str:
    """The first look at it: a picture of each person by the base and by a training of few steps."""
    return _fill("first_look.yaml.jinja", new)


def _fill(template: str, new: NewExperiment) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"quoted": _quoted, "word": _word}
    return environment.get_template(template).render(
        new=new, letters=", ".join(new.letters), runs=RUNS, lab_steps=LAB_STEPS, probe=PROBE_STEPS
    )


def _quoted(text: str) -> str:
    """A text in quotes, as YAML reads it."""
    return json.dumps(text, ensure_ascii=False)


def _word(name: str) -> str:
    """A name as YAML reads it: in quotes where it would be a number, a date or the like."""
    plain = name[0].isalpha() and yaml.safe_load(name) == name
    return name if plain else _quoted(name)
