"""Datasets, their captions and pictures of which an audit, a captioner or the making of composites
says something. Each mistake answers with what is found.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_base
import tiny_blip
import torch
from folder_mistakes import picture
from mistakes import LETTERS, Mistake, of_value, png, write
from PIL import Image

from kindred.data import blip_captioner, caption_cache, captioning, encoding_cache, person_masks
from kindred.data.audit import (
    caption_findings,
    cast_shapes,
    coverage,
    faces_and_captions,
    findings,
    report,
)
from kindred.data.audit.training_amounts import training_findings
from kindred.data.caption_pairing import CaptionedImage, check_pairs, make_pairs
from kindred.data.composites.generation import composites
from kindred.data.composites.people import SourcePhoto
from kindred.data.dataset import DatasetImage
from kindred.data.people_file import PhotoEntry, PlacedFace
from kindred.data.person_masks import MaskedPhoto, PersonMask
from kindred.data.photo_decoding import PhotoError, read_photo
from kindred.data.preprocessing import prepare_folder
from kindred.data.segmentation_model import Segmenter
from kindred.specs.character import Character
from kindred.specs.composites import Composites, CompositeSpec, StrangersConfig
from kindred.specs.dataset import (
    AuditSpec,
    Captioner,
    CaptionSpec,
    Misfit,
    PreprocessSpec,
    TrainingAmount,
)
from kindred.specs.training import Selection

Photo = dict[str, Any]
TRIO = LETTERS | {"C": Character(name="CRussell", noun="child")}
CYRILLIC = {"A": Character(name="Ада", noun="woman"), "B": Character(name="Бен", noun="man")}


def photo(text: str, cell: str = "J", source: str = "a.jpg", **image: object) -> Photo:
    """A photo as an audit reads it."""
    about = {"source": source, "width": 512, "height": 512, "warnings": [], **image}
    caption = {"caption": text, "author": "file", "warnings": []}
    return {"cell": cell, "image": about, "caption": caption}


def by_captioner(author: str) -> list[findings.Finding]:
    one = photo("JRussell at home")
    one["caption"]["author"] = author
    return findings.people_findings([one])


def warned(kinds: Sequence[str]) -> list[findings.Finding]:
    """Of a photo with these warnings."""
    return findings.photo_findings(
        [photo("JRussell", warnings=[{"kind": kind, "what": "is small"} for kind in kinds])]
    )


def shapes(wide: int) -> list[findings.Finding]:
    """Of 400 photos of each, so many of A's among them wide; none of J's is."""
    table = {"J": {"1:1": 400, "2:1": 0}, "A": {"1:1": 400 - wide, "2:1": wide}}
    return cast_shapes.shape_findings(table)


def no_base(folder: Path) -> list[findings.Finding]:
    """What an audit finds of tokens where the base is not there."""
    spec = AuditSpec(
        characters=named("JRussell"),
        tokenizers={f"{folder}/tokenizer_2": 99},
        architectures={str(folder): "flux1"},
    )
    return report.examine_tokens([], spec)[-1]


def tokens(
    root: Path, captions: Sequence[str], limit: int = 99, who: dict[str, Character] = LETTERS
) -> list[dict[str, Any]]:
    """What an audit by the tiny base's T5 finds of tokens, in captions and in names."""
    base = root / "base"
    if not base.exists():
        tiny_base.build(base)
    spec = AuditSpec(characters=who, tokenizers={str(base / "tokenizer_2"): limit})
    images = [
        {"image_id": f"p{n}", "photo": f"p{n}", "source": f"p{n}.jpg", "width": 64, "height": 64,
         "warnings": []} for n in range(len(captions))
    ]  # fmt: skip
    rows = [
        {"id": f"p{n}", "caption": text, "author": "file", "characters": ["J"], "warnings": []}
        for n, text in enumerate(captions)
    ]
    *_, found = report.examine_tokens(coverage.photos_of(images, rows), spec)
    return found


def faced(caption: str) -> list[findings.Finding]:
    """Of a photo that shows J's face."""
    faces = {"a.jpg": PhotoEntry("0", (PlacedFace("J", (50, 50)),))}
    row = {"image": {"source": "a.jpg"}, "caption": {"characters": list(caption)}}
    who = named("JRussell", "ARussell")
    return faces_and_captions.face_findings(faces_and_captions.compare([row], faces), who)


