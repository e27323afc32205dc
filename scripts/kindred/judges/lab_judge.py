"""The lab's judge behind the interface of all judges, with the gates that it was measured by.

Knows lab/judge, and the places and hair that prompts of the lab's world name; knows nothing of
references.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from kindred.common.errors import KindredError
from kindred.common.files import read_json, write_json
from kindred.common.hashing import sha256_file
from kindred.judges.interface import Acceptance, Calibration, DetectedPerson
from kindred.judges.lab_inference import DetectedPerson as Seen
from kindred.judges.lab_inference import DetectedScene, LabDetector
from kindred.judges.model_files import Part, locate
from kindred.models.identity import identity
from kindred.specs.judge import JudgeSpec
from kindred.world.phrases import place_in
from kindred.world.vocabulary import CLOTHES, COLOURS, HAIR_COLOURS, HAIR_STYLES

if TYPE_CHECKING:
    import torch

    from kindred.judges.image_similarity import Similarity

DEFAULT = "lab/judge"
HOW_TO_GET_IT = (
    "it comes with the repository: download lab/ again, or train it as lab/README.md says"
)
PARTS = {"model": Part("model.safetensors"), "config": Part("config.json")}
HAIR = re.compile(
    r"\b(?:(?P<style>short|spiky|curly|long) )?"
    rf"(?P<colour>{'|'.join(HAIR_COLOURS)}) (?P<kind>hair|bob|ponytail|bun|pigtails)\b"
)
GARMENT = re.compile(
    rf"\b(?P<clothes_colour>{'|'.join(COLOURS)}) (?P<clothes>{'|'.join(CLOTHES)})\b"
)
WORN = 0.5  # probability from which a garment counts as worn
GATES_FILE = "gates.json"
MODEL_HASH = "model sha256"  # in GATES_FILE: which weights the figures are of
# Below one of these, verdicts are not to be trusted. "vae ": after the base's autoencoder.
GATES = {"count": 0.98, "family top-1": 0.97, "vae family top-1": 0.93}


class LabJudge:
    """The trained judge of drawings. Adherence is the probability of place and hair asked for."""

    counts = "people"

    def __init__(
        self,
        judge: LabDetector,
        name: str,
        gates: Acceptance | None = None,
        threshold: float | None = None,
        similarity: Similarity | None = None,
    ) -> None:
        self.judge = judge
        self.threshold = threshold
        self.similarity = similarity
        self.gates = gates or Acceptance()
        self.identity = name + (f"; similarity={similarity.identity}" if similarity else "")
        known = judge.config.calibration
        self.calibration = Calibration(
            stranger=known.get("stranger"), same=known.get("same"), source="held-out drawings"
        )
        self._last: tuple[list[Image.Image], list[DetectedScene]] = ([], [])

    @classmethod
    def open(cls, spec: JudgeSpec, device: torch.device | str = "cpu") -> LabJudge:
        """From the specification's folder. Raises KindredError saying how to get what is missing,
        and for options that this judge does not have."""
        for option in ("adherence", "person_detector", "files"):
            if getattr(spec, option):
                what = "the lab's judge has its own model for this"
                raise KindredError(what, f"judge: {option}", "remove the key")
        folder = Path(spec.model or DEFAULT)
        if not (folder / PARTS["model"].file).is_file():
            raise KindredError(f"there is no model in {folder}", "judge", HOW_TO_GET_IT)
        locate(PARTS, dict.fromkeys(PARTS, folder), spec.files, spec.sha256)
        similarity = None
        if spec.similarity:
            from kindred.judges.image_similarity import Similarity

            similarity = Similarity.open(spec.similarity, device)
        judge = _load(folder, device)
        gates = read_acceptance(folder)
        if gates.measured and spec.threshold not in (None, judge.config.threshold):
            gates = _unmeasured(f"measured at threshold {judge.config.threshold}")
        return cls(
            judge,
            identity(folder.as_posix(), None, (".",)),
            gates,
            spec.threshold,
            similarity,
        )

    def find(self, images: Sequence[Image.Image]) -> list[list[DetectedPerson]]:
        """The people of every picture, from left to right."""
        return [
            [DetectedPerson(p.box, p.head, p.score, p.embedding) for p in sighting.people]
            for sighting in self._look(images)
        ]

    def adherence(
        self, images: Sequence[Image.Image], prompts: Sequence[str]
    ) -> list[float | None]:
        """Probability of the prompt's place, of its hair, or of both (product); None where it has
        neither. Hair is read from the person found most surely; 0 where nobody is found."""
        places, hairs = [place_in(p) for p in prompts], [hair_in(p) for p in prompts]
        if not any(places) and not any(hairs):
            return [None] * len(images)
        sightings = self._look(images)
        if any(hairs):
            # Attributes take time, so that they are read only where a prompt is about them.
            sightings = self.judge.look(images, self.threshold)
        return [
            _both(sighting.place[place] if place else None, _hair(sighting, hair) if hair else None)
            for sighting, place, hair in zip(sightings, places, hairs, strict=True)
        ]

    def wears(
        self,
        images: Sequence[Image.Image],
        people: Sequence[Sequence[DetectedPerson]],
        garments: Sequence[Sequence[str]],
    ) -> list[list[str]]:
        """For each person the garment whose kind and colour are both read at a probability of at
        least `WORN` (product), the most probable if several; '' for none."""
        read = [{phrase: garment_in(phrase) for phrase in phrases} for phrases in garments]
        sightings = self.judge.look(images, self.threshold)
        return [
            [_worn(person, known) for person in sighting.people]
            for sighting, known in zip(sightings, read, strict=True)
        ]

    def whole(self, images: Sequence[Image.Image]) -> np.ndarray | None:
        """Unit vectors [N, D] of whole pictures; None without a model for it."""
        return self.similarity.vectors(images) if self.similarity else None

    def _look(self, images: Sequence[Image.Image]) -> list[DetectedScene]:
        """Sightings; of the pictures asked for last they are remembered."""
        before, sightings = self._last
        same = len(before) == len(images) and all(
            a is b for a, b in zip(before, images, strict=True)
        )
        if not same:
            sightings = self.judge.look(images, self.threshold, attributes=False)
            self._last = (list(images), sightings)
        return sightings


def _load(folder: Path, device: torch.device | str) -> LabDetector:
    from safetensors import SafetensorError

    try:
        return LabDetector.load(folder, device)
    except (SafetensorError, RuntimeError) as error:
        raise KindredError(
            f"the model in {folder} can't be read ({error})", "judge", HOW_TO_GET_IT
        ) from None


def hair_in(prompt: str) -> dict[str, str]:
    """The hair that a prompt says, by the judge's attributes; empty where it says none, or of more
    than one person."""
    text = prompt.casefold()
    found = list(HAIR.finditer(text))
    if len(found) != 1:
        return {"hair_style": "bald"} if "bald head" in text and not found else {}
    style, colour, kind = found[0].group("style", "colour", "kind")
    style = style or (kind if kind in HAIR_STYLES else None)
    named = {"hair_style": style, "hair_colour": colour}
    return {key: value for key, value in named.items() if value}


def garment_in(phrase: str) -> dict[str, str]:
    """The clothes and their colour that a phrase such as 'red sweater' says, by the judge's
    attributes; empty unless it says both."""
    found = GARMENT.search(phrase.casefold())
    return found.groupdict() if found else {}


def _worn(person: Seen, garments: Mapping[str, Mapping[str, str]]) -> str:
    """The garment, of phrases with their attributes, that a person wears."""
    chances = {
        phrase: math.prod(person.attributes[name][value] for name, value in garment.items())
        for phrase, garment in garments.items()
        if garment
    }
    best = max(chances, key=lambda phrase: chances[phrase], default="")
    return best if best and chances[best] >= WORN else ""


def _hair(sighting: DetectedScene, hair: dict[str, str]) -> float:
    """Probability that the most certain person has the hair."""
    if not sighting.people:
        return 0.0
    person = max(sighting.people, key=lambda one: one.score)
    return math.prod(person.attributes[name][value] for name, value in hair.items())


def _both(*chances: float | None) -> float | None:
    """The product of those that are known; None when none is."""
    known = [chance for chance in chances if chance is not None]
    return math.prod(known) if known else None


def read_acceptance(folder: Path) -> Acceptance:
    """Figures that were measured when the judge was trained; unmeasured without gates.json, or
    when they are of another model than lies beside it."""
    path = folder / GATES_FILE
    if not path.exists():
        return Acceptance()
    written: dict[str, Any] = read_json(path)
    measured = written.get(MODEL_HASH)
    if measured is None:
        return _unmeasured(f"says nothing of {MODEL_HASH}")
    if measured != sha256_file(folder / PARTS["model"].file):
        return _unmeasured("measured with another model")
    figures = {k: float(v) for k, v in written.items() if isinstance(v, int | float)}
    return Acceptance(True, figures, acceptance_failures(figures))


def write_acceptance(folder: Path, figures: Mapping[str, float], model: Path) -> None:
    """Write what was measured with the judge in the folder `model`."""
    known = {k: v if math.isfinite(v) else None for k, v in figures.items()}
    digest = sha256_file(model / PARTS["model"].file)
    write_json(folder / GATES_FILE, {**known, MODEL_HASH: digest})


def _unmeasured(why: str) -> Acceptance:
    return Acceptance(False, {}, [f"{GATES_FILE}: {why}, so this judge counts as never tested"])


def acceptance_failures(figures: dict[str, float]) -> list[str]:
    """Gates that are not reached or were not measured, in words."""
    failures = []
    for name, target in GATES.items():
        value = figures.get(name, math.nan)
        if math.isnan(value):
            failures.append(f"{name}: not measured, must be {target}")
        elif value < target:
            failures.append(f"{name}: {value:.3f} is below {target}")
    return failures
