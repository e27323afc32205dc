"""Reference photos: by which pictures a judge knows each character, and the scale of identity.

A character's references are the training photos that show it alone, as the judge sees them. Knows
judges and photos; knows nothing of rendered pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kindred.characters.face_calibration import (
    FaceCalibration,
    calibrate,
    in_doubt,
    sentence,
)
from kindred.common.errors import KindredError, Problems
from kindred.common.files import read_json
from kindred.common.hashing import pixel_hash
from kindred.common.made_pictures import read_picture
from kindred.common.sentences import counted, plural
from kindred.data.dataset_photos import DatasetPhoto
from kindred.judges.finite_answers import check_people
from kindred.judges.interface import Calibration, DetectedPerson, Judge
from kindred.scoring.identity_assignment import IdentityScale
from kindred.scoring.image_distance import kind_of
from kindred.specs.scoring import ReferenceSpec

VERSION = 2
BATCH = 32
NARROWEST = 0.05  # own likeness above strangers' must be at least this for a scale
ADVICE = "delete it and run `snakemake`"


@dataclass(frozen=True)
class References:
    """By what a judge knows each character. faces: letter -> [R, D] unit vectors. strangers: class
    noun -> [S, D], of faces that the base draws; empty where they do not count."""

    facts: dict[str, Any]
    faces: Mapping[str, np.ndarray]
    strangers: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def scale(self) -> IdentityScale:
        """The scale of identity; only characters that have one."""
        characters = self.facts["characters"]
        same = {letter: characters[letter]["same"] for letter in self.faces}
        return IdentityScale(self.facts["stranger"] or 0.0, same, "calibration" in self.facts)

    def least(self, letters: Sequence[str]) -> list[float]:
        """The identity from which each character is recognised."""
        known, scale = self.facts.get("calibration", {}), self.scale
        lines = known.get("thresholds", {})
        return [
            max(
                self.facts["recognised"],
                min(1.0, (lines[x] - scale.stranger) / (scale.same[x] - scale.stranger)),
            )
            if x in lines and x in scale.same
            else self.facts["recognised"]
            for x in letters
        ]

    @property
    def lead(self) -> float:
        """How much identity the best must be ahead of the next; 0 where nobody has measured it."""
        return self.facts.get("calibration", {}).get("lead", 0.0)

    def similarity(self, embeddings: Sequence[np.ndarray | None], letters: Sequence[str]) -> Any:
        """Mean cosine [P, C] with each character's references; NaN where it can't be known."""
        table = np.full((len(embeddings), len(letters)), np.nan)
        for p, embedding in enumerate(embeddings):
            for c, letter in enumerate(letters):
                if embedding is not None and letter in self.faces:
                    table[p, c] = float((self.faces[letter] @ embedding).mean())
        return table


def build_references(
    judge: Judge, photos: Mapping[str, Sequence[DatasetPhoto]], spec: ReferenceSpec
) -> References:
    """Look at every photo of one character alone. Raises ProblemsError naming photos that can't be
    read, or of which the judge says what is no finite number.

    Where the judge knows no end of the identity scale, it is estimated: strangers by photos of
    different characters, one person by leaving each photo out in turn.
    """
    faces: dict[str, list[np.ndarray]] = {letter: [] for letter in spec.characters}
    used: dict[str, list[str]] = {letter: [] for letter in spec.characters}
    unclear: dict[str, list[str]] = {letter: [] for letter in spec.characters}
    seen = set()
    for dataset, own in photos.items():
        alone = [photo for photo in own if len(photo.letters) == 1]
        names = [f"{dataset}/{photo.image_id}" for photo in alone]
        looked_at = people_in(judge, [photo.path for photo in alone], names)
        for photo, name, (image, found) in zip(alone, names, looked_at, strict=True):
            (letter,) = photo.letters
            pixels = pixel_hash(image)
            if letter not in faces or pixels in seen:
                continue
            seen.add(pixels)
            if len(found) == 1 and found[0].embedding is not None:
                faces[letter].append(found[0].embedding)
                used[letter].append(name)
            else:
                unclear[letter].append(name)
    stacked = {letter: np.stack(rows) for letter, rows in faces.items() if rows}
    calibrated, doubtful = None, {}
    if judge.calibration.population is not None:
        stacked, used, doubtful = without_doubtful(stacked, used, judge.calibration)
        calibrated = calibrate(stacked, judge.calibration.population)
    facts = _facts(judge, spec, stacked, used, unclear, calibrated)
    if calibrated:
        names = {letter: who.name for letter, who in spec.characters.items()}
        told = calibrated.as_dict()
        facts |= {"calibration": told | {"said": sentence(told, names)}, "doubtful": doubtful}
        for letter, photos_in_doubt in doubtful.items():
            entry = facts["characters"][letter]
            entry["warning"] = "; ".join(
                [doubt(names[letter], photos_in_doubt), *filter(None, [entry["warning"]])]
            )
    facts |= {"hash": _hash(spec, facts, stacked)}
    kept = {x: rows for x, rows in stacked.items() if facts["characters"][x]["same"] is not None}
    return References(facts, kept)


def doubt(name: str, photos: Sequence[str]) -> str:
    """What is said of photos that don't look like the others of their name."""
    show = f"photo of {name} probably shows", f"photos of {name} probably show"
    used = plural(len(photos), "is not used", "are not used")
    return f"{counted(len(photos), *show)} another person and {used}: {', '.join(photos)}"


