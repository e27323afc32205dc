"""Faces of a folder's photos, found once: each photo's faces lie in a store by its content.

Knows photos as files, a face engine, and pictures for a page of both; knows no names. The store
holds faces of people: it lies below resources/, which is never shared.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kindred.common.content_store import ContentStore
from kindred.common.errors import KindredError
from kindred.common.hashing import sha256_file, spec_hash
from kindred.common.progress import track
from kindred.data import image_quality
from kindred.data.photo_decoding import over_background, read_photo, to_srgb
from kindred.data.photo_folder import Photo
from kindred.data.unusable_photos import all_problems, problems_of
from kindred.judges.face_geometry import Face, FaceEngine, grown
from kindred.judges.interface import Box

STORE = Path("resources/faces")
VERSION = 3  # of what an entry holds
EDGE = 1024  # px, longer side at which faces are looked for: those of 24 px are found
SHARP_EDGE = 512  # px, longer side at which sharpness is measured
SHOWN, CROP, GROWN = 560, 144, 1.7  # px of a photo and of a face on a page; how much is round it
QUALITY = 80
NO_WORD = "-"


@dataclass(frozen=True)
class PhotoFaces:
    """A photo as faces were looked for. boxes: shares of width and height, faces from the left.
    embeddings [F, D]: NaN for a face that can't be read, whose `unread` says why. size: of the
    original, px. shown and crops: WebP for a page, the photo and each face. turns: quarter turns
    (as numpy.rot90) that all faces which can be read need to stand upright."""

    name: str
    sha256: str
    size: tuple[int, int]
    sharpness: float
    perceptual_hash: str
    boxes: tuple[Box, ...]
    embeddings: np.ndarray
    unread: tuple[str, ...]
    shown: bytes
    crops: tuple[bytes, ...]
    turns: int = 0


def faces_of(
    photos: Sequence[Photo], engine: FaceEngine, root: Path = STORE
) -> Iterator[PhotoFaces]:
    """The faces of each photo, in order; only those that are not in the store are looked for.

    Raises ProblemsError naming every photo that can't be read, before any face is looked for.
    """
    store = face_store(root)
    hashes = _readable(photos, engine, store)
    for photo, sha256 in track(zip(photos, hashes, strict=True), "faces", len(photos), "photo"):
        yield _of_photo(photo, sha256, engine, store)


def _readable(photos: Sequence[Photo], engine: FaceEngine, store: ContentStore) -> list[str]:
    """SHA-256 of each photo's file. Raises ProblemsError naming every one that can't be decoded:
    to find that out takes a small part of the time that faces take."""
    hashes = [_hash(photo) for photo in photos]
    known = [bool(sha256) and store.has(_key(sha256, engine)) for sha256 in hashes]
    new = [photo for photo, there in zip(photos, known, strict=True) if not there]
    if problems := problems_of(new):
        raise all_problems(problems, len(photos))
    return hashes


def _hash(photo: Photo) -> str:
    """SHA-256 of a photo's file; '' of one that can't be read."""
    try:
        return sha256_file(photo.path)
    except OSError:
        return ""


def face_store(root: Path = STORE) -> ContentStore:
    """The store of faces, an entry a photo."""
    return ContentStore(root, check_entry, "looking for its faces again", ".npz")


def photo_of(entry: Path) -> str:
    """SHA-256 of the photo that an entry of the store is about. Raises KindredError for one that is
    not whole, and FileNotFoundError for one that is gone."""
    check_entry(entry)
    with np.load(entry) as found:
        return str(found["photo"])


def _key(sha256: str, engine: FaceEngine) -> str:
    return spec_hash({"photo": sha256, "engine": engine.identity, "version": VERSION})


def _of_photo(photo: Photo, sha256: str, engine: FaceEngine, store: ContentStore) -> PhotoFaces:
    key = _key(sha256, engine)
    if not store.has(key):
        found = {"photo": np.array(sha256), **_look(photo, engine)}
        store.put(key, lambda path: _save(path, found))
    return _load(store.path(key), photo.name, sha256)


def _look(photo: Photo, engine: FaceEngine) -> dict[str, np.ndarray]:
    upright = read_photo(photo.path, photo.name, 2 * EDGE)
    small = upright.image.copy()
    small.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    image = over_background(to_srgb(small, upright), "#ffffff")
    faces = engine.faces(image)
    crops = [_webp(image.crop(grown(face.box, GROWN, image.size)), CROP) for face in faces]
    plain = image.copy()
    plain.thumbnail((SHARP_EDGE, SHARP_EDGE), Image.Resampling.LANCZOS)
    return {
        "size": np.array(upright.size),
        "sharpness": np.array(image_quality.sharpness(plain)),
        "hash": np.array(image_quality.difference_hash(image)),
        "boxes": np.array([_shares(face.box, image.size) for face in faces]).reshape(-1, 4),
        "embeddings": _embeddings(faces),
        "unread": np.array([face.unread or NO_WORD for face in faces], dtype=str),
        "turns": np.array([face.turns for face in faces], dtype=int),
        "shown": np.frombuffer(_webp(image, SHOWN), np.uint8),
        "crops": np.frombuffer(b"".join(crops), np.uint8),
        "lengths": np.array([len(one) for one in crops], dtype=int),
    }


def _embeddings(faces: Sequence[Face]) -> np.ndarray:
    read = [face.embedding for face in faces if face.embedding is not None]
    blank = np.full(len(read[0]) if read else 1, np.nan, np.float32)
    rows = [blank if face.embedding is None else face.embedding for face in faces]
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, 1), np.float32)


def _shares(box: Box, size: tuple[int, int]) -> Box:
    width, height = size
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def _webp(image: Image.Image, edge: int) -> bytes:
    small = image.copy()
    small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=QUALITY, method=1)
    return buffer.getvalue()


def _save(path: Path, found: dict[str, np.ndarray]) -> None:
    with open(path, "wb") as file:
        np.savez(file, **found)


def _load(path: Path, name: str, sha256: str) -> PhotoFaces:
    with np.load(path) as found:
        ends = np.cumsum(found["lengths"]).tolist()
        crops = found["crops"].tobytes()
        turns = set(found["turns"][found["unread"] == NO_WORD].tolist())
        return PhotoFaces(
            name=name,
            sha256=sha256,
            size=(int(found["size"][0]), int(found["size"][1])),
            sharpness=float(found["sharpness"]),
            perceptual_hash=str(found["hash"]),
            boxes=tuple(tuple(row) for row in found["boxes"].tolist()),
            embeddings=found["embeddings"],
            unread=tuple("" if word == NO_WORD else str(word) for word in found["unread"]),
            shown=found["shown"].tobytes(),
            crops=tuple(crops[begin:end] for begin, end in zip([0, *ends], ends, strict=False)),
            turns=turns.pop() if len(turns) == 1 else 0,
        )


def check_entry(path: Path) -> None:
    """Raise KindredError for an entry of the store that is not whole."""
    try:
        with np.load(path) as found:
            if lost := {"photo", "lengths", "turns"} - set(found):
                raise KeyError(*lost)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise KindredError("is damaged", str(path), "delete it and run again") from error
