"""Faces by dlib: two detectors, five landmarks and a face descriptor; works offline on a CPU.

The weights come inside the package `face_recognition_models`. Knows dlib and pixels; knows nothing
of people's names. Imported only when a photo judge is opened.

The descriptor is a ResNet [128] trained so that two pictures of one person are less than 0.6 apart
(dlib's documentation, face_recognition_model_v1). Its length hardly varies (1.38 ± 0.05 over 93
faces), so after scaling to unit length cosine = 1 - (distance / LENGTH)² / 2 within 0.015.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kindred.common.errors import KindredError
from kindred.judges.face_geometry import Face, grown, scaled, strongest, turned, turned_back, unit
from kindred.judges.interface import Box, Calibration
from kindred.judges.model_files import PHOTO_REQUIREMENTS, Part, locate, package_folder, short_hash
from kindred.specs.judge import JudgeSpec

try:
    import dlib
except ImportError as error:
    raise KindredError(
        f"the photo judge needs the package 'dlib-bin' ({error})", cure=PHOTO_REQUIREMENTS
    ) from error

SOURCE = f" ({PHOTO_REQUIREMENTS})"
PARTS = {
    "detector": Part(
        "mmod_human_face_detector.dat",
        "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
        SOURCE,
    ),
    "landmarks": Part(
        "shape_predictor_5_face_landmarks.dat",
        "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
        SOURCE,
    ),
    "recogniser": Part(
        "dlib_face_recognition_resnet_model_v1.dat",
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        SOURCE,
    ),
}
LENGTH = 1.40
SAME_PERSON = 0.6  # distance below which dlib's authors say "the same person"
STRANGERS = 0.86  # mean cosine of different people; see benchmarks/photo_judge.py
THRESHOLD = 0.3  # score of either detector from which a find counts
TURNED = 0.1  # how much more a find in a turned picture must score than an upright one
SMALLEST = 80  # px; neither detector finds smaller faces
HOG_SIDE, CNN_SIDE = 1040, 640  # shorter side at which each looks, px: 1/13 and 1/8 of it
LARGEST_SCALE = 4.0


def as_cosine(distance: float) -> float:
    """Distance between two descriptors -> cosine of their unit vectors (see the module's head)."""
    return 1 - (distance / LENGTH) ** 2 / 2


@dataclass(frozen=True)
class Find:
    """A face before it is embedded. `turns` quarter turns bring it upright; None: not known."""

    box: Box
    turns: int | None
    score: float


class DlibFaces:
    """dlib's detectors and descriptor. Answers are the same every time."""

    def __init__(
        self, paths: Mapping[str, Path], detectors: Sequence[str], threshold: float | None = None
    ) -> None:
        self.threshold = THRESHOLD if threshold is None else threshold
        self.hog = dlib.get_frontal_face_detector()
        self.cnn = (
            dlib.cnn_face_detection_model_v1(str(paths["detector"])) if "cnn" in detectors else None
        )
        self.with_hog = "hog" in detectors
        self.landmarks = dlib.shape_predictor(str(paths["landmarks"]))
        self.recogniser = dlib.face_recognition_model_v1(str(paths["recogniser"]))
        names = "+".join(sorted(detectors))
        self.identity = f"dlib-{names}@{dlib.__version__}-{short_hash(paths)}"
        # Of a single photo the own end is put where 0.5 falls on the authors' threshold.
        self.calibration = Calibration(
            stranger=STRANGERS,
            same=2 * as_cosine(SAME_PERSON) - STRANGERS,
            source="pairs of different people in photographs, dlib's descriptor",
        )

    @classmethod
    def of(cls, spec: JudgeSpec) -> DlibFaces:
        """The engine of a judge's specification; raises as `open` does."""
        return cls.open(spec.detectors, spec.threshold, spec.files, spec.sha256)

    @classmethod
    def open(
        cls,
        detectors: Sequence[str] = ("cnn", "hog"),
        threshold: float | None = None,
        files: Mapping[str, str] | None = None,
        hashes: Mapping[str, str] | None = None,
    ) -> DlibFaces:
        """From the package's files, or other ones. Raises ProblemsError naming each wrong file."""
        files, hashes = files or {}, hashes or {}
        inside = set(PARTS) - set(files)
        folder = package_folder("face_recognition_models") / "models" if inside else None
        return cls(locate(PARTS, folder, files, hashes), detectors, threshold)

    def faces(self, image: Image.Image) -> list[Face]:
        """The faces of one RGB picture, from left to right, also of heads that lie or stand on
        their heads (quarter turns)."""
        pixels = np.ascontiguousarray(image.convert("RGB"))
        finds = [*self._hog_finds(image), *self._cnn_finds(image)]
        kept = strongest(finds, lambda find: find.box, lambda find: find.score)
        return [self._face(pixels, find, finds) for find in kept]

    def _hog_finds(self, image: Image.Image) -> Iterator[Find]:
        if not self.with_hog:
            return
        pixels, scale = resized(image, HOG_SIDE)
        height, width = pixels.shape[:2]
        for turns in range(4):
            needed = self.threshold + (TURNED if turns else 0)
            view = np.ascontiguousarray(np.rot90(pixels, turns))
            rectangles, scores, _ = self.hog.run(view, 0, needed)
            for rectangle, score in zip(rectangles, scores, strict=True):
                box = turned_back(_box(rectangle), turns, (width, height))
                yield Find(scaled(box, 1 / scale), turns, score)

    def _cnn_finds(self, image: Image.Image) -> Iterator[Find]:
        if self.cnn is None:
            return
        pixels, scale = resized(image, CNN_SIDE)
        for found in self.cnn(pixels, 0):
            if found.confidence >= self.threshold:
                yield Find(scaled(_box(found.rect), 1 / scale), None, found.confidence)

    def _face(self, pixels: np.ndarray, find: Find, finds: Sequence[Find]) -> Face:
        """Landmarks and descriptor of a find, with the head brought upright first: on a lying head
        the landmarks go astray, and the descriptor becomes a stranger's."""
        turns = find.turns
        if turns is None:
            turns = self._upright(pixels, find.box)
        height, width = pixels.shape[:2]
        view = np.ascontiguousarray(np.rot90(pixels, turns))
        x0, y0, x1, y1 = (round(edge) for edge in turned(find.box, turns, (width, height)))
        points = self.landmarks(view, dlib.rectangle(x0, y0, x1 - 1, y1 - 1))
        return Face(
            find.box, find.score, unit(self.recogniser.compute_face_descriptor(view, points))
        )

    def _upright(self, pixels: np.ndarray, box: Box) -> int:
        """Quarter turns after which the HOG detector, which knows only upright faces, likes a face
        best; 0 when it likes none."""
        height, width = pixels.shape[:2]
        x0, y0, x1, y1 = grown(box, 2.0, (width, height))
        crop = Image.fromarray(pixels[y0:y1, x0:x1])
        small, _ = resized(crop, 4 * SMALLEST)
        best = (float("-inf"), 0)
        for turns in range(4):
            _, scores, _ = self.hog.run(np.ascontiguousarray(np.rot90(small, turns)), 0, -1.0)
            best = max(best, (max(scores, default=float("-inf")), -turns))
        return -best[1]


def resized(image: Image.Image, side: int) -> tuple[np.ndarray, float]:
    """RGB pixels [H, W, 3] with the given shorter side (at most LARGEST_SCALE times enlarged), and
    how many times larger they are."""
    scale = min(side / min(image.size), LARGEST_SCALE)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    rgb = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return np.ascontiguousarray(rgb), scale


def _box(rectangle: dlib.rectangle) -> Box:
    return (rectangle.left(), rectangle.top(), rectangle.right() + 1, rectangle.bottom() + 1)
