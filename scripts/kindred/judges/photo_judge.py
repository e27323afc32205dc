"""The judge of photographs: faces by one of three engines, and what else the user configures.

Knows how its parts are put together from a specification; knows no engine's insides, no names and
no truth: how good it is on the user's pictures nobody has measured, and its `gates` say so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from kindred.judges import opener
from kindred.judges.face_body_matching import alone_face, match_faces_to_people
from kindred.judges.face_geometry import FaceEngine
from kindred.judges.interface import Acceptance, Calibration, DetectedPerson
from kindred.specs.judge import JUDGES, JudgeSpec

if TYPE_CHECKING:
    import torch

    from kindred.judges.image_similarity import Similarity
    from kindred.judges.person_detector import PersonDetector
    from kindred.judges.prompt_adherence import Adherence


class PhotoJudge:
    """Faces found and embedded, people counted where a detector is configured."""

    def __init__(
        self,
        engine: FaceEngine,
        people: PersonDetector | None = None,
        adherence: Adherence | None = None,
        similarity: Similarity | None = None,
    ) -> None:
        self.engine = engine
        self.people = people
        self.prompts = adherence
        self.similarity = similarity
        self.counts = "people" if people else "faces"
        self.calibration: Calibration = engine.calibration
        self.gates = Acceptance()
        self.told: set[str] = set()
        parts = {"people": people, "adherence": adherence, "similarity": similarity}
        extra = [f"{name}={part.identity}" for name, part in parts.items() if part]
        self.identity = "; ".join([engine.identity, *extra])

    @classmethod
    def open(cls, spec: JudgeSpec, device: torch.device | str = "cpu") -> PhotoJudge:
        """The judge that a specification describes. Faces are found on the CPU, whatever `device`.

        Raises KindredError or ProblemsError: what is missing or wrong, and how to get it.
        """
        engine = open_engine(spec)
        people = adherence = similarity = None
        if spec.person_detector:
            from kindred.judges.person_detector import PersonDetector

            people = PersonDetector.open(spec.person_detector, device)
        if spec.adherence:
            from kindred.judges.prompt_adherence import Adherence

            adherence = Adherence.open(spec.adherence, device)
        if spec.similarity:
            from kindred.judges.image_similarity import Similarity

            similarity = Similarity.open(spec.similarity, device)
        return cls(engine, people, adherence, similarity)

    def find(self, images: Sequence[Image.Image]) -> list[list[DetectedPerson]]:
        """Everybody found in each picture, from left to right."""
        return [self._find(image.convert("RGB")) for image in images]

    def _find(self, image: Image.Image) -> list[DetectedPerson]:
        faces = self.engine.faces(image)
        if self.people is None:
            return [alone_face(face) for face in faces]
        return match_faces_to_people(self.people.find(image), faces)

    def adherence(
        self, images: Sequence[Image.Image], prompts: Sequence[str]
    ) -> list[float | None]:
        """Cosine of picture and prompt; None throughout without a model for it."""
        if self.prompts is None:
            return [None] * len(images)
        for prompt in self.prompts.too_long(sorted(set(prompts) - self.told)):
            print(
                f"warning: {self.prompts.identity} reads {self.prompts.tokens} tokens and judges "
                f"only the beginning of '{prompt}'",
                file=sys.stderr,
            )
        self.told |= set(prompts)
        return list(self.prompts.cosines(images, prompts))

    def wears(
        self,
        images: Sequence[Image.Image],
        people: Sequence[Sequence[DetectedPerson]],
        garments: Sequence[Sequence[str]],
    ) -> list[list[str]]:
        """For each person the garment whose words fit best what is below the head, by the model for
        adherence; '' without one, and where no body was found. Nobody has measured how often that
        is right."""
        found = [[""] * len(own) for own in people]
        crops, phrases, places = [], [], []
        for n, (image, own) in enumerate(zip(images, people, strict=True)):
            for k, person in enumerate(own):
                crop = body_of(image, person)
                if crop is not None:
                    crops += [crop] * len(garments[n])
                    phrases += list(garments[n])
                    places += [(n, k)] * len(garments[n])
        if self.prompts is None or not crops:
            return found
        said = self.prompts.cosines(crops, [f"a person in a {phrase}" for phrase in phrases])
        best: dict[tuple[int, int], float] = {}
        for (n, k), phrase, cosine in zip(places, phrases, said, strict=True):
            if cosine > best.get((n, k), -2.0):
                best[n, k], found[n][k] = cosine, phrase
        return found

    def whole(self, images: Sequence[Image.Image]) -> np.ndarray | None:
        """Unit vectors [N, D] of whole pictures; None without a model for it."""
        return self.similarity.vectors(images) if self.similarity else None


def body_of(image: Image.Image, person: DetectedPerson) -> Image.Image | None:
    """What a picture shows of a person below the chin; None where that is no more than the head,
    as where the face alone was found."""
    x0, _, x1, y1 = person.box
    chin = person.head[3]
    if person.box == person.head or y1 - chin < (chin - person.head[1]) / 2:
        return None
    width, height = image.size
    box = max(0, round(x0)), max(0, round(chin)), min(width, round(x1)), min(height, round(y1))
    return image.crop(box) if box[2] > box[0] and box[3] > box[1] else None


def open_engine(spec: JudgeSpec) -> FaceEngine:
    """The face engine of a specification; imports only the packages that it needs."""
    return opener(JUDGES[spec.kind].engine).of(spec)
