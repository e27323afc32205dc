"""Files, options and environments that are not as they should be: what meets them, and the same
after the cure that its message names. Both get one folder, in this order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

import contact_sheet as contact_sheet_program
import export_lora
import migrate_stores
import plot_training_curves
from kindred.characters.cells import parse_cell
from kindred.common import chained_log, file_lock, files, made_pictures, png_files
from kindred.common import safetensors_files as tensors
from kindred.common.hashing import caption_hash, pixel_hash
from kindred.compute import data_parallel, devices, memory_limit
from kindred.config import family_files
from kindred.data import caption_pairing, class_images, dataset, image_encoding, person_masks
from kindred.data.audit import coverage
from kindred.data.composites import dataset as composites_dataset
from kindred.data.dataset import DatasetImage
from kindred.data.photo_folder import check_inputs, scan
from kindred.data.subset_selection import select
from kindred.evidence import human_ratings
from kindred.judges import lab_networks, model_files
from kindred.lab import pretraining_corpus
from kindred.models import architectures, identity, tokenizers
from kindred.models.lora import adapters
from kindred.rendering import image_store, manifest
from kindred.report import doc_figures, report_data, sheet_contents, training_curves
from kindred.scoring import image_vectors, references, score_table
from kindred.specs.base_model import Base
from kindred.specs.character import Character
from kindred.specs.report import SheetSpec
from kindred.specs.training import Selection
from kindred.training import adapter_store
from kindred.training.batched import jobs
from kindred.workflow import frozen_plan, store_cleanup
from kindred.world import families

Action = Callable[[Path], object]


class Mistake(NamedTuple):
    """What a message says, what meets it, and the same when its cure was followed; None for a cure
    that is a person's alone."""

    said: str
    wrong: Action
    cured: Action | None


def write(path: Path, content: str | bytes | None) -> Path:
    """Write a file, or with None remove it; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.unlink(missing_ok=True)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    return path


def of_file(
    said: str, name: str, wrong: str | bytes | None, right: str | bytes | None, read: Action
) -> Mistake:
    """A file read with a wrong content (None: it is missing), then with the right one."""
    return Mistake(
        said,
        lambda root: read(write(root / name, wrong)),
        lambda root: read(write(root / name, right)),
    )


def of_value(said: str, call: Callable[[object], object], wrong: object, right: object) -> Mistake:
    """A call with a wrong value, then with the right one."""
    return Mistake(said, lambda _: call(wrong), lambda _: call(right))


def of_variable(said: str, name: str, wrong: str, call: Callable[[], object]) -> Mistake:
    """An environment with a wrong value, then without it."""

    def called(value: str | None) -> None:
        before = os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
        try:
            call()
        finally:
            os.environ.pop(name, None)
            if before is not None:
                os.environ[name] = before

    return Mistake(said, lambda _: called(wrong), lambda _: called(None))


def png(colour: tuple[int, int, int] = (1, 2, 3)) -> bytes:
    import io

    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(buffer, "PNG")
    return buffer.getvalue()


def safetensors(path: Path, named: dict[str, torch.Tensor] | None = None, **about: str) -> Path:
    tensors.save(path, named or {"transformer.a.lora_A.weight": torch.ones(2)}, about)
    return path


def cut(path: Path) -> Path:
    """The same file, its end lost."""
    return write(path, path.read_bytes()[:-3])


PNG, LETTERS = png(), {"J": Character(name="JRussell", noun="man")}
LETTERS["A"] = Character(name="ARussell", noun="woman")
LOG = "step,loss,lr\n1,0.5,0.1\n"
SCORES = ",".join(score_table.COLUMNS) + "\n"
FIGURES = "variant,prompt_set,run,success\na,solo,1,0.5\n"
RATINGS = ",".join(human_ratings.COLUMNS) + "\n"
COLUMN = {name: n for n, name in enumerate(human_ratings.COLUMNS)}
PICTURES = {
    "prompt_set": "p",
    "settings": {},
    "adapters": [],
    "images": [
        {"name": "a", "prompt": "x", "seed": 1, "width": 16, "height": 16, "key": "k", "path": ""}
    ],
}


def rating(grade: str, key: str = "k") -> str:
    values = [""] * len(COLUMN)
    values[COLUMN["rating"]], values[COLUMN["key"]] = grade, key
    return RATINGS + ",".join(values) + "\n"


def picture_list(root: Path, **changed: object) -> Path:
    """A list of one picture, which lies beside it."""
    row = PICTURES["images"][0] | {"path": str(root / "k.png")}
    return write(root / "m.json", json.dumps(PICTURES | {"images": [row]} | changed))


def shown(root: Path, picture: bytes | None) -> object:
    write(root / "k.png", picture)
    return manifest.open_pictures([manifest.read_manifest(picture_list(root))])


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


IMAGE = {"image_id": "a", "photo": "a", "width": 16, "height": 16, "pixel_hash": "p", "source": "a"}
CAPTION = {"id": "a", "caption": "x", "caption_hash": caption_hash("x"), "characters": []}


def prepared(root: Path, content: bytes | None) -> object:
    """images.json of one prepared image, as it is encoded."""
    write(root / "images/a.png", content)
    row = IMAGE | {"pixel_hash": pixel_hash(Image.new("RGB", (16, 16), (1, 2, 3)))}
    files.write_json(root / "images.json", [row])
    return image_encoding.checked_images(root / "images.json", root / "images")


def logged(root: Path, edited: Callable[[bytes], bytes]) -> object:
    """A log of two entries, edited, and read."""
    path = root / "log.jsonl"
    if not path.exists():
        for why in ("one", "two"):
            chained_log.append(path, lambda _, why=why: [{"why": why}])
        write(root / "kept", path.read_bytes())
    write(path, edited((root / "kept").read_bytes()))
    return chained_log.read_log(path)


def an_adapter(root: Path, rows: str = LOG) -> Path:
    """A finished adapter's folder."""
    safetensors(root / "lora.safetensors")
    write(root / "lora.json", '{"steps": 1}')
    write(root / "training.csv", rows)
    return root


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


