"""Score rows as arrays: for every variant and measure, runs x pictures.

Knows the rows of scores; knows nothing of intervals. A picture here is a prompt with a seed; every
run of every variant has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from kindred.characters.cells import cell_name
from kindred.characters.trigger_words import letters_in
from kindred.evidence.variance import Sample
from kindred.specs.casts import AskedCast
from kindred.specs.measures import MEASURES, ScoredImage
from kindred.specs.scoring import CompareSpec

STRANGER, MISSING = "stranger", "missing"
Ratings = Mapping[str, float]  # key of a picture -> mean rating, 0 bad .. 1 good


@dataclass(frozen=True)
class Cell:
    """One picture asked for: prompt set, prompt, seed; who the prompt names; `cast`: whom it asks
    for where the prompt set is made of casts."""

    prompt_set: str
    prompt: str
    seed: int
    asked: tuple[str, ...]
    cast: AskedCast | None = None

    @property
    def strangers(self) -> bool:
        """Whether the prompt asks for people beside those it names."""
        return self.cast is not None and self.cast.strangers > 0


@dataclass
class ImageIndex:
    """The pictures of all variants, in one order."""

    cells: list[Cell]
    index: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index = {(c.prompt_set, c.prompt, c.seed): n for n, c in enumerate(self.cells)}

    @cached_property
    def prompts(self) -> np.ndarray:
        """Which prompt each picture is of, [N] numbers."""
        names = [(c.prompt_set, c.prompt) for c in self.cells]
        number = {name: n for n, name in enumerate(dict.fromkeys(names))}
        return np.array([number[name] for name in names], dtype=int)

    def sample(self, mask: np.ndarray, macro: bool = False) -> Sample:
        """What the pictures of a mask [N] are a sample of. Casts are strata, and so are people
        where every picture asks for one: they are who they are, and the prompts of each a sample.
        `macro`: the mean is over casts of the mean within."""
        cells = [self.cells[n] for n in np.flatnonzero(mask)]
        names: list[str] = []
        if all(cell.cast for cell in cells):
            names = [f"{cell.prompt_set}/{cell.cast.name}" for cell in cells if cell.cast]
        elif all(len(cell.asked) == 1 for cell in cells):
            names = [cell_name(cell.asked) for cell in cells]
        strata = np.array(names) if len({*names}) > 1 else None
        return Sample(self.prompts[mask], strata, macro)

    def of_set(self, prompt_set: str) -> np.ndarray:
        """Mask [N] of a prompt set's pictures."""
        return np.array([c.prompt_set == prompt_set for c in self.cells], dtype=bool)

    def of_cell(self, cell: str) -> np.ndarray:
        """Mask [N] of pictures that ask for exactly these characters and nobody else."""
        alone = [cell_name(c.asked) == cell and not c.strangers for c in self.cells]
        return np.array(alone, dtype=bool)

    def of_size(self, number: int) -> np.ndarray:
        """Mask [N] of pictures that ask for this many characters and nobody else."""
        alone = [len(c.asked) == number and not c.strangers for c in self.cells]
        return np.array(alone, dtype=bool)


@dataclass
class ScoreGrid:
    """One variant's values: measure -> [R, N], NaN where nothing is known; and who was found for
    whom, counts [C, C + 2] (characters, then stranger, then missing)."""

    runs: list[int]
    values: dict[str, np.ndarray]
    bleed: np.ndarray

    def images(self) -> int:
        """How many pictures were scored."""
        return int(np.isfinite(self.values["scored"]).sum())


def pictures_of(rows: Iterable[Mapping[str, str]], spec: CompareSpec) -> ImageIndex:
    """All pictures that some score row is about, in the order of the experiment file."""
    found = {
        (row["prompt_set"], row["prompt"], int(row["seed"]))
        for row in rows
        if row["kind"] == "image"
    }
    cells = []
    for prompt_set, prompts in spec.prompt_sets.items():
        for prompt, text in prompts.items():
            asked = tuple(letters_in(text, spec.characters))
            seeds = sorted(s for name, p, s in found if (name, p) == (prompt_set, prompt))
            cast = spec.casts.get(prompt_set, {}).get(prompt)
            cells += [Cell(prompt_set, prompt, seed, asked, cast) for seed in seeds]
    return ImageIndex(cells)


def grid_of(
    rows: Sequence[Mapping[str, str]],
    runs: Sequence[int],
    pictures: ImageIndex,
    letters: Sequence[str],
    ratings: Ratings,
    probable: bool = False,
) -> ScoreGrid:
    """One variant's score rows as arrays. `probable`: the judge's adherence is a probability, so
    that of a right picture fulfilling its prompt too can be told."""
    names = ["scored", *MEASURES, *(f"identity:{x}" for x in letters)]
    values = {name: np.full((len(runs), len(pictures.cells)), np.nan) for name in names}
    row_of = {str(run): n for n, run in enumerate(runs)}
    bleed = np.zeros((len(letters), len(letters) + 2), dtype=int)
    columns = [*letters, STRANGER, MISSING]
    assigned: set[tuple[int, int, str]] = set()
    images: list[tuple[int, int, Cell]] = []
    for row in rows:
        at = pictures.index.get((row["prompt_set"], row["prompt"], int(row["seed"])))
        run = row_of.get(row["run"])
        if at is None or run is None:
            continue
        if row["kind"] == "image":
            images.append((run, at, pictures.cells[at]))
            rating = ratings.get(row["key"])
            image = ScoredImage(row, pictures.cells[at].asked, rating, probable)
            _fill(values, image, run, at)
        elif row["assigned"]:
            letter = row["assigned"]
            assigned.add((run, at, letter))
            if row["identity"]:
                values[f"identity:{letter}"][run, at] = float(row["identity"])
            bleed[letters.index(letter), columns.index(row["found"] or STRANGER)] += 1
    for run, at, cell in images:
        for letter in cell.asked:
            if (run, at, letter) not in assigned:
                bleed[letters.index(letter), -1] += 1
                if np.isfinite(values["identity"][run, at]):
                    values[f"identity:{letter}"][run, at] = 0.0
    return ScoreGrid(list(runs), values, bleed)


def _fill(values: dict[str, np.ndarray], image: ScoredImage, run: int, at: int) -> None:
    """Write every measure of one picture into its place."""
    values["scored"][run, at] = 1.0
    for name, measure in MEASURES.items():
        value = measure.value(image)
        if value is not None:
            values[name][run, at] = value
