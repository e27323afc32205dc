"""Mistakes in folders of photos and captions, each with the files that make it and those that its
message asks for.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from photo_files import broken_files, red_green_swapped_profile
from PIL import Image

from kindred.data.captioning import caption_images
from kindred.data.photo_folder import check_ids, check_inputs, scan
from kindred.data.preprocessing import prepare_folder
from kindred.specs.dataset import CaptionSpec, PreprocessSpec

CHARACTERS = {
    "J": {"name": "JRussell", "class": "man"},
    "A": {"name": "ARussell", "class": "woman"},
}
TEXTS = CaptionSpec(characters=CHARACTERS)
SIZES = PreprocessSpec(buckets=[(64, 48)], min_side=32)
File = bytes | str | Path | None


def picture(seed: int = 1, size: tuple[int, int] = (64, 48), form: str = "JPEG", mode: str = "RGB",
            **options: object) -> bytes:  # fmt: skip
    """A sharp photo of noise."""
    shape = (size[1], size[0], 3)
    noise = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def frame(seed: int) -> Image.Image:
    return Image.open(io.BytesIO(picture(seed)))


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


HEADER = "file_name,text\n"
RIGHT = f"{HEADER}one.jpg,JRussell by a wall\ntwo.jpg,ARussell by a wall\n"
FILES: dict[str, File] = {
    "one.jpg": picture(1),
    "two.jpg": picture(2),
    "captions.csv": RIGHT,
}


class Mistake(NamedTuple):
    """What a message says; files that make it and that mend it: None takes one away, a path is
    where a link leads."""

    said: str
    wrong: Mapping[str, File]
    cure: Mapping[str, File]


def put(root: Path, files: Mapping[str, File]) -> None:
    """Write, link or remove files."""
    for name, content in files.items():
        path = root / name
        path.unlink(missing_ok=True)
        if content is None:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            path.symlink_to(content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


def said_of(root: Path, images: Path) -> list[str]:
    """Notes on photos and captions, and what is left out, as the steps before training find them.
    Raises their KindredErrors."""
    found = scan(root)
    check_ids(found)
    check_inputs(found)
    rows = prepare_folder(root, images, SIZES, {}, 1).rows
    captions = caption_images(rows, TEXTS, root, images, images / "none")
    notes = [item["what"] for row in [*rows, *captions] for item in row["warnings"]]
    return notes + [one.why for one in found.left_out]


def captions(text: str, cured: str = RIGHT) -> tuple[dict[str, File], dict[str, File]]:
    """A table in the place of the right one, and as it is when mended."""
    return {"captions.csv": text}, {"captions.csv": cured}


def row(text: str, cured: str) -> tuple[dict[str, File], dict[str, File]]:
    """What the table says of one.jpg, wrong and mended."""
    rest = "two.jpg,ARussell by a wall\n"
    return captions(f"{HEADER}one.jpg,{text}\n{rest}", f"{HEADER}one.jpg,{cured}\n{rest}")


def lines(*records: object) -> dict[str, File]:
    """A table of JSON lines."""
    texts = (one if isinstance(one, str) else json.dumps(one) for one in records)
    return {"captions.csv": None, "captions.jsonl": "".join(text + "\n" for text in texts)}


def photo(content: File, cured: File | None = None) -> tuple[dict[str, File], dict[str, File]]:
    """one.jpg as something else, and mended."""
    return {"one.jpg": content}, {"one.jpg": cured or FILES["one.jpg"]}


def broken(folder: Path) -> list[Mistake]:
    """Files that are no usable photo, and the photo in their place."""
    folder.mkdir()
    found = broken_files(folder)
    cases = []
    for name, words in found.items():
        path = folder / name
        content = Path("gone.jpg") if path.is_symlink() else path.read_bytes()
        new, cured = f"new{path.suffix}", picture(3, form="PNG")
        said = words if name != "nowhere.jpg" else "is a link to a file that is not there"
        text = RIGHT + f"{new},JRussell at home\n"
        cases.append(Mistake(said, {new: content, "captions.csv": text}, {new: cured}))
    return cases


ONE = {"file_name": "one.jpg", "text": "JRussell by a wall"}
TWO = {"file_name": "two.jpg", "text": "ARussell by a wall"}
MISTAKES = [
    # Which photo
    Mistake("no photo named 'oen.jpg'", *captions(RIGHT.replace("one", "oen"))),
    Mistake("is a caption without a photo",
            {"thre.txt": "JRussell", "one.txt": "JRussell by a wall"},
            {"thre.txt": None}),
    Mistake("could belong to more than one photo",
            {"three.jpg": picture(3), "three.jpg.jpg": picture(4), "three.jpg.txt": "JRussell"},
            {"three.jpg.jpg": None}),
    Mistake("has different captions in", {"one.txt": "JRussell elsewhere"}, {"one.txt": None}),
    Mistake("has no caption", *captions(f"{HEADER}one.jpg,JRussell by a wall\n")),
    Mistake("does not say which photo it is about", *captions(f"{RIGHT},JRussell\n")),
    # Tables
    Mistake('text follows a closing quote (")',
            *row('"JRussell" smiling', '"JRussell smiling"')),
    Mistake("opens here and does not close", *row('"JRussell smiling', '"JRussell smiling"')),
    Mistake("has 3 fields, but the header has 2", *row("JRussell, smiling", '"JRussell, smiling"')),
    Mistake("has text in column 'notes', which is not read",
            *captions("file_name,text,notes\none.jpg,JRussell, by a wall\ntwo.jpg,ARussell,\n",
                      'file_name,text,notes\none.jpg,"JRussell, by a wall",\ntwo.jpg,ARussell,\n')),
    Mistake("the header has no column for the", *captions(RIGHT.replace("file_name", "name"))),
    Mistake("the header has 'text' twice",
            *captions("file_name,text,text\none.jpg,JRussell,x\ntwo.jpg,ARussell,x\n",
                      "file_name,text,n\none.jpg,JRussell,1\ntwo.jpg,ARussell,1\n")),
    Mistake("say different things, and each could be the caption",
            *captions("file_name,prompt,label\none.jpg,JRussell,x\ntwo.jpg,ARussell,x\n",
                      "file_name,text,n\none.jpg,JRussell,1\ntwo.jpg,ARussell,2\n")),
    Mistake("'text' is the caption", *captions(
        "file_name,text,label\none.jpg,JRussell,x\ntwo.jpg,ARussell,x\n")),
    Mistake("is not UTF-8 text; it looks like UTF-16", {"captions.csv": RIGHT.encode("utf-16")},
            {"captions.csv": RIGHT}),
    Mistake("is not UTF-8 text", {"captions.csv": RIGHT.replace("wall", "café").encode("latin-1")},
            {"captions.csv": RIGHT.replace("wall", "café")}),
    Mistake("control character U+0007", *row("JRussell \x07smiling", "JRussell smiling")),
    Mistake("is not valid JSON", lines(ONE, "{", TWO), lines(ONE, TWO)),
    Mistake("is not a JSON object", lines(ONE, [1], TWO), lines(ONE, TWO)),
    Mistake("has `text` twice", lines(json.dumps(ONE)[:-1] + ', "text": "J"}', TWO),
            lines(ONE, TWO)),
    Mistake("`text` is a list", lines({**ONE, "text": ["JRussell"]}, TWO), lines(ONE, TWO)),
    # Who is there
    Mistake("`who` names 'X', which is not", lines({**ONE, "who": "X"}, TWO), lines(ONE, TWO)),
    Mistake("seems to name 'BRussell', which is", *row("BRussell", "JRussell")),
    Mistake("the caption names no character", *row("a man", "the man JRussell")),
    Mistake("a model reads other tokens", *row("jrussell", "JRussell")),
    Mistake("nearly 'JRussell'", *row("Russell", "JRussell")),
    Mistake("`who` says A, the caption J", lines({**ONE, "who": "A"}, TWO),
            lines({**ONE, "who": "J"}, TWO)),
    Mistake("lines, which are joined to one caption",
            {"one.txt": "JRussell\nby a wall", "captions.csv": HEADER + "two.jpg,ARussell\n"},
            {"one.txt": "JRussell by a wall"}),
    # Names and files of the folder
    Mistake("would all become the image 'one'", {"one.png": picture(3, form="PNG")},
            {"one.png": None}),
    Mistake("in its name", {"a{b}.jpg": picture(3)}, {"a{b}.jpg": None}),
    Mistake("characters in its name", {"a\x07.jpg": picture(3)}, {"a\x07.jpg": None}),
    Mistake("a raw photo", {"a.dng": b"raw"}, {"a.dng": None}),
    Mistake("a table of a kind that is not read", {"a.json": "[]"}, {"a.json": None}),
    Mistake("settings of another tool, not followed", {"a.toml": "x"}, {"a.toml": None}),
    Mistake("a picture of a kind that is not read", {"a.jxl": b"\xff\x0a"}, {"a.jxl": None}),
    Mistake("neither photo nor captions", {"a.doc": b"words"}, {"a.doc": None}),
    Mistake("1 photo lies in a folder of a folder", {"ada/2024/a.jpg": picture(3)},
            {"ada/2024/a.jpg": None, "ada/a.jpg": picture(3), "ada/a.txt": "ARussell"}),
    Mistake("a folder of a folder, without photos", {"ada/2024/a.doc": b"words"},
            {"ada/2024/a.doc": None}),
    Mistake("(a mask, a thumbnail or the like)", {"one-mask.png": picture(3, form="PNG")},
            {"one-mask.png": None}),
    Mistake("is of a picture that is not used",
            {"one-mask.png": picture(3, form="PNG"), "one-mask.txt": "JRussell"},
            {"one-mask.png": None, "one-mask.txt": None}),
    # Photos
    Mistake("is small: 60x24 px", *photo(picture(3, (60, 24)))),
    Mistake("is enlarged", *photo(picture(3, (40, 36)))),
    Mistake("of its area to fit", *photo(picture(3, (200, 40)))),
    Mistake("looks blurred", *photo(saved(Image.linear_gradient("L").resize((64, 48))))),
    Mistake("is the same photo as", *photo(FILES["two.jpg"])),
    Mistake("is empty (0 bytes)", *photo(b"")),
    Mistake("is only 8x8 px", *photo(picture(3, (8, 8)))),
    Mistake("is black and white alone: a mask?", *photo(picture(3, form="PNG", mode="1"))),
    Mistake("has transparent parts", *photo(saved(Image.new("RGBA", (64, 48), (9, 9, 9, 0))))),
    Mistake("holds 2 pictures; the first is used", *photo(saved(
        frame(3), "GIF", save_all=True, append_images=[frame(4)]))),
    Mistake("is CMYK without a usable profile", *photo(picture(3, mode="CMYK"))),
    Mistake("colour profile does not fit", *photo(
        picture(3, mode="CMYK", icc_profile=red_green_swapped_profile()))),
    Mistake("its colour profile is damaged", *photo(picture(3, icc_profile=b"none"))),
    Mistake("has pixel values from", *photo(saved(
        Image.fromarray(np.full((48, 64), -5.0, np.float32)), "TIFF"))),
    Mistake("is damaged", *photo(picture(3)[:1500])),
]  # fmt: skip
