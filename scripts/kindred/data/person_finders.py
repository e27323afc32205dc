"""Which finder of people a specification means: a judge's boxes, a segmentation model, or both."""

from __future__ import annotations

from kindred.compute import devices
from kindred.data.person_segmentation import Finder, boxes_of, with_faces
from kindred.specs.composites import MaskSpec


def open_finder(spec: MaskSpec, device: str, threads: int) -> Finder:
    """What finds people, by the specification, on a device that is claimed from now on."""
    name = devices.acquire_device(device)
    # After the claim, which must come before torch: it hides the GPUs of other jobs.
    from kindred.judges import open_judge

    prepared = devices.prepare(name, threads)
    judge = open_judge(spec.judge, prepared) if spec.judge else None
    if spec.segmenter is None:
        assert judge is not None
        return boxes_of(judge)
    from kindred.data.segmentation_model import Segmenter

    find = Segmenter.open(spec.segmenter, prepared).find
    return with_faces(find, judge) if judge else find