def lying(how: str) -> list[findings.Finding]:
    """Of a photo of which people.yaml says how it lies."""
    row = {"image": {"source": "a.jpg"}, "caption": {"characters": ["J"]}}
    return faces_and_captions.lying_findings([row], {"a.jpg": PhotoEntry(lies=how)})


def named(*names: str) -> dict[str, Character]:
    return {name[0]: Character(name=name, noun="man") for name in names}


def trainings(steps: int, batch: int = 1, **selection: object) -> list[findings.Finding]:
    """Of a training on two photos of J."""
    items = [DatasetImage(f"J{n}", f"J{n}", "J", 64, 64, f"J{n}", "a man", "h") for n in range(2)]
    chosen = Selection(**selection)
    one = TrainingAmount(
        where="variants.x", steps=steps, batch=batch, pictures=steps * batch, selection=chosen
    )
    return training_findings(items, [one], LETTERS)


# Pairs of images and captions
def item(name: str, text: str) -> DatasetImage:
    return DatasetImage(name, name, "J", 32, 32, name, text, text)


def checked(pairing: str, *captions: str) -> None:
    """Images a and b, given these captions, checked as training checks them."""
    own = [item("a", "x"), item("b", "y")]
    pairs = [CaptionedImage(one, text) for one, text in zip(own, captions, strict=True)]
    shape = {"shape": [16, 4, 4]}
    check_pairs(pairs, own, pairing, {"a": shape, "b": shape}, ["x", "y"], 8)


def scrambled(texts: Sequence[str]) -> object:
    return make_pairs([item(f"p{n}", text) for n, text in enumerate(texts)], "scrambled", 0)


# Photos
def chunk(kind: bytes, data: bytes, right: bool = True) -> bytes:
    check = zlib.crc32(kind + data) ^ (not right)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png_with(part: bytes) -> bytes:
    """A PNG with a chunk behind its head."""
    data = picture(3, form="PNG")
    return data[:33] + part + data[33:]


def jpeg_with(marker: int, part: bytes) -> bytes:
    """A JPEG with a segment behind its first."""
    data = picture(3)
    return data[:20] + bytes([0xFF, marker]) + struct.pack(">H", len(part) + 2) + part + data[20:]


def wrong_checksum(data: bytes) -> bytes:
    """A PNG whose pixels have another checksum than they say."""
    (length,) = struct.unpack_from(">I", data, 33)
    at = 41 + length
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def noted(path: Path) -> list[Any]:
    """What is noted of a photo, or why it can't be used."""
    try:
        return read_photo(path, path.name).notes
    except PhotoError as error:
        return [error.problem]


def notes(data: bytes) -> Callable[[Path], object]:
    """Of a photo with this content."""
    return lambda root: noted(write(root / "a.bin", data))


def of_photo(said: str, data: bytes) -> Mistake:
    return Mistake(said, notes(data), notes(picture(3)))


def opened(error: Exception | None) -> Callable[[Path], object]:
    """A photo read where opening it fails like this."""

    def read(root: Path) -> object:
        path = write(root / "a.png", picture(3, form="PNG"))
        with pytest.MonkeyPatch.context() as patch:
            if error:
                patch.setattr(Image, "open", _raiser(error))
            return noted(path)

    return read


