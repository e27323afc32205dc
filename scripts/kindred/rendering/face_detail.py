"""Faces of finished pictures drawn again, larger, each by its person's name, and blended in.

Where faces are and whose they are comes as data. What is drawn is a batch of small pictures like
any other, begun with the crops in place of noise. Importing this module imports neither torch nor
diffusers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from kindred.common.hashing import spec_hash
from kindred.common.made_pictures import read_picture
from kindred.common.progress import Progress
from kindred.common.seeds import seed_of
from kindred.common.sentences import counted, plural
from kindred.common.versions import step_version
from kindred.models.identity import architecture_of, identity_of
from kindred.models.lora.adapters import Adapter, read_adapters
from kindred.rendering.face_crops import Crop, DrawnFace, Head, blended, crop_of, drawn_size
from kindred.rendering.face_prompts import face_prompt
from kindred.rendering.image_plan import ImageRequest, batches, plan
from kindred.rendering.image_store import ImageStore
from kindred.rendering.manifest import Manifest, Row, write_manifest
from kindred.rendering.render import Work
from kindred.rendering.run import Loader, Machine
from kindred.specs.face_detail import FaceDetailSpec

if TYPE_CHECKING:
    from kindred.rendering.pipeline import RenderPipeline, Texts

Load = Callable[[Sequence[ImageRequest]], "tuple[RenderPipeline, Texts, dict[str, Any]]"]


@dataclass(frozen=True)
class FoundFace:
    """A head in a picture, and the letter of whom it is drawn again as; '' for one that stays."""

    head: Head
    letter: str = ""


Faces = Mapping[tuple[str, int], Sequence[FoundFace]]  # by prompt's name and seed


@dataclass(frozen=True)
class FaceRequest:
    """A face to be drawn: the head, the crop around it, and what is drawn in the crop's place."""

    head: Head
    crop: Crop
    request: ImageRequest

    @property
    def shrinks(self) -> bool:
        """Whether it is drawn smaller than it is."""
        x0, y0, x1, y1 = self.crop
        width, height = self.request.size
        return width * height < (x1 - x0) * (y1 - y0)


@dataclass(frozen=True)
class DetailedPicture:
    """A picture to be had: that of `source` with these faces; without any, that picture itself.
    kept: heads that stay, with the crops around them."""

    source: Row
    request: ImageRequest
    faces: tuple[FaceRequest, ...]
    kept: tuple[tuple[Head, Crop], ...]

    def with_faces(self, drawn: Sequence[Image.Image]) -> Image.Image:
        """The picture with its faces drawn again, in their order."""
        faces = [
            DrawnFace(face.head, face.crop, image)
            for face, image in zip(self.faces, drawn, strict=True)
        ]
        return blended(read_picture(self.source.path), faces, self.kept)


def detail_prompt_set(
    spec: FaceDetailSpec,
    texts: Path,
    adapters: Sequence[Path],
    pictures: Manifest,
    faces: Faces,
    store: ImageStore,
    out: Path,
    machine: Machine,
) -> str:
    """Draw the faces of a list of pictures and write the list of what came of it; what was done, in
    a line. texts: what faces are drawn by, embedded. adapters: those of the pictures."""
    worn = read_adapters(adapters, spec.drawn.weights)
    found = detail_plan(spec, pictures, faces, worn, identity_of(spec.drawn.base))
    loader = Loader(spec.drawn, texts, worn, machine)
    work = draw_faces(spec, found, worn, store, loader)
    write_manifest(out, spec.drawn.name, [one.request for one in found], worn, store)
    drawn = [face for one in found for face in one.faces]
    if small := sum(face.shrinks for face in drawn):
        print(
            f"warning: {small} of {counted(len(drawn), 'face')} {plural(small, 'is', 'are')} "
            f"larger in the picture than `size`, so drawing {plural(small, 'it', 'them')} again "
            "loses detail; raise `size`",
            file=sys.stderr,
        )
    unchanged = sum(not one.faces for one in found)
    faces = f"{counted(len(drawn), 'face')}, {counted(unchanged, 'picture')} without any"
    return f"{spec.drawn.name}: {work}; {faces}"


def detail_plan(
    spec: FaceDetailSpec,
    pictures: Manifest,
    faces: Faces,
    adapters: Sequence[Adapter],
    base_identity: str,
) -> list[DetailedPicture]:
    """Every picture of a list with the faces that are drawn again in it, in the list's order."""
    settings = {
        (one.name, one.seed): one.settings for one in plan(spec.drawn, adapters, base_identity)
    }
    return [
        _detailed(spec, row, settings[row.name, row.seed], faces.get((row.name, row.seed), ()))
        for row in pictures.rows
    ]


