"""People in a picture, also those whose faces are not seen, by a detector of the DETR class.

Knows the detector; knows nothing of faces. Needs a model whose labels include 'person' (COCO's
do), e.g. YOLOS, RT-DETR, or DETR without a timm backbone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from transformers import AutoModelForObjectDetection

from kindred.judges.face_body_matching import Person
from kindred.judges.face_geometry import strongest
from kindred.judges.interface import Box
from kindred.judges.pretrained_vision import Vision, load, numbers_of
from kindred.specs.judge import PretrainedModel

ROLE = "person_detector"
LABEL = "person"
THRESHOLD = 0.7  # probability from which a box counts as a person
SAME_PERSON = 0.9  # share of the smaller box in the larger above which two boxes are one person


class PersonDetector:
    """Finds people."""

    def __init__(self, vision: Vision, threshold: float = THRESHOLD) -> None:
        self.vision = vision
        self.threshold = threshold
        self.identity = vision.identity
        self.labels = numbers_of(LABEL, vision, f"judge: {ROLE}", "detector")

    @classmethod
    def open(cls, spec: PretrainedModel, device: torch.device | str = "cpu") -> PersonDetector:
        """By id@revision or local folder. Raises KindredError when it can't be had."""
        return cls(load(spec, AutoModelForObjectDetection, (), ROLE, device))

    @torch.inference_mode()
    def find(self, image: Image.Image) -> list[Person]:
        """The people of one picture, from left to right."""
        outputs = self.vision.model(**self.vision.pixels([image]))
        found = self.vision.processor.post_process_object_detection(
            outputs, threshold=self.threshold, target_sizes=[(image.height, image.width)]
        )[0]
        rows = zip(found["scores"], found["labels"], found["boxes"], strict=True)
        people = [
            Person(_inside(box.tolist(), image.size), float(score))
            for score, label, box in rows
            if int(label) in self.labels
        ]
        return strongest(people, lambda p: p.box, lambda p: p.score, SAME_PERSON)


def _inside(box: Sequence[float], size: tuple[int, int]) -> Box:
    x0, y0, x1, y1 = box
    return (max(0.0, x0), max(0.0, y0), min(float(size[0]), x1), min(float(size[1]), y1))