def _raiser(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


# Captioners
def captioned(text: str, name: str = "b.png", own: str | None = None) -> Callable[[Path], object]:
    """What is noted of a photo's caption by a captioner that finds this to say; `own`: the caption
    that a person wrote."""

    def made(root: Path) -> object:
        write(root / "photos" / name, picture(3, form="PNG"))
        write((root / "photos" / name).with_suffix(".txt"), own)
        sizes = PreprocessSpec(buckets=[(64, 48)], min_side=32)
        rows = prepare_folder(root / "photos", root / "images", sizes, {}, 1).rows
        spec = CaptionSpec(characters=LETTERS, captioner=Captioner(model="blip"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(caption_cache, "author_of", lambda _: "blip@1")
            patch.setattr(
                caption_cache, "describe_all", lambda images, *_: dict.fromkeys(images, text)
            )
            found = captioning.caption_images(
                rows, spec, root / "photos", root / "images", root / "none"
            )
        return [note for row in found for note in row["warnings"]]

    return made


def blip(root: Path, kind: str | None) -> object:
    """A captioner's folder of this kind, loaded; None: there is none."""
    folder = root / "blip"
    if kind and not folder.exists():
        tiny_blip.build(folder)
    if kind and kind != "blip":
        write(folder / "config.json", f'{{"model_type": "{kind}"}}')
    elif kind:
        tiny_blip.build(folder)
    return blip_captioner.load(Captioner(model=str(folder)))


# Composites
def source_photo(root: Path, letter: str, text: str, people: int = 1) -> SourcePhoto:
    """A photo with one person in its middle."""
    path = write(root / f"{letter or 'x'}.png", png())
    buffer, mask = io.BytesIO(), np.zeros((16, 16), np.uint8)
    mask[4:14, 4:12] = 1
    Image.fromarray(mask).save(buffer, "PNG")
    file = write(root / f"mask-{letter or 'x'}.png", buffer.getvalue())
    found = tuple(PersonMask(letter, (5, 5, 9, 8)) for _ in range(people))
    return SourcePhoto(path.name, path, text, tuple(letter), MaskedPhoto(file, found))


def composed(
    root: Path, letters: str, others: Sequence[tuple[str, str]] = (), strangers: bool = False
) -> object:
    """Composites begun, of photos of these letters each alone."""
    photos = [source_photo(root, x, f"the {LETTERS[x].noun} {LETTERS[x].name}") for x in letters]
    asked = Composites(
        cells={"J": 1} if strangers else {"A+J": 1},
        **({"strangers": StrangersConfig(of="others")} if strangers else {}),
    )
    sizes = PreprocessSpec(buckets=[(64, 64)], min_side=8)
    spec = CompositeSpec(compose=asked, characters=LETTERS, preprocess=sizes)
    rest = [source_photo(root, letter, text) for letter, text in others]
    return next(composites(photos, rest, spec, lambda _: None))


def masks(root: Path, head: float) -> object:
    found = MaskedPhoto(Path("m.png"), (PersonMask("J", (1, 1, head, 4)),))
    return person_masks.write(root / "masks.json", {"a.jpg": found})


def weights(root: Path, people: float) -> object:
    """Weights of the tokens of a photo with somebody in its middle."""
    row = {"image_id": "a", "source": "a", "source_width": 16, "source_height": 16}
    write(root / "images.json", f"[{row}]".replace("'", '"'))
    one = source_photo(root, "J", "JRussell")
    person_masks.write(root / "masks.json", {"a": one.masked})
    image = DatasetImage("a", "a", "J", 16, 16, "p", "t", "h")
    files = root / "images.json", root / "masks.json"
    return person_masks.token_weights([image], *files, people, people)


def segmenter(label: str) -> object:
    return Segmenter(labelled(label))


def labelled(label: str) -> Any:
    """A loaded model that finds this and no more."""
    from types import SimpleNamespace

    config = SimpleNamespace(id2label={0: label, 1: "dog"})
    return SimpleNamespace(model=SimpleNamespace(config=config), identity="m@1")


MISFIT = Misfit(where="variants.all", what="rank 640 for flux1", key="rank")
LONG = "the man JRussell on the beach in a red coat"
MISTAKES = [
    # The audit
    of_value("variants.all: rank 640", findings.misfit_findings, [MISFIT], []),
    of_value("no photo shows all 3 together (A+C+J)",
             lambda found: findings.cell_findings(found, TRIO), {"A+C": 1, "A+J": 1, "C+J": 1},
             {"A+C+J": 1}),
    of_value("model wrote 1 of 1 caption", by_captioner, "blip", "file"),
    of_value("small photos (1)", warned, ["small"], []),
    of_value("1 of 1 picture is a composite of people",
             lambda made: findings.composite_findings([photo("JRussell", **made)]),
             {"made": "composed"}, {}),
    of_value("folders have names in kohya's style (repeats, trigger",
             lambda source: caption_findings.repeat_findings([photo("JRussell", source=source)]),
             "10_jrussell man/a.jpg", "jrussell/a.jpg"),
    of_value("lists of tags (1), others sentences (1)",
             lambda texts: caption_findings.style_findings([photo(text) for text in texts]),
             ["JRussell stands by a wall in the sun.", "JRussell, wall, sun, hat, solo"],
             ["JRussell stands by a wall in the sun.", "JRussell sits by a wall in the sun."]),
    of_value("a picture's shape tells 1.0 of the 1.0 bits", shapes, 400, 0),
    # Tokens
    Mistake("T5: cuts captions longer than 6 tokens (1)", lambda root: tokens(root, [LONG], 6),
            lambda root: tokens(root, ["JRussell"], who=named("JRussell"))),
    Mistake("T5: does not know some words in captions (1 of 1;",
            lambda root: tokens(root, ["JRussell стоит у стены"], who=named("JRussell")),
            lambda root: tokens(root, ["JRussell by a wall"], who=named("JRussell"))),
    Mistake("T5: finds its own control marks in captions (1",
            lambda root: tokens(root, ["JRussell</s>"], who=named("JRussell")),
            lambda root: tokens(root, ["JRussell"], who=named("JRussell"))),
    Mistake("Ада: T5 can't read the name", lambda root: tokens(root, ["by a wall"], who=CYRILLIC),
            lambda root: tokens(root, ["by a wall"], who=named("JRussell"))),
    Mistake("Ада and Бен are the same name",
            lambda root: tokens(root, ["by a wall"], who=CYRILLIC),
            lambda root: tokens(root, ["by a wall"], who=named("JRussell"))),
    Mistake("ARussell and JRussell share", lambda root: tokens(root, ["by a wall"]),
            lambda root: tokens(root, ["by a wall"], who=named("JRussell"))),
    Mistake("caption lengths are not checked yet for T5",
            lambda root: no_base(root / "base"),
            lambda root: tokens(root, ["by a wall"], who=named("JRussell"))),
    # Faces
    of_value("somebody is in the photo but not in its caption (1)", faced, "", "J"),
    of_value("in the caption but was not found in the photo (1)", faced, "JA", "J"),
    of_value("photos seem to lie on their side (1)", lying, "on its side; turn it to the left", ""),
    # Trainings
    of_value("the dataset can't provide its selection", lambda n: trainings(9, total=n), 3, 2),
    of_value("sees only 1 of 2 pictures in 1", trainings, 1, 2),
    of_value("has batches of 3, but fewer pictures of some sizes (2",
             lambda n: trainings(9, n), 3, 2),
    of_value("is paired with the caption of b", lambda texts: checked("matched", *texts), "yx",
             "xy"),
    of_value("kept its own caption in a scrambled run", lambda texts: checked("scrambled", *texts),
             "xy", "yx"),
    of_value("every photo must get the caption of another, which", scrambled, "xx", "xy"),
    # Photos
    of_photo("has texts or notes that can't be read", png_with(chunk(b"tEXt", b"a\0b", False))),
    of_photo("EXIF data or profile can't be read",
             png_with(chunk(b"eXIf", b"II*\0\xff\xff\xff\xff", False))),
    of_photo("parts of its colour profile are missing",
             jpeg_with(0xE2, b"ICC_PROFILE\0\1\2" + b"x" * 600)),
    of_photo("EXIF data is damaged", png_with(chunk(b"eXIf", b"no exif at all"))),
    of_photo("is damaged: a part of it is missing", wrong_checksum(picture(3, form="PNG"))),
    of_photo("is damaged, perhaps not visibly", picture(3, form="WEBP") + bytes(9)),
    Mistake("does not exist; it may be a broken link", lambda root: noted(root / "gone.jpg"),
            notes(picture(3))),
    Mistake("can't be read: permission denied", opened(PermissionError()), opened(None)),
    Mistake("does not fit into memory", opened(MemoryError()), opened(None)),
    # Captioners and encodings
    Mistake("is a 'bert' model", lambda root: blip(root, "bert"), lambda root: blip(root, "blip")),
    Mistake("can't be loaded (", lambda root: blip(root, None), lambda root: blip(root, "blip")),
    Mistake("put in from", captioned("a man by a wall", "JRussell/b.png"),
            captioned("a man by a wall", "JRussell/b.png", "JRussell by a wall")),
    Mistake("the captioning model wrote nothing for this photo", captioned(""),
            captioned("", own="JRussell by a wall")),
    of_value("its encoding has 1 value that is infinite",
             lambda value: encoding_cache._check(torch.tensor(value), "x"), [float("nan")], [1.0]),
    # People in photos
    Mistake("the position of a head is not a number",
            lambda root: masks(root, float("nan")), lambda root: masks(root, 3)),
    Mistake("the loss weights of its parts are not", lambda root: weights(root, float("inf")),
            lambda root: weights(root, 2.0)),
    of_value("m@1 does not know 'person', only cat", segmenter, "cat", "person"),
    Mistake("from which ARussell could be cut", lambda root: composed(root, "J"),
            lambda root: composed(root, "JA")),
    Mistake("nobody can be cut out of these photos",
            lambda root: composed(root, "J", [("", "by a wall")], True),
            lambda root: composed(root, "J", [("", "a man in a red coat")], True)),
]  # fmt: skip
