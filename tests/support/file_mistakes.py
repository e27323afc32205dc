"""Files between steps, logs, ratings and choices of photos that are not as they should be."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mistakes import (
    CAPTION,
    IMAGE,
    LETTERS,
    LOG,
    PNG,
    Mistake,
    cut,
    of_file,
    of_value,
    picture_list,
    png,
    safetensors,
    write,
)
from PIL import Image

from kindred.characters.cells import parse_cell
from kindred.common import chained_log, files, made_pictures, page_blocks, png_files
from kindred.common import safetensors_files as tensors
from kindred.common.hashing import pixel_hash
from kindred.data import (
    caption_pairing,
    class_images,
    dataset,
    image_encoding,
    person_masks,
    shown_photos,
)
from kindred.data.audit import coverage
from kindred.data.composites import dataset as composites_dataset
from kindred.data.dataset import DatasetImage
from kindred.data.photo_folder import check_inputs, scan
from kindred.data.subset_selection import select
from kindred.evidence import human_ratings, paired_choices, stored_designs, who_is_it
from kindred.rendering import image_store, manifest, pictures_elsewhere
from kindred.rendering.image_store import ImageStore
from kindred.report import pairs_page, report_data, training_curves
from kindred.scoring import image_vectors, references, score_table
from kindred.scoring.found_faces import found_faces
from kindred.specs.pictures_elsewhere import PicturesElsewhere
from kindred.specs.report import PairsSpec
from kindred.specs.training import Selection
from kindred.training import adapter_store, kept_steps

SCORES = ",".join(score_table.COLUMNS) + "\n"
KEYS = {"version": str(score_table.VERSION), "kind": "image", "prompt": "a"}
RATINGS = ",".join(human_ratings.COLUMNS) + "\n"
ANSWERS = ",".join(who_is_it.COLUMNS) + "\n"
COLUMN = {name: n for n, name in enumerate(human_ratings.COLUMNS)}


def rating(grade: str, key: str = "k") -> str:
    values = [""] * len(COLUMN)
    values[COLUMN["rating"]], values[COLUMN["key"]] = grade, key
    return RATINGS + ",".join(values) + "\n"


def shown(root: Path, picture: bytes | None) -> object:
    write(root / "k.png", picture)
    return manifest.open_pictures([manifest.read_manifest(picture_list(root))])


def told_of(root: Path, key: str) -> object:
    """A table of scores of one picture with this key, read for the faces in it."""
    row = KEYS | {"seed": "1", "key": key}
    score_table.write_scores(root / "s.csv", [row])
    listed = manifest.read_manifest(picture_list(root))
    return found_faces(root / "s.csv", listed, {})


def photos(**counts: int) -> list[DatasetImage]:
    """Photos of each cell, its letters joined."""
    return [
        DatasetImage(f"{cell}{n}", f"{cell}{n}", "+".join(cell), 32, 32, f"{cell}{n}", "t", "h")
        for cell, count in counts.items()
        for n in range(count)
    ]


def chosen(found: list[DatasetImage], **wanted: object) -> object:
    return select(found, Selection(**wanted), "JA")


def read_dataset(root: Path, images: list[dict], captions: list[dict]) -> object:
    files.write_json(root / "images.json", images)
    files.write_jsonl(root / "captions.jsonl", captions)
    return dataset.read_dataset(root / "images.json", root / "captions.jsonl")


def prepared(root: Path, content: bytes | None) -> object:
    """images.json of one prepared image, as it is encoded."""
    write(root / "images/a.png", content)
    row = IMAGE | {"pixel_hash": pixel_hash(Image.new("RGB", (16, 16), (1, 2, 3)))}
    files.write_json(root / "images.json", [row])
    return image_encoding.checked_images(root / "images.json", root / "images")


SHOWN_ROW = {"image_id": "a", "photo": "a", "source_sha256": "a", "pixel_hash": "a", "width": 16,
             "height": 16, "sharpness": 9.0}  # fmt: skip
SHOWN_CAPTION = {"id": "a", "characters": ["J"]}


def of_shown(count: int) -> object:
    """So many reference pictures of a person with one photo."""
    spec = shown_photos.ShownPhotos(dataset="ours", photos={"J": count}, area=256)
    return shown_photos.choose(spec, [SHOWN_ROW], [SHOWN_CAPTION], Path("ours"))


def left_of_shown(sources: list[str]) -> object:
    """What a judge may know a person with one photo by, where these files are shown."""
    rows = {"ours": ([SHOWN_ROW], [SHOWN_CAPTION])}
    return shown_photos.without_shown(rows, {"J": set(sources)})


def logged(root: Path, edited: Callable[[bytes], bytes]) -> object:
    """A log of two entries, edited, and read."""
    path = root / "log.jsonl"
    if not path.exists():
        for why in ("one", "two"):
            chained_log.append(path, lambda _, why=why: [{"why": why}])
        write(root / "kept", path.read_bytes())
    write(path, edited((root / "kept").read_bytes()))
    return chained_log.read_log(path)


def packed_log(root: Path, edited: Callable[[bytes], bytes], beside: bytes | None) -> object:
    """A packed log of one entry, edited, beside another or none, and read."""
    path = root / "log.jsonl"
    if not (root / "kept").exists():
        chained_log.append(path, lambda _: [{"why": "one"}])
        write(root / "kept", lzma.compress(path.read_bytes()))
    write(path, beside)
    write(chained_log.packed_path(path), edited((root / "kept").read_bytes()))
    return chained_log.read_log(path)


def restored(steps: int) -> object:
    """The designs of two families, stored, the second one's steps then others."""
    held = stored_designs.stored({"experiments": {"a": {"steps": 8}, "b": {"steps": 9}}})
    held["experiments"]["b"]["differs"]["steps"] = steps
    return stored_designs.restored(held)


