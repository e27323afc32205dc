"""People's outlines by a segmentation model of the DETR, MaskFormer or Mask2Former class.

Knows the model; knows nothing of who anybody is. Needs labels with 'person', as COCO's have; e.g.
facebook/detr-resnet-50-panoptic (Apache 2.0).
"""

from __future__ import annotations

import torch
from PIL import Image
from transformers import AutoModelForUniversalSegmentation

from kindred.data.person_segmentation import SegmentedPerson
from kindred.judges.pretrained_vision import Vision, load, numbers_of
from kindred.specs.judge import PretrainedModel

ROLE = "segmenter"
LABEL = "person"
THRESHOLD = 0.7  # probability from which an outline counts as a person
SMALLEST = 0.01  # share of the photo below which somebody is a passer-by


class Segmenter:
    """Finds people."""

    def __init__(self, vision: Vision, threshold: float = THRESHOLD) -> None:
        self.vision = vision
        self.threshold = threshold
        self.labels = set(numbers_of(LABEL, vision, ROLE, "model"))

    @classmethod
    def open(cls, spec: PretrainedModel, device: torch.device | str = "cpu") -> Segmenter:
        """By id@revision or local folder. Raises KindredError when it can't be had."""
        return cls(load(spec, AutoModelForUniversalSegmentation, (), ROLE, device))

    @torch.inference_mode()
    def find(self, image: Image.Image) -> list[SegmentedPerson]:
        """The people of one picture."""
        outputs = self.vision.model(**self.vision.pixels([image]))
        (found,) = self.vision.processor.post_process_instance_segmentation(
            outputs, threshold=self.threshold, target_sizes=[(image.height, image.width)]
        )
        numbered = found["segmentation"].cpu().numpy()
        ids = [one["id"] for one in found["segments_info"] if one["label_id"] in self.labels]
        outlines = [numbered == number for number in ids]
        return [SegmentedPerson(outline) for outline in outlines if outline.mean() >= SMALLEST]