def locked(path: Path) -> object:
    with file_lock.lock(path, "waiting"):
        return None


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


def program(main: Callable[[list[str]], int], *words: str) -> Callable[[object], object]:
    """A program with these words and one more."""
    return lambda last: main([*words, *([last] if isinstance(last, str) else last)])


def sheet(root: Path, *options: str) -> object:
    picture_list(root)
    write(root / "k.png", PNG)
    files.write_json(root / "images.json", [IMAGE])
    files.write_jsonl(root / "captions.jsonl", [CAPTION])
    spec = SheetSpec(characters=LETTERS).canonical()
    words = ["--spec", spec, "--manifest", f"x={root}/m.json", "--out", f"{root}/s.png", *options]
    return contact_sheet_program.main(words)


def of_photos(root: Path) -> list[str]:
    return ["--images", f"{root}/images.json", "--captions", f"{root}/captions.jsonl",
            "--images-dir", f"{root}"]  # fmt: skip


def composed(masks: Path) -> object:
    """The photos that composites are made of."""
    files.write_json(masks.with_name("images.json"), [IMAGE | {"source": "a.jpg"}])
    files.write_jsonl(masks.with_name("captions.jsonl"), [CAPTION])
    folder = masks.parent
    rest = folder / "images.json", folder / "captions.jsonl", masks
    return composites_dataset.read_source_photos(folder, *rest)


def architecture_of(base: Base) -> object:
    return identity.architecture_of(base)


def architecture_in(root: Path, index: dict[str, str] | None) -> object:
    """Of a base's folder with this model_index.json."""
    write(root / "model_index.json", None if index is None else json.dumps(index))
    return identity.architecture_of(Base(model=str(root)))


def lab_judge(root: Path) -> Path:
    """A folder with a small lab judge."""
    import tiny_judge

    tiny_judge.build(root / "judge")
    return root / "judge"


def part(
    folder: Path | None,
    files: dict[str, str] | None = None,
    hashes: dict[str, str] | None = None,
) -> object:
    """A judge's one model file, found."""
    if folder is not None and folder.name != "gone":
        write(folder / "face.onnx", "model")
    parts = {"face": model_files.Part("face.onnx", source=", from its page")}
    return model_files.locate(parts, folder, files or {}, hashes or {})