def brought_in(root: Path, picture: bytes) -> object:
    """A picture made elsewhere, taken in."""
    told = {"file": str(write(root / "p.png", picture)), "name": "a", "prompt": "x", "seed": 1}
    spec = PicturesElsewhere(prompt_set="trio", pictures=[told])
    return pictures_elsewhere.bring_in(spec, ImageStore(root / "store"), root / "m.json")


CHOICES = ",".join(paired_choices.COLUMNS) + "\nme,J,a,b,left,1,x\n"


def choosing(**variants: list[int]) -> object:
    """Pairs of the variants' pictures of J."""
    spec = PairsSpec(
        experiment="x", characters=LETTERS, variants=variants, prompt_sets=["a"], datasets=[]
    )
    row = manifest.Row("p", "JRussell", 1, 64, 64, "", Path("p.png"))
    pictures = {(name, 1, "a", "p", 1): replace(row, key=f"{name}-key") for name in variants}
    return pairs_page.choose_pairs(pictures, spec)


def an_adapter(root: Path, rows: str = LOG) -> Path:
    """A finished adapter's folder."""
    safetensors(root / "lora.safetensors")
    write(root / "lora.json", '{"steps": 1}')
    write(root / "training.csv", rows)
    return root


def kept_step(root: Path, stored: dict[str, object] | None = None) -> Path:
    """The adapter of step 3 of run 1, of a store that has the one of the facts `stored`."""
    facts = {"run": 1}
    write(root / "lora.json", json.dumps(facts))
    kept = kept_steps.KeptSteps(root / "store", stored or facts, [3])
    kept.put(3, safetensors)
    return kept_steps.fetch(root / "store", root, 3)


def vectors(root: Path, facts: dict[str, object] | None = None, other: bool = False) -> object:
    path, array = root / "v.json", np.ones((1, 2), np.float32)
    own = {"version": image_vectors.VERSION, "vectors": image_vectors._digest(array)}
    image_vectors.save(image_vectors.ImageVectors(own | (facts or {}), array + other), path)
    return path


def known(root: Path, **facts: object) -> object:
    """The judge's references, read."""
    own = {"version": references.VERSION, "hash": "h"} | facts
    files.write_json(root / "r.json", own)
    safetensors(root / "r.safetensors", {"face/J": torch.ones(1, 2)}, hash="h")
    return references.load(root / "r.json", root / "r.safetensors")


def class_picture(root: Path, content: bytes | None) -> object:
    write(root / "k.png", content)
    rows = manifest.read_manifest(picture_list(root)).rows
    return class_images.write_dataset(rows, root / "out", "run `snakemake`")


def a_link(root: Path, leads: bool) -> object:
    write(root / "photos/a.jpg", PNG)
    link = root / "photos/b.jpg"
    link.unlink(missing_ok=True)
    link.symlink_to("a.jpg" if leads else "gone.jpg")
    return check_inputs(scan(root / "photos"))