def _detailed(
    spec: FaceDetailSpec, row: Row, drawn: dict[str, Any], found: Sequence[FoundFace]
) -> DetailedPicture:
    """drawn: the settings that the picture was drawn with."""
    detail, size = spec.detail, (row.width, row.height)
    crops = [crop_of(face.head, size, detail.margin) for face in found]
    kept = [(f.head, crop) for f, crop in zip(found, crops, strict=True) if not f.letter]
    again = [
        _face(spec, row, drawn, face, crop)
        for face, crop in zip(found, crops, strict=True)
        if face.letter
    ]
    told = ("prompt", "width", "height", "seed", "steps")
    settings = {
        **drawn,
        "version": step_version("face_detail", architecture_of(spec.drawn.base)),
        "source": row.key,
        "face_detail": {"strength": detail.strength, "margin": detail.margin},
        "faces": [
            {"head": list(head), "crop": list(crop), **{key: s[key] for key in told}}
            for head, crop, s in again
        ],
        "kept": [list(head) for head, _ in kept],
    }
    key = spec_hash(settings) if again else row.key
    requests = [
        FaceRequest(head, crop, ImageRequest(row.name, s["seed"], s, f"{key}.{number}"))
        for number, (head, crop, s) in enumerate(again)
    ]
    picture = ImageRequest(row.name, row.seed, settings, key)
    return DetailedPicture(row, picture, tuple(requests), tuple(kept))


def _face(
    spec: FaceDetailSpec, row: Row, drawn: dict[str, Any], face: FoundFace, crop: Crop
) -> tuple[Head, Crop, dict[str, Any]]:
    """A head, its crop and what is drawn there. Its noise is the same in all variants and runs: it
    follows from the picture's seed and the person."""
    detail, multiple = spec.detail, architecture_of(spec.drawn.base).size_multiple
    width, height = drawn_size(crop, detail.size or sqrt(row.width * row.height), multiple)
    own = {
        "prompt": face_prompt(row.prompt, face.letter, spec.characters),
        "width": width,
        "height": height,
        "seed": seed_of(row.seed, "face detail", face.letter),
        "steps": detail.steps or drawn["steps"],
    }
    return face.head, crop, drawn | own


def draw_faces(
    spec: FaceDetailSpec,
    pictures: Sequence[DetailedPicture],
    adapters: Sequence[Adapter],
    store: ImageStore,
    load: Load,
) -> Work:
    """Draw the faces of every picture that the store lacks; each picture is stored as soon as all
    its faces are there. `load`: as `render`'s, called at most once."""
    missing = {
        one.request.key: one for one in pictures if one.faces and not store.has(one.request.key)
    }
    if not missing:
        return Work(len(pictures))
    start = time.monotonic()
    requests = [face.request for one in missing.values() for face in one.faces]
    pipeline, texts, made_with = load(requests)
    loaded = time.monotonic()
    used = [adapter.noted() for adapter in adapters]
    waiting = {key: {face.request.key: None for face in one.faces} for key, one in missing.items()}
    with store.writing_images() as put:
        for key, image in _drawn(spec, missing, pipeline, texts):
            own = waiting[whole := key.rpartition(".")[0]]
            own[key] = image
            if all(own.values()):
                made = {**made_with, **pipeline.notes()}
                settings = {**missing[whole].request.settings, "adapters": used, "made_with": made}
                put(whole, missing[whole].with_faces(list(own.values())), settings)
                del waiting[whole]
    return Work(len(pictures), len(missing), 1, loaded - start, time.monotonic() - loaded)


def _drawn(
    spec: FaceDetailSpec,
    pictures: Mapping[str, DetailedPicture],
    pipeline: RenderPipeline,
    texts: Texts,
) -> Iterator[tuple[str, Image.Image]]:
    """(key of a face's request, the face drawn again) of all faces of these pictures."""
    places = {face.request.key: (one, face) for one in pictures.values() for face in one.faces}
    requests, drawn = [face.request for _, face in places.values()], spec.drawn
    groups = batches(requests, drawn, lambda request: pipeline.text_tokens(request, texts))
    with Progress(f"faces of {drawn.name}", len(requests), "face") as progress:
        for group in groups:
            crops = [_crop(*places[request.key]) for request in group]
            begun = partial(pipeline.redraw, crops, spec.detail.strength)
            images = begun(group, texts, drawn.batch_of(*group[0].size))
            progress.update(len(group))
            yield from zip((request.key for request in group), images, strict=True)


def _crop(picture: DetailedPicture, face: FaceRequest) -> Image.Image:
    """A crop of a picture, in the size that it is drawn in."""
    crop = read_picture(picture.source.path).crop(face.crop)
    return crop.resize(face.request.size, Image.Resampling.LANCZOS)
