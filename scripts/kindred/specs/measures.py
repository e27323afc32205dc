"""The measures of a picture: each one record, from which everything that names a measure follows.

A record says how a measure's value is computed and read from a score row, what kind of number it
is, which way is better, what it reads where nothing was learned, what it needs, and its words. The
keys that hypotheses may name, arrays, intervals, sentences and table columns follow from
`MEASURES`, in its order. Knows rows of scores as text; knows nothing of arrays or pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kindred.specs.measure_kinds import DISTANCE, FIT, FRACTION, GRADE, LIKENESS, SHARE, Kind


@dataclass(frozen=True)
class ScoredImage:
    """A picture's row of scores, as text by column, with what stands in no column: who was asked
    for, people's mean rating (0..1), and whether the judge's adherence is a probability."""

    row: Mapping[str, str]
    asked: Sequence[str]
    rating: float | None = None
    probable: bool = False


@dataclass(frozen=True)
class Measure:
    """One measure. `value` gives a picture's number, None where there is none; `formula`: the same
    in the symbols of docs/reference/measures.md; `code`: what computes it, 'file: name'. `chance`:
    what it reads for a base that learned nobody; `derived`: how that follows. `floor`: what it
    reads at least where no name is known, from which 'both at the floor' is told: `chance` as a
    number where that is one. `needs`: what it can't be had without. `says`: its words in verdicts,
    where {counts} is what the judge counts. `needs_names`: it can't be high for an adapter that has
    not learned which name is whose; `names` says why, or how it is high without. `heading` and
    `hint` head a column of the report's table `about` people or pictures; not `tabled`: it has none
    there, for a screen has no room for all. `compared`: with the baseline, in summaries. `macro`:
    its mean is over casts of the mean within each, so that no cast counts for more."""

    name: str
    kind: Kind
    better: Literal["more", "less", "neither"]
    chance: str
    needs: tuple[str, ...]
    says: str
    heading: str
    hint: str
    formula: str
    derived: str
    code: str
    value: Callable[[ScoredImage], float | None]
    names: str
    needs_names: bool = False
    about: Literal["people", "picture"] = "people"
    tabled: bool = True
    compared: bool = False
    macro: bool = False
    floor: float | None = None


def _column(name: str) -> Callable[[ScoredImage], float | None]:
    """The number in a column; None where it is empty."""
    return lambda image: float(image.row[name]) if image.row[name] else None


def _of_judged(value: Callable[[ScoredImage], float]) -> Callable[[ScoredImage], float | None]:
    """`value` of pictures that ask for somebody and whose success the judge could tell."""
    return lambda image: value(image) if image.asked and image.row["success"] else None


def _fulfilled(image: ScoredImage) -> float | None:
    success, adherence = _column("success")(image), _column("adherence")(image)
    if not image.probable or success is None or adherence is None:
        return None
    return success * adherence


def _missing(image: ScoredImage) -> float:
    missing = image.row["missing"]
    return len(missing.split("+")) / len(image.asked) if missing else 0.0


def _strangers(image: ScoredImage) -> float:
    return float(int(image.row["strangers"]) > int(image.row["strangers_asked"] or 0))


def _pull(image: ScoredImage) -> float | None:
    return None if image.asked else float(bool(image.row["unasked"]))


HEADS, REFERENCES, RATINGS = "heads counted", "reference photos", "people's ratings"
FAMILY = (
    "the picture's shape can say how many people to draw, and an adapter that knows only the "
    "family draws the family; it says more where one person alone is asked for"
)
LOOKS = "it is about the picture, not about who is in it"
_RECORDS = (
    Measure(
        name="cast",
        kind=SHARE,
        better="more",
        chance="0 in every cast with a character, 1 in those of strangers alone, which need no "
        "LoRA: 3 casts of 12 for three characters",
        floor=1 / 12,
        needs=(HEADS, REFERENCES, "a prompt set made of `casts`"),
        says="pictures that show exactly whom they were asked for (cast accuracy)",
        heading="Cast right",
        hint="proportion of pictures with exactly the people asked for, strangers included, each "
        "once, over all casts on all canvases: what can't be had without names",
        formula="[n = k  and  F(x) = [x ∈ A] for every character x]",
        derived="a base draws strangers, as many as asked for: 3/12 = 25 %; an adapter that "
        "draws its family instead falls lower, to the floor of 1/12 = 8 %: who sees only the "
        "picture’s shape draws one outcome on each shape, right for one cast of twelve, "
        "2 shapes × 1 / (2 × 12)",
        code="scoring/identity_assignment.py: assign_identities",
        value=_column("cast_right"),
        compared=True,
        macro=True,
        names="members are called by name alone, on every shape of picture",
        needs_names=True,
    ),
    Measure(
        name="success",
        kind=SHARE,
        better="more",
        chance="near 0",
        floor=0.0,
        needs=(HEADS, REFERENCES),
        says="pictures in which everyone asked for is there, once and recognisable",
        heading="Right",
        hint="proportion of pictures with everyone asked for, once, and recognisable, and nobody "
        "else",
        formula="[n = k  and  F(x) = [x ∈ A] for every character x],   A not empty",
        derived="nobody is recognised, but for the strangers whom the judge takes for somebody",
        code="scoring/identity_assignment.py: assign_identities",
        value=_column("success"),
        compared=True,
        names=FAMILY,
    ),
    Measure(
        name="fulfilled",
        kind=FRACTION,
        better="more",
        chance="near 0",
        floor=0.0,
        needs=("success", "adherence that is a probability"),
        says="pictures right and as the prompt says (success times adherence)",
        heading="… and as asked",
        hint="right, times the judge's probability of the place or hair that the prompt names; "
        "prompts that name none are left out, so it can be above “Right”",
        formula="success × a",
        derived="0 wherever success is 0",
        code="specs/measures.py: _fulfilled",
        value=_fulfilled,
        names=FAMILY,
    ),
    Measure(
        name="count",
        kind=SHARE,
        better="more",
        chance="what the base draws for so many people; a wide picture alone may set it",
        needs=(HEADS,),
        says="pictures with the right number of {counts}",
        heading="Count right",
        hint="proportion of pictures in which the judge counts as many as were asked for",
        formula="[n = k],   k ≥ 1",
        derived="nothing to derive it from: read the row BASE of the same prompts",
        code="scoring/identity_assignment.py: assign_identities",
        value=_column("count"),
        compared=True,
        names="the shape of the picture alone can set the number",
    ),
    Measure(
        name="identity",
        kind=LIKENESS,
        better="more",
        chance="0",
        floor=0.0,
        needs=(REFERENCES,),
        says="identity (0 a stranger, 1 another photo of the person)",
        heading="Likeness",
        hint="0 is a stranger, 1 another photo of the same person",
        formula="(1 / |A|) Σ id(m(x), x) over x in A,   0 for an x to whom nobody is assigned",
        derived="a stranger’s similarity is σ on average, which is 0 of the scale; in groups a "
        "little more, because people are assigned as well as may be",
        code="scoring/identity_assignment.py: assign_identities",
        value=_column("identity"),
        compared=True,
        names="people are matched with those asked for as well as may be, so a family drawn whole "
        "is alike whoever was meant",
    ),
    Measure(
        name="missing",
        kind=FRACTION,
        better="less",
        chance="near 1",
        floor=1.0,
        needs=(REFERENCES,),
        says="people asked for who are missing",
        heading="Missing",
        hint="proportion of those asked for who are not recognised in the picture",
        formula="|{x in A: F(x) = 0}| / |A|",
        derived="nobody is recognised",
        code="specs/measures.py: _missing",
        value=_of_judged(_missing),
        names=FAMILY,
    ),
    Measure(
        name="duplicated",
        kind=SHARE,
        better="less",
        chance="near 0",
        needs=(REFERENCES,),
        says="pictures in which somebody is there twice",
        heading="Twice",
        hint="proportion of pictures in which somebody asked for is more than once",
        formula="[F(x) > 1 for some character x]",
        derived="nobody is recognised, so nobody twice",
        code="scoring/identity_assignment.py: assign_identities",
        value=_of_judged(lambda image: float(bool(image.row["duplicated"]))),
        names=FAMILY,
    ),
    Measure(
        name="strangers",
        kind=SHARE,
        better="less",
        chance="near 1",
        floor=1.0,
        needs=(REFERENCES,),
        says="pictures with a stranger who was not asked for",
        heading="Strangers",
        hint="proportion of pictures with somebody who is recognised as nobody and was not asked "
        "for",
        formula="[F(stranger) > s]",
        derived="everybody drawn is a stranger, and prompts ask for characters",
        code="specs/measures.py: _strangers",
        value=_of_judged(_strangers),
        names=FAMILY,
    ),
    Measure(
        name="pull",
        kind=SHARE,
        better="less",
        chance="near 0",
        needs=(REFERENCES, "prompts that name nobody"),
        says="pictures without names that show a character",
        heading="Uncalled",
        hint="prompts that name nobody: proportion of pictures showing a character",
        formula="[F(x) > 0 for some character x],   A empty",
        derived="the strangers whom the judge takes for somebody",
        code="specs/measures.py: _pull",
        value=_pull,
        names="its prompts name nobody",
    ),
    Measure(
        name="adherence",
        kind=FIT,
        better="more",
        chance="what the base reads for the same prompts",
        needs=("a judge that compares picture and prompt",),
        says="adherence to the prompt",
        heading="Prompt",
        hint="how well the picture fits the words of its prompt",
        about="picture",
        formula="a",
        derived="nothing to derive it from: read the row BASE of the same prompts",
        code="judges/lab_judge.py: LabJudge; judges/prompt_adherence.py: Adherence",
        value=_column("adherence"),
        compared=True,
        names=LOOKS,
    ),
    Measure(
        name="diversity",
        kind=DISTANCE,
        better="more",
        chance="what the base reads for the same prompts",
        needs=("two seeds or more a prompt",),
        says="difference between seeds",
        heading="Diversity",
        hint="mean distance between pictures of one prompt",
        about="picture",
        formula="mean of d(i, j) over the pictures j ≠ i of the same prompt, variant and run",
        derived="nothing to derive it from: read the row BASE of the same prompts",
        code="scoring/score_images.py: _diversity",
        value=_column("diversity"),
        names=LOOKS,
    ),
    Measure(
        name="drift",
        kind=DISTANCE,
        better="less",
        chance="0 for the base itself",
        needs=("prompts that name nobody", "the base's pictures of them"),
        says="distance from the base where nobody is named",
        heading="Drift",
        hint="distance to the base's picture where nobody is named",
        about="picture",
        formula="d(i, b),   b: the base’s picture of the same prompt and seed; A empty",
        derived="the base draws the same picture again",
        code="scoring/score_images.py: _drift",
        value=_column("drift"),
        compared=True,
        names=LOOKS,
    ),
    Measure(
        name="nearest_distance",
        kind=DISTANCE,
        better="neither",
        chance="what the base reads for the same prompts",
        needs=("the training photos",),
        says="distance from the nearest training photo",
        heading="From photos",
        hint="distance to the most similar training photo; 0 is a copy",
        about="picture",
        formula="min of d(i, j) over the photos j trained on",
        derived="nothing to derive it from: read the row BASE of the same prompts",
        code="scoring/training_pictures.py: TrainingPictures",
        value=_column("nearest_distance"),
        names=LOOKS,
    ),
    Measure(
        name="copied",
        kind=SHARE,
        better="less",
        chance="what photos that were not trained on read: 1 % of many, more where training photos "
        "are few or composites many",
        needs=("two training photos or more",),
        says="copies of training photos or composites",
        heading="Copies",
        hint="proportion of pictures nearer to a photo or composite trained on than 99 % of photos "
        "are to their nearest other photo",
        about="picture",
        formula="[min of d(i, j) over all photos and composites j trained on  <  q],\n"
        "q: 1 % quantile over photos j of min of d(j, l) over the other photos l",
        derived="with N ≤ 101 photos q is the distance of the two that are most alike, and one "
        "more photo of the same kind is nearer than that with a chance of 2 / (N + 1): 8 % for 25 "
        "photos",
        code="scoring/training_pictures.py: TrainingPictures",
        value=_column("copied"),
        names=LOOKS,
    ),
    Measure(
        name="rating",
        kind=GRADE,
        better="more",
        chance="what people give the base's pictures",
        needs=(RATINGS,),
        says="people's rating (0 bad, 1 good)",
        heading="Rated",
        hint="by people: 0 bad, 0.5 neutral, 1 good",
        about="picture",
        formula="(mean over raters of the grade − 1) / 2,   grades 1 bad, 2 neutral, 3 good",
        derived="nothing to derive it from: rate pictures of BASE, too",
        code="evidence/human_ratings.py: mean_ratings",
        value=lambda image: image.rating,
        names="raters may not be told who was asked for",
    ),
)
MEASURES: Mapping[str, Measure] = {one.name: one for one in _RECORDS}