def composed(masks: Path) -> object:
    """The photos that composites are made of."""
    files.write_json(masks.with_name("images.json"), [IMAGE | {"source": "a.jpg"}])
    files.write_jsonl(masks.with_name("captions.jsonl"), [CAPTION])
    folder = masks.parent
    rest = folder / "images.json", folder / "captions.jsonl", masks
    return composites_dataset.read_source_photos(folder, *rest)


def paired(changed: dict[str, object]) -> object:
    """One image and caption, proved to belong together."""
    item = DatasetImage("a", "a", "J", 32, 32, "p", "t", "h")
    own = replace(item, pixel_hash=str(changed.get("own", "p")))
    latents = changed.get("latents", {"p": {"shape": [16, 4, 4]}})
    pair = caption_pairing.CaptionedImage(item, "h")
    return caption_pairing.check_pairs(
        [pair], [own], "matched", latents, changed.get("texts", ["h"]), 8
    )


def weighted(root: Path, masks: dict[str, object]) -> object:
    """Weights of an image's tokens by its mask."""
    row = IMAGE | {"image_id": "a", "source_width": 32, "source_height": 32}
    files.write_json(root / "images.json", [row])
    files.write_json(root / "masks.json", masks)
    write(root / "m.png", png())
    item = DatasetImage("a", "a", "J", 32, 32, "p", "t", "h")
    return person_masks.token_weights([item], root / "images.json", root / "masks.json", 2.0, 2.0)


