"""Faces by the package insightface, from a local folder with a detector and a recogniser.

Knows insightface; knows nothing of people's names. The package is MIT, but its authors give their
trained models for non-commercial research only: the user decides and names the folder. Nothing is
fetched.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.judges.face_geometry import Face, strongest, turns_of, unit, unread_because
from kindred.judges.interface import Calibration
from kindred.judges.model_files import short_hash
from kindred.specs.judge import JudgeSpec

try:
    from insightface.app import FaceAnalysis
except ImportError as error:
    raise KindredError(
        f"the insightface judge needs the packages insightface and onnxruntime ({error})",
        cure="run `pip install insightface onnxruntime`, if you accept the licence of its models",
    ) from error

THRESHOLD = 0.5  # the detector's probability; insightface's own default
SIDE = 640  # px; the square in which the detector looks
TASKS = ("detection", "recognition")


class InsightFaces:
    """insightface's detector and ArcFace-class descriptor, on the CPU."""

    def __init__(self, folder: Path, threshold: float | None = None) -> None:
        models = {path.name: path for path in sorted(folder.glob("*.onnx"))}
        try:
            self.analysis = FaceAnalysis(
                name=str(folder), allowed_modules=list(TASKS), providers=["CPUExecutionProvider"]
            )
            missing = [task for task in TASKS if task not in self.analysis.models]
        except AssertionError:  # how insightface says that there is no detector
            missing = ["detection"]
        if missing:
            raise KindredError(
                f"{folder} contains no insightface model for {' and '.join(missing)} "
                f"({counted(len(models), '.onnx file')})",
                "judge: model",
                "name the folder of an unpacked model pack",
            )
        chosen = THRESHOLD if threshold is None else threshold
        self.analysis.prepare(ctx_id=-1, det_thresh=chosen, det_size=(SIDE, SIDE))
        self.identity = f"insightface:{folder.name}@{short_hash(models)}"
        # An angular margin in training (ArcFace, arXiv 1801.07698) spreads people evenly.
        self.calibration = Calibration(stranger=0.0, source="assumed: strangers point anywhere")

    @classmethod
    def of(cls, spec: JudgeSpec) -> InsightFaces:
        """The engine of a judge's specification; raises as `open` does."""
        return cls.open(spec.model, spec.threshold)

    @classmethod
    def open(cls, model: str | None, threshold: float | None = None) -> InsightFaces:
        """From a local folder. Raises KindredError when it is not there."""
        if model is None or not Path(model).expanduser().is_dir():
            raise KindredError(
                "the insightface judge needs the folder of an unpacked model pack",
                f"judge: model: {model or 'not set'}",
                "download one (mind its licence) and name its folder as `model`",
            )
        return cls(Path(model).expanduser(), threshold)

    def faces(self, image: Image.Image) -> list[Face]:
        """The faces of one RGB picture, from left to right."""
        bgr = np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])
        faces = []
        for one in self.analysis.get(bgr):
            box = tuple(float(edge) for edge in one.bbox)
            points = np.asarray(one.kps)
            unread = unread_because(box, points)
            vector = None if unread else unit(one.embedding)
            faces.append(Face(box, float(one.det_score), vector, unread, turns_of(points)))
        return strongest(faces, lambda face: face.box, lambda face: face.score)