def link_lock(root: Path, target: str | None) -> object:
    """A lock whose file is a link to nowhere, and taken away."""
    (root / "lock").unlink(missing_ok=True)
    if target:
        (root / "lock").symlink_to(root / target)
    return locked(root / "lock")


def one_sheet(root: Path, prompts: list[str]) -> object:
    write(root / "k.png", PNG)
    labelled = [("x", manifest.read_manifest(picture_list(root)))]
    return sheet_contents.comparison(labelled, SheetSpec(prompts=prompts))


def figure(what: str) -> str:
    rows = [{"variant": "a", "prompt_set": "solo", "run": "1", "success": "0.5"}]
    return doc_figures.figure_of(rows, what)


def exported(root: Path, name: str, *options: str) -> object:
    adapter = safetensors(root / "a.safetensors")
    return export_lora.main(["--adapter", str(adapter), "--out", str(root / name), *options])


def migrated(code: str) -> object:
    return migrate_stores.main(["--root", "/nowhere", "--code", code])


def curves(root: Path, run: str) -> object:
    words = ["--spec", "{}", "--run", run, "--out", str(root / "c.png")]
    return plot_training_curves.main(words)


CLAIMS = """title: Two families
families: [one, two]
hypotheses:
  h: {claim: c, variant: a, against: b, prompt_set: casts, measure: cast}
"""


def claims(root: Path, text: str, name: str = "both") -> object:
    """What config/families says."""
    for old in root.glob("families/*"):
        old.unlink()
    for experiment in ("one", "two"):
        write(root / f"experiments/{experiment}.yaml", "title: x\n")
    write(root / f"families/{name}.yaml", text)
    return family_files.family_specs(root)


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