def closed(root: Path) -> object:
    """A file that nobody may read."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensors, "open", refuse, raising=False)
        return tensors.header(root / "a")


READ = files.read_json
MISTAKES = [
    # Files of steps
    of_file("no such file", "a.json", None, "{}", lambda path: READ(path)),
    of_file("is not valid JSON", "a.json", "{", "{}", lambda path: READ(path)),
    of_file("is not valid JSON", "a.jsonl", "{}\n{", "{}\n", files.read_jsonl),
    Mistake("is not a complete safetensors file",
            lambda root: tensors.header(cut(safetensors(root / "a"))),
            lambda root: tensors.header(safetensors(root / "a"))),
    Mistake("is a folder, not a file", tensors.header,
            lambda root: tensors.header(safetensors(root / "a"))),
    Mistake("can't be read (Permission denied)", closed,
            lambda root: tensors.header(safetensors(root / "a"))),
    Mistake("no tensor named", lambda root: tensors.load(safetensors(root / "a"), ["b"]),
            lambda root: tensors.load(safetensors(root / "a", {"b": torch.ones(1)}), ["b"])),
    Mistake("1 value that is infinite or not a number",
            lambda root: safetensors(root / "a", {"b": torch.tensor([float("nan")])}),
            lambda root: safetensors(root / "a", {"b": torch.ones(1)})),
    of_file("can't be read (", "a.png", None, PNG, png_files.check),
    of_file("empty", "a.png", b"", PNG, png_files.check),
    of_file("is incomplete", "a.png", PNG[:-4], PNG, png_files.check),
    of_file("is not a PNG file", "a.png", b"GIF8", PNG, png_files.check),
    of_file("is missing (", "a.png", None, PNG, made_pictures.read_picture),
    of_file("is damaged (", "a.png", PNG[:40], PNG, made_pictures.read_picture),
    Mistake("is not a picture drawn by Kindred (it has no",
            lambda root: image_store.settings_of(write(root / "a.png", PNG)),
            lambda root: image_store.settings_of(image_store.ImageStore(root).put_image(
                "0" * 64, Image.new("RGB", (16, 16)), {}))),
    Mistake("is not a list of pictures",
            lambda root: manifest.read_manifest(write(root / "m.json", "{}")),
            lambda root: manifest.read_manifest(picture_list(root))),
    Mistake("1 of 1 missing", lambda root: shown(root, None), lambda root: shown(root, PNG)),
    Mistake("1 of 1 damaged", lambda root: shown(root, PNG[:40]), lambda root: shown(root, PNG)),
    of_file("no such file", "t.csv", None, LOG, lambda p: training_curves.read_run("a", p)),
    of_file("not a training log", "t.csv", "a\n1\n", LOG,
            lambda p: training_curves.read_run("a", p)),
    of_file("contains no step", "t.csv", LOG[:13], LOG, lambda p: training_curves.read_run("a", p)),
    of_file("no such file", "s.csv", None, SCORES, score_table.read_scores),
    Mistake("describes other pictures than", lambda root: told_of(root, "other"),
            lambda root: told_of(root, "k")),
    of_file("can't be read as a table", "s.csv", SCORES + "1\n", SCORES, score_table.read_scores),
    of_file("has version 0", "s.json", '{"version": 0}',
            json.dumps({"version": report_data.SUMMARY_VERSION}), report_data.read_versioned),
    Mistake("vectors of another version",
            lambda root: image_vectors.load(vectors(root, {"version": 0})),
            lambda root: image_vectors.load(vectors(root))),
    Mistake("does not belong to v.json", lambda root: image_vectors.load(vectors(root, other=True)),
            lambda root: image_vectors.load(vectors(root))),
    Mistake("can't be read (", lambda root: image_vectors.load(
                write(vectors(root).with_suffix(".npy"), b"").with_suffix(".json")),
            lambda root: image_vectors.load(vectors(root))),
    Mistake("references of another version", lambda root: known(root, version=0), known),
    Mistake("does not belong to r.json", lambda root: known(root, hash="x"), known),
    Mistake("is incomplete", lambda root: adapter_store.check(an_adapter(root, LOG[:-1])),
            lambda root: adapter_store.check(an_adapter(root))),
    Mistake("is damaged: not UTF-8 text", lambda root: adapter_store.check(
                write(an_adapter(root) / "training.csv", b"\xff").parent),
            lambda root: adapter_store.check(an_adapter(root))),
    Mistake("is not in the store", lambda root: kept_step(root, {"run": 2}), kept_step),
    Mistake("is damaged", lambda root: brought_in(root, PNG[:40]),
            lambda root: brought_in(root, PNG)),
    of_file("has no column", "p.csv", "a\n", CHOICES,
            lambda p: paired_choices.read_choices([p])),
    of_file("can't be read (", "p.csv", b"\xff\xfe\xff", CHOICES,
            lambda p: paired_choices.read_choices([p])),
    of_file("'both' between", "p.csv", CHOICES.replace("left,1", "both,1"), CHOICES,
            lambda p: paired_choices.read_choices([p])),
    Mistake("no two variants drew", lambda _: choosing(all=[1]),
            lambda _: choosing(all=[1], more=[1])),
    # Logs and ratings
    Mistake("this line is not an entry of", lambda root: logged(root, lambda data: b"x\n" + data),
            lambda root: logged(root, bytes)),
    Mistake("this entry was changed", lambda root: logged(root, lambda d: d.replace(b"one", b"1")),
            lambda root: logged(root, bytes)),
    Mistake("an entry before this one was", lambda root: logged(
                root, lambda data: data.splitlines(keepends=True)[1]),
            lambda root: logged(root, bytes)),
    Mistake("can't be unpacked (", lambda root: packed_log(root, lambda data: data[:-8], None),
            lambda root: packed_log(root, bytes, None)),
    Mistake("another log lies packed beside", lambda root: packed_log(root, bytes, b""),
            lambda root: packed_log(root, bytes, None)),
    Mistake("the design of", lambda _: restored(7), lambda _: restored(9)),
    of_file("has no column", "r.csv", "a\n", RATINGS, lambda p: human_ratings.read_ratings([p])),
    of_file("has no column", "w.csv", "a\n", ANSWERS, lambda p: who_is_it.read_answers([p])),
    of_file("can't be read (", "w.csv", b"\xff\xfe\xff", ANSWERS,
            lambda p: who_is_it.read_answers([p])),
    of_file("is not an answer about a picture", "w.csv", f"{ANSWERS}a,k,j,0,,1\n", ANSWERS,
            lambda p: who_is_it.read_answers([p])),
    of_file("can't be read (", "r.csv", b"\xff\xfe\xff", RATINGS,
            lambda p: human_ratings.read_ratings([p])),
    of_file("rating '9'", "r.csv", rating("9"), rating("3"),
            lambda p: human_ratings.read_ratings([p])),
    of_file("names no picture", "r.csv", rating("1", ""), RATINGS,
            lambda p: human_ratings.read_ratings([p])),
    of_file("1 picture, but none that this experiment has", "r.csv", rating("1", "other"), RATINGS,
            lambda p: human_ratings.known_ratings(human_ratings.read_ratings([p]), ["k"], "r")),
    # Data between steps
    Mistake("has no caption", lambda root: read_dataset(root, [IMAGE], []),
            lambda root: read_dataset(root, [IMAGE], [CAPTION])),
    Mistake("has no image", lambda root: read_dataset(root, [], [CAPTION]),
            lambda root: read_dataset(root, [IMAGE], [CAPTION])),
    Mistake("is listed twice", lambda root: read_dataset(root, [IMAGE, IMAGE], [CAPTION]),
            lambda root: read_dataset(root, [IMAGE], [CAPTION])),
    Mistake("its caption_hash does not match its caption",
            lambda root: read_dataset(root, [IMAGE], [CAPTION | {"caption": "edited"}]),
            lambda root: read_dataset(root, [IMAGE], [CAPTION])),
    of_value("asks for 2 photos of J alone", of_shown, 2, 1),
    of_value("every photo that shows J alone is a reference picture", left_of_shown, ["a"], ["b"]),
    Mistake("its pixels differ from those in", lambda root: prepared(root, png((9, 9, 9))),
            lambda root: prepared(root, PNG)),
    Mistake("is missing", lambda root: class_picture(root, None),
            lambda root: class_picture(root, PNG)),
    of_value("images.json and captions.jsonl don't match",
             lambda captions: coverage.photos_of([IMAGE], captions), [], [CAPTION]),
    of_value("no photo shows JRussell alone",
             lambda found: coverage.check_cells(["J"], found, LETTERS), {}, {"J": 1}),
    Mistake("is a link to a file that is not there", lambda root: a_link(root, False),
            lambda root: a_link(root, True)),
    Mistake("no such folder", lambda root: scan(root / "gone"),
            lambda root: scan(write(root / "photos/a.jpg", PNG).parent)),
    Mistake("contains no photo", lambda root: scan(write(root / "photos/a.doc", "").parent),
            lambda root: scan(write(root / "photos/a.jpg", PNG).parent)),
    of_value("its pixels differ from those in images.json", paired, {"own": "other"}, {}),
    of_value("its pixels are not encoded", paired, {"latents": {}}, {}),
    of_value("fit an image of 32x32", paired, {"latents": {"p": {"shape": [16, 2, 2]}}}, {}),
    of_value("its caption is not encoded", paired, {"texts": []}, {}),
    Mistake("is missing in", lambda root: weighted(root, {}),
            lambda root: weighted(root, {"a": {"file": str(root / "m.png"), "people": []}})),
    of_file("no mask for a.jpg", "masks.json", "{}", '{"a.jpg": {"file": "x", "people": []}}',
            lambda path: composed(path)),
    of_file("no place for the block", "page.md", "words",
            "<!-- b: written by a program -->\n<!-- end of b -->",
            lambda path: page_blocks.write_block(path, "b", "figures")),
    # Choosing photos
    of_value("no character 'X'", lambda who: chosen(photos(J=2), characters=who), ["X"], ["J"]),
    of_value("no photo in cell A+J", lambda found: chosen(found, cells=["A+J"]), photos(J=1),
             photos(AJ=1)),
    of_value("photos, but there are", lambda n: chosen(photos(J=2), per_cell={"J": n}), 3, 2),
    of_value("photos, but there are", lambda n: chosen(photos(J=2), total=n, match="images"), 3, 2),
    of_value("photos leaves none to train on",
             lambda n: chosen(photos(J=2), held_out={"J": n}), 2, 1),
    of_value("so none can be held out", lambda n: chosen(photos(J=2), held_out=n), 2, 1),
    of_value("no selection of photos shows every character",
             lambda n: chosen(photos(J=2, A=2), total=n, match="appearances"), 7, 2),
    of_value("no selection of photos shows everyone equally often; photos",
             lambda found: select(found, Selection(balance="drop"), "JAC"), photos(AJ=1, CJ=1),
             photos(AJ=1, CJ=1, A=1, C=1)),
    of_value("no photo that could be repeated shows",
             lambda found: chosen(found, balance="repeat"), photos(J=2, AJ=1), photos(J=2, A=1)),
    of_value("no photo is left to train on", lambda who: chosen(photos(J=2), characters=who), ["A"],
             ["J"]),
    of_value("no character", lambda text: parse_cell(text, LETTERS), "X", "A+J"),
]  # fmt: skip