def without_doubtful(
    faces: Mapping[str, np.ndarray], used: Mapping[str, list[str]], known: Calibration
) -> tuple[dict[str, np.ndarray], dict[str, list[str]], dict[str, list[str]]]:
    """Faces and photos by letter without those that are probably of another person, and these."""
    kept_faces, kept, doubtful = {}, dict(used), {}
    for letter, rows in faces.items():
        mean = rows.mean(0)
        stranger = float((known.population @ mean).mean())
        odd = set(in_doubt(rows, stranger))
        kept_faces[letter] = rows[[n for n in range(len(rows)) if n not in odd]]
        kept[letter] = [name for n, name in enumerate(used[letter]) if n not in odd]
        if odd:
            doubtful[letter] = [used[letter][n] for n in sorted(odd)]
    return kept_faces, kept, doubtful


def people_in(
    judge: Judge, paths: Sequence[Path], names: Sequence[Path | str]
) -> Iterator[tuple[Image.Image, Sequence[DetectedPerson]]]:
    """Each picture with the people whom the judge finds there; `names` are for messages. Raises
    ProblemsError for pictures that can't be read, or of which it says what is no finite number."""
    for first in range(0, len(paths), BATCH):
        images = read_images(paths[first : first + BATCH])
        people = judge.find(images)
        check_people(people, names[first : first + BATCH])
        yield from zip(images, people, strict=True)


def read_images(paths: Sequence[Path]) -> list[Image.Image]:
    """Pictures in RGB. Raises ProblemsError naming all that can't be read."""
    problems, images = Problems("prepared photos can't be read"), []
    for path in paths:
        try:
            images.append(read_picture(path))
        except KindredError as error:
            problems.add_error(str(path), error)
    problems.raise_if_any()
    return images


def _facts(
    judge: Judge,
    spec: ReferenceSpec,
    faces: Mapping[str, np.ndarray],
    used: Mapping[str, list[str]],
    unclear: Mapping[str, list[str]],
    calibrated: FaceCalibration | None,
) -> dict[str, Any]:
    stranger, source = stranger_similarity(faces, judge.calibration)
    if calibrated and calibrated.own:
        stranger, source = calibrated.stranger, "a population of strangers with these references"
    characters = {}
    for letter, who in spec.characters.items():
        same = own_similarity(faces.get(letter), judge.calibration)
        warning = _warning(who.name, used[letter], unclear[letter], same, stranger, judge.counts)
        characters[letter] = {
            "photos": used[letter],
            "same": None if warning and _unusable(same, stranger) else round(same or 0.0, 5),
            "warning": warning,
        }
    return {
        "version": VERSION,
        "judge": judge.identity,
        "counts": judge.counts,
        "gates": {
            "measured": judge.gates.measured,
            "figures": dict(judge.gates.figures),
            "failures": list(judge.gates.failures),
        },
        "stranger": None if stranger is None else round(stranger, 5),
        "source": source,
        "recognised": spec.judge.recognised,
        "distance": kind_of(judge),
        "characters": characters,
    }


