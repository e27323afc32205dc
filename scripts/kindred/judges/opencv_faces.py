"""Faces by OpenCV: the YuNet detector and the SFace descriptor, from two local ONNX files.

Knows OpenCV and pixels; knows nothing of people's names. The files are OpenCV Zoo's (YuNet: MIT,
SFace: Apache 2.0) and are not fetched: the user names them, because they come from the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from kindred.common.errors import KindredError, first_line_of
from kindred.judges.face_geometry import (
    Face,
    scaled,
    strongest,
    turns_of,
    unit,
    unread_because,
)
from kindred.judges.interface import Calibration
from kindred.judges.model_files import Part, locate, short_hash
from kindred.specs.judge import JudgeSpec

try:
    import cv2
except ImportError as error:
    raise KindredError(
        f"the yunet-sface judge needs OpenCV ({error})",
        cure="run `pip install opencv-python-headless`",
    ) from error

SOURCE = " from github.com/opencv/opencv_zoo and name it under `files`"
PARTS = {
    "detector": Part("face_detection_yunet_2023mar.onnx", source=SOURCE),
    "recogniser": Part("face_recognition_sface_2021dec.onnx", source=SOURCE),
}
# Cosine from which SFace's authors say "the same person" (OpenCV's tutorial on DNN faces, LFW).
SAME_PERSON = 0.363
THRESHOLD = 0.7  # YuNet's probability of a face
NON_MAXIMUM, TOP = 0.3, 5000  # OpenCV's own defaults
LONGEST = 1280  # px; YuNet finds faces of about 10 to 300 px (OpenCV Zoo's description)


class OpenCvFaces:
    """YuNet and SFace."""

    def __init__(self, paths: Mapping[str, Path], threshold: float | None = None) -> None:
        self.threshold = THRESHOLD if threshold is None else threshold
        try:
            self.detector = cv2.FaceDetectorYN.create(
                str(paths["detector"]), "", (320, 320), self.threshold, NON_MAXIMUM, TOP
            )
            self.recogniser = cv2.FaceRecognizerSF.create(str(paths["recogniser"]), "")
        except cv2.error as error:
            files = " or ".join(str(path) for path in paths.values())
            raise KindredError(
                f"OpenCV {cv2.__version__} can't read this model ({first_line_of(error)})",
                files,
                f"download the file again{SOURCE}",
            ) from error
        self.identity = f"yunet-sface@{cv2.__version__}-{short_hash(paths)}"
        self.calibration = Calibration(
            stranger=0.0, same=2 * SAME_PERSON, source="assumed: strangers point anywhere"
        )

    @classmethod
    def of(cls, spec: JudgeSpec) -> OpenCvFaces:
        """The engine of a judge's specification; raises as `open` does."""
        return cls.open(spec.files, spec.sha256, spec.threshold)

    @classmethod
    def open(
        cls,
        files: Mapping[str, str],
        hashes: Mapping[str, str],
        threshold: float | None = None,
    ) -> OpenCvFaces:
        """From local files. Raises ProblemsError naming each one that is missing or wrong."""
        return cls(locate(PARTS, {}, files, hashes), threshold)

    def faces(self, image: Image.Image) -> list[Face]:
        """The faces of one RGB picture, from left to right."""
        scale = min(1.0, LONGEST / max(image.size))
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        pixels = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))
        bgr = np.ascontiguousarray(pixels[..., ::-1])
        self.detector.setInputSize(size)
        _, rows = self.detector.detect(bgr)
        faces = [self._face(bgr, row, scale) for row in (rows if rows is not None else [])]
        return strongest(faces, lambda face: face.box, lambda face: face.score)

    def _face(self, bgr: np.ndarray, row: np.ndarray, scale: float) -> Face:
        """`row`: x, y, width, height, five landmarks, score; in pixels of `bgr`."""
        x, y, width, height = (float(value) for value in row[:4])
        box = scaled((x, y, x + width, y + height), 1 / scale)
        points = row[4:14].reshape(5, 2) / scale
        unread, turns = unread_because(box, points), turns_of(points)
        if unread:
            return Face(box, float(row[-1]), None, unread, turns)
        crop = self.recogniser.alignCrop(bgr, row)
        vector = self.recogniser.feature(crop).reshape(-1)
        return Face(box, float(row[-1]), unit(vector), turns=turns)