READ = files.read_json
TOKENIZER = str(Path(__file__).parents[2] / "lab/base/tokenizer")
MODEL = {"_class_name": "FluxPipeline"}
MISTAKES = [
    # Files of steps
    of_file("no such file", "a.json", None, "{}", lambda path: READ(path)),
    of_file("not readable as JSON", "a.json", "{", "{}", lambda path: READ(path)),
    of_file("not readable as JSON", "a.jsonl", "{}\n{", "{}\n", files.read_jsonl),
    Mistake("not a whole safetensors file",
            lambda root: tensors.header(cut(safetensors(root / "a"))),
            lambda root: tensors.header(safetensors(root / "a"))),
    Mistake("no tensor named", lambda root: tensors.load(safetensors(root / "a"), ["b"]),
            lambda root: tensors.load(safetensors(root / "a", {"b": torch.ones(1)}), ["b"])),
    Mistake("values that are no finite numbers",
            lambda root: safetensors(root / "a", {"b": torch.tensor([float("nan")])}),
            lambda root: safetensors(root / "a", {"b": torch.ones(1)})),
    of_file("can't be read (", "a.png", None, PNG, png_files.check),
    of_file("empty", "a.png", b"", PNG, png_files.check),
    of_file("cut short", "a.png", PNG[:-4], PNG, png_files.check),
    of_file("no PNG", "a.png", b"GIF8", PNG, png_files.check),
    of_file("is missing (", "a.png", None, PNG, made_pictures.read_picture),
    of_file("is damaged (", "a.png", PNG[:40], PNG, made_pictures.read_picture),
    Mistake("not a picture rendered here",
            lambda root: image_store.settings_of(write(root / "a.png", PNG)),
            lambda root: image_store.settings_of(image_store.ImageStore(root).put_image(
                "0" * 64, Image.new("RGB", (16, 16)), {}))),
    Mistake("not a manifest of pictures",
            lambda root: manifest.read_manifest(write(root / "m.json", "{}")),
            lambda root: manifest.read_manifest(picture_list(root))),
    Mistake("1 of 1 missing", lambda root: shown(root, None), lambda root: shown(root, PNG)),
    Mistake("1 of 1 damaged", lambda root: shown(root, PNG[:40]), lambda root: shown(root, PNG)),
    of_file("no such file", "t.csv", None, LOG, lambda p: training_curves.read_run("a", p)),
    of_file("not a training log", "t.csv", "a\n1\n", LOG,
            lambda p: training_curves.read_run("a", p)),
    of_file("holds no step", "t.csv", LOG[:13], LOG, lambda p: training_curves.read_run("a", p)),
    of_file("no such file", "s.csv", None, SCORES, score_table.read_scores),
    of_file("not readable as scores", "s.csv", SCORES + "1\n", SCORES, score_table.read_scores),
    of_file("of version 0", "s.json", '{"version": 0}',
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
    Mistake("cut short", lambda root: adapter_store.check(an_adapter(root, LOG[:-1])),
            lambda root: adapter_store.check(an_adapter(root))),
    Mistake("damaged: no text in UTF-8", lambda root: adapter_store.check(
                write(an_adapter(root) / "training.csv", b"\xff").parent),
            lambda root: adapter_store.check(an_adapter(root))),
    # Logs and ratings
    Mistake("no entry of this log", lambda root: logged(root, lambda data: b"x\n" + data),
            lambda root: logged(root, bytes)),
    Mistake("this entry was changed", lambda root: logged(root, lambda d: d.replace(b"one", b"1")),
            lambda root: logged(root, bytes)),
    Mistake("an entry before this one was", lambda root: logged(
                root, lambda data: data.splitlines(keepends=True)[1]),
            lambda root: logged(root, bytes)),
    of_file("has no column", "r.csv", "a\n", RATINGS, lambda p: human_ratings.read_ratings([p])),
    of_file("can't be read (", "r.csv", b"\xff\xfe\xff", RATINGS,
            lambda p: human_ratings.read_ratings([p])),
    of_file("rating '9'", "r.csv", rating("9"), rating("3"),
            lambda p: human_ratings.read_ratings([p])),
    of_file("names no picture", "r.csv", rating("1", ""), RATINGS,
            lambda p: human_ratings.read_ratings([p])),
    of_file("none of them of this experiment", "r.csv", rating("1", "other"), RATINGS,
            lambda p: human_ratings.known_ratings(human_ratings.read_ratings([p]), ["k"], "r")),
    # Data between steps
    Mistake("has no caption", lambda root: read_dataset(root, [IMAGE], []),
            lambda root: read_dataset(root, [IMAGE], [CAPTION])),
    Mistake("has no image", lambda root: read_dataset(root, [], [CAPTION]),
            lambda root: read_dataset(root, [IMAGE], [CAPTION])),
    Mistake("stands twice", lambda root: read_dataset(root, [IMAGE, IMAGE], [CAPTION]),
            lambda root: read_dataset(root, [IMAGE], [CAPTION])),
    Mistake("its caption_hash is not that of its caption",
            lambda root: read_dataset(root, [IMAGE], [CAPTION | {"caption": "edited"}]),
            lambda root: read_dataset(root, [IMAGE], [CAPTION])),
    Mistake("holds other pixels", lambda root: prepared(root, png((9, 9, 9))),
            lambda root: prepared(root, PNG)),
    Mistake("is not there", lambda root: class_picture(root, None),
            lambda root: class_picture(root, PNG)),
    of_value("images and captions do not belong together",
             lambda captions: coverage.photos_of([IMAGE], captions), [], [CAPTION]),
    of_value("no photo shows JRussell alone",
             lambda found: coverage.check_cells(["J"], found, LETTERS), {}, {"J": 1}),
    Mistake("is a link to a file that is not there", lambda root: a_link(root, False),
            lambda root: a_link(root, True)),
    Mistake("no such folder", lambda root: scan(root / "gone"),
            lambda root: scan(write(root / "photos/a.jpg", PNG).parent)),
    Mistake("holds no photo", lambda root: scan(write(root / "photos/a.doc", "").parent),
            lambda root: scan(write(root / "photos/a.jpg", PNG).parent)),
    of_value("its pixels are not those in images.json", paired, {"own": "other"}, {}),
    of_value("has no latent under its pixel hash", paired, {"latents": {}}, {}),
    of_value("not of an image 32x32", paired, {"latents": {"p": {"shape": [16, 2, 2]}}}, {}),
    of_value("its caption is not encoded", paired, {"texts": []}, {}),
    Mistake("has no mask in", lambda root: weighted(root, {}),
            lambda root: weighted(root, {"a": {"file": str(root / "m.png"), "people": []}})),
    of_file("no mask of a.jpg", "masks.json", "{}", '{"a.jpg": {"file": "x", "people": []}}',
            lambda path: composed(path)),
    # Choosing photos
    of_value("no character 'X'", lambda who: chosen(photos(J=2), characters=who), ["X"], ["J"]),
    of_value("no photo in cell A+J", lambda found: chosen(found, cells=["A+J"]), photos(J=1),
             photos(AJ=1)),
    of_value("photos of", lambda n: chosen(photos(J=2), per_cell={"J": n}), 3, 2),
    of_value("photos of", lambda n: chosen(photos(J=2), total=n, match="images"), 3, 2),
    of_value("no choice of photos shows every character",
             lambda n: chosen(photos(J=2, A=2), total=n, match="appearances"), 7, 2),
    of_value("no choice of photos shows everyone equally often",
             lambda found: select(found, Selection(balance="drop"), "JAC"), photos(AJ=1, CJ=1),
             photos(AJ=1, CJ=1, A=1, C=1)),
    of_value("alone is in no photo that could be repeated",
             lambda found: chosen(found, balance="repeat"), photos(J=2, AJ=1), photos(J=2, A=1)),
    of_value("no photo is left to train on", lambda who: chosen(photos(J=2), characters=who), ["A"],
             ["J"]),
    of_value("no character", lambda text: parse_cell(text, LETTERS), "X", "A+J"),
    # Claims about families
    Mistake("its name is unfit for a folder", lambda root: claims(root, CLAIMS, "a b"),
            lambda root: claims(root, CLAIMS)),
    Mistake("names an experiment twice", lambda root: claims(root, CLAIMS.replace("two", "one")),
            lambda root: claims(root, CLAIMS)),
    Mistake("no file config/experiments/tow.yaml",
            lambda root: claims(root, CLAIMS.replace("two", "tow")),
            lambda root: claims(root, CLAIMS)),
    Mistake("runs are not compared here",
            lambda root: claims(root, CLAIMS.replace("claim: c", "claim: c, paired: true")),
            lambda root: claims(root, CLAIMS)),
    # The lab's families
    of_value("no family 'rusell'", families.family, "rusell", "russell"),
    of_value("99", lambda n: families.family("russell", n), 99, 3),
    of_value("is no cell with a number", families.parse_coverage, "J", "J: 1"),
    of_value("names somebody twice", families.parse_coverage, "JJ: 1", "J: 1"),
    of_value("has more than four people", families.parse_coverage, "ABCDE: 1", "ABCD: 1"),
    of_value("nobody here has the letter X", lambda t: families.parse_coverage(t, "JA"), "X: 1",
             "J: 1"),
    of_value("cell J is given twice", families.parse_coverage, "J: 1, J: 2", "J: 3"),
    of_value("holds no cell", families.parse_coverage, "", "J: 1"),
    Mistake("no drawings", lambda root: pretraining_corpus.shards([root]),
            lambda root: pretraining_corpus.shards([write(root / "a.npz", b"").parent])),
    # Bases and adapters
    of_value("architecture: 'sd1' is not known", lambda n: architectures.by_name(n, "x"), "sd1",
             "flux1"),
    of_value("no known architecture is a Other", lambda i: architectures.by_index(i, "x"),
             {"_class_name": "Other"}, MODEL),
    of_value("no known architecture has a network of class int", architectures.of_network, 1,
             type("FluxTransformer2DModel", (), {})()),
    Mistake("has no model_index.json", lambda root: architecture_in(root, None),
            lambda root: architecture_in(root, MODEL)),
    of_value("no such folder", architecture_of, Base(model="./gone"),
             Base(model="./gone", architecture="flux1")),
    of_value("tells which architecture it has", architecture_of, Base(model="org/model"),
             Base(model="org/model", architecture="flux1")),
    Mistake("holds no LoRA weights",
            lambda root: adapters.read_adapters([safetensors(root / "a", {"b": torch.ones(1)})]),
            lambda root: adapters.read_adapters([safetensors(root / "a")])),
    Mistake("is no JSON",
            lambda root: adapters.content_hash(
                safetensors(root / "a", **{adapters.CONFIG_KEY: "{"})),
            lambda root: adapters.content_hash(safetensors(root / "a"))),
    Mistake("2 given for 1 adapters",
            lambda root: adapters.read_adapters([safetensors(root / "a")], [1, 2]),
            lambda root: adapters.read_adapters([safetensors(root / "a")], [1])),
    Mistake("no lab judge here", lambda root: lab_networks.load_judge(root),
            lambda root: lab_networks.load_judge(lab_judge(root))),
    Mistake("not a lab judge's configuration",
            lambda root: lab_networks.JudgeConfig.from_json(write(root / "c.json", "{}")),
            lambda root: lab_networks.JudgeConfig.from_json(lab_judge(root) / "config.json")),
    Mistake("no such part", lambda root: part(root, files={"fcae": "x"}), lambda root: part(root)),
    Mistake("names no file", lambda root: part(None), lambda root: part(root)),
    Mistake("the judge's face is not there", lambda root: part(root / "gone"),
            lambda root: part(root)),
    Mistake("the judge's face has SHA-256", lambda root: part(root, hashes={"face": "0" * 64}),
            lambda root: part(root)),
    of_value("can't be loaded", tokenizers.load_tokenizer, "/nowhere", TOKENIZER),
    # Options and environments
    of_variable("KINDRED_PROCESSES=x", data_parallel.PROCESSES, "x", data_parallel.wanted),
    of_variable("2, but the recipe has", data_parallel.PROCESSES, "2",
                lambda: data_parallel.check(1)),
    of_variable("=none", devices.JOBS_PER_GPU, "none", devices.jobs_per_gpu),
    of_variable("KINDRED_MEMORY_GIB=x", memory_limit.MEMORY_GIB, "x", memory_limit.card_gib),
    of_value("no GPU", lambda kind: devices._cuda_or_error(kind, False, "no GPU"), "cuda", "cpu"),
    of_value("can't be kept for jobs", frozen_plan._check_overrides, {"a": float("nan")}, {"a": 1}),
    Mistake("the configuration that this job was planned with is gone",
            lambda root: frozen_plan.load_frozen(root, root / "gone"), None),
    of_value("no manifest of pictures found", lambda used: store_cleanup.prunable([], 1, used),
             store_cleanup.Used(frozenset(), frozenset(), 0),
             store_cleanup.Used(frozenset(), frozenset(), 1)),
    of_value("must be a JSON list", lambda text: jobs.read_jobs(text, None), "[1]", "[]"),
    of_value("unknown: x", lambda text: jobs.read_jobs(text, None), '[{"x": 1}]', "[]"),
    of_value("an entry has no", lambda text: jobs.read_jobs(text, None), '[{"run": 1}]', "[]"),
    Mistake("can't be locked", lambda root: link_lock(root, "gone/lock"),
            lambda root: link_lock(root, None)),
    Mistake("can't be written", lambda root: files.write_text(write(root / "a", "") / "b", "x"),
            lambda root: files.write_text(write(root / "a", None) / "b", "x")),
    # Programs
    Mistake("has no label or no file", lambda root: sheet_contents.read_labelled("x"),
            lambda root: sheet_contents.read_labelled(f"x={picture_list(root)}")),
    Mistake("no prompt 'b' here", lambda root: one_sheet(root, ["b"]),
            lambda root: one_sheet(root, ["a"])),
    Mistake("need --images, --captions", sheet, lambda root: sheet(root, *of_photos(root))),
    of_file("no such table", "f.csv", None, FIGURES, doc_figures._rows),
    of_value("is no figure", figure, "a solo", "a solo success"),
    of_value("no variant 'b'", figure, "b solo success", "a solo success"),
    of_value("no measure 'sucess'", figure, "a solo sucess", "a solo success"),
    Mistake("is the adapter itself", lambda root: exported(root, "a.safetensors"), None),
    Mistake("is no size", lambda root: exported(root, "b.x", "--resolution", "big"), None),
    of_value("is not STEP=HASH", migrated, "x", "train=0"),
    Mistake("has no label or no file", lambda root: curves(root, "t.csv"),
            lambda root: curves(root, f"a={write(root / 't.csv', LOG)}")),
]  # fmt: skip