def _unusable(same: float | None, stranger: float | None) -> bool:
    return same is None or stranger is None or same < stranger + NARROWEST


def stranger_similarity(
    faces: Mapping[str, np.ndarray], known: Calibration
) -> tuple[float | None, str]:
    """Mean cosine of strangers and where it is from: the judge's own, else photos of different
    characters; None with neither."""
    if known.stranger is not None:
        return known.stranger, known.source
    names = sorted(faces)
    between = [
        float((faces[a] @ faces[b].T).mean()) for i, a in enumerate(names) for b in names[i + 1 :]
    ]
    if not between:
        return None, "unknown: one character only"
    return float(np.mean(between)), "photos of different characters (relatives look alike)"


def own_similarity(faces: np.ndarray | None, known: Calibration) -> float | None:
    """Mean cosine of a photo with the character's others; of a single photo the judge's own."""
    if faces is None:
        return None
    count = len(faces)
    if count < 2:
        return known.same
    pairs = faces @ faces.T
    return float((pairs.sum() - np.trace(pairs)) / (count * (count - 1)))


def _warning(
    name: str,
    used: Sequence[str],
    unclear: Sequence[str],
    same: float | None,
    stranger: float | None,
    counts: str,
) -> str:
    what = "face" if counts == "faces" else "person"
    if not used and not unclear:
        return f"no photo shows {name} alone, so nobody can be compared with {name}: add one"
    few = ", ".join(unclear[:3]) + (" ..." if len(unclear) > 3 else "")
    if not used:
        return (
            f"in no photo of {name} alone does the judge find exactly one {what} ({few}), so "
            f"nobody can be compared with {name}"
        )
    if same is None:
        return f"only one photo shows {name} alone, so there is no scale for likeness: add another"
    if stranger is None:
        return "a single character and a judge without a scale: likeness can't be said"
    if _unusable(same, stranger):
        return (
            f"photos of {name} are as unlike each other as strangers ({same:.2f} against "
            f"{stranger:.2f}): check that they all show {name}"
        )
    if unclear:
        photos = counted(len(unclear), "photo")
        return f"{photos} of {name} alone without exactly one {what}: {few}"
    return ""


def _hash(spec: ReferenceSpec, facts: Mapping[str, Any], faces: Mapping[str, np.ndarray]) -> str:
    """12 hex digits of everything that scores depend on beside the pictures."""
    digest = hashlib.sha256(f"{spec.judge.canonical()} {facts['judge']}".encode())
    digest.update(str((facts["stranger"], facts["characters"])).encode())
    if "calibration" in facts:
        digest.update(str(facts["calibration"]).encode())
    for letter in sorted(faces):
        digest.update(letter.encode() + np.round(faces[letter], 4).astype("<f4").tobytes())
    return digest.hexdigest()[:12]


def save(references: References, facts: Path, vectors: Path) -> None:
    """Write both files: facts as JSON, vectors as safetensors."""
    import torch

    from kindred.common import safetensors_files
    from kindred.common.files import write_json

    named = {f"face/{x}": rows for x, rows in references.faces.items()}
    named |= {f"stranger/{noun}": rows for noun, rows in references.strangers.items()}
    plain = {k: torch.from_numpy(np.ascontiguousarray(v, np.float32)) for k, v in named.items()}
    safetensors_files.save(vectors, plain, {"hash": references.facts["hash"]})
    write_json(facts, references.facts)


def load(facts: Path, vectors: Path) -> References:
    """Read both files. Raises KindredError when they are missing, old, or not of each other."""
    from kindred.common import safetensors_files

    known = read_json(facts)
    if not isinstance(known, dict) or known.get("version") != VERSION:
        raise KindredError("contains references of another version", str(facts), ADVICE)
    _, metadata = safetensors_files.header(vectors)
    if metadata.get("hash") != known["hash"]:
        raise KindredError(f"does not belong to {facts.name}", str(vectors), ADVICE)
    named: dict[str, dict[str, np.ndarray]] = {"face": {}, "stranger": {}}
    for name, value in safetensors_files.load(vectors).items():
        kind, _, own = name.partition("/")
        named[kind][own] = value.numpy()
    return References(known, named["face"], named["stranger"])
