"""Every step that computes, once, on a small fixed input by the real programs: three photos with
two captions, the tiny base, one thread. Each method gives what its step made."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

import made_families
import numpy as np
import reported
import step_tables
import synthetic
import tiny_base
import tiny_blip
from golden import Output
from PIL import ExifTags, Image
from synthetic import ARMS

import audit
import bring_in
import calibrate_judge
import caption
import class_images
import contact_sheet
import draw_ceiling
import encode_captions
import encode_images
import encode_prompts
import face_detail
import figures_to_send
import image_vectors
import lab_family
import live_page
import make_composites
import pairs_page
import plot_training_curves
import power
import preprocess
import reference_photos
import render
import score
import segment_people
import train
from kindred.common import safetensors_files
from kindred.common.files import read_json, read_jsonl, write_json
from kindred.common.versions import VERSIONS
from kindred.data.caption_pairing import heads_said, make_pairs
from kindred.data.dataset import DatasetImage
from kindred.evidence.step_series import series_figures
from kindred.judges.interface import Acceptance, Calibration, DetectedPerson
from kindred.models import architectures
from kindred.scoring import references, score_table
from kindred.specs.report import LivePageSpec, PairsSpec

WHO = {
    "J": {"name": "JRussell", "class": "man", "age": "adult"},
    "A": {"name": "ARussell", "class": "woman", "age": "adult"},
}
BUCKETS = {"buckets": [[64, 80], [80, 64]], "min_side": 16}
RECIPE = {"rank": 2, "steps": 3, "batch": 2, "lr": 1e-2, "checkpoint_every": 10}
HERE = ["--device", "cpu", "--threads", "1"]
TOKENS = 24
# Golden file -> what its output follows from: the step first, then what it works with.
STEPS = {
    "draw": ("draw",),
    "preprocess": ("preprocess",),
    "caption": ("caption", "blip"),
    "audit": ("audit",),
    "masks": ("masks",),
    "compose": ("compose",),
    "encode_images.flux1": ("encode_images", "flux1"),
    "encode_text.flux1": ("encode_text", "flux1"),
    "train.flux1": ("train", "flux1"),
    "render.flux1": ("render", "flux1"),
    "ceiling.flux1": ("ceiling", "flux1"),
    **{
        f"{step}.{name}": (step, name)
        for name in ("klein", "krea2", "z-image")
        for step in ("encode_images", "encode_text", "train", "render")
    },
    "dealt": ("dealt",),
    "compare_steps": ("compare_steps",),
    "class_images": ("class_images",),
    "references": ("references",),
    "calibrate": ("calibrate",),
    "image_vectors": ("image_vectors",),
    "score": ("score",),
    "compare": ("compare",),
    "power": ("power",),
    "families": ("families",),
    "families_report": ("families_report",),
    "families_rating": ("families_rating",),
    "send_table": ("send_table",),
    "sheet": ("sheet",),
    "curves": ("curves",),
    "rating": ("rating",),
    "live": ("live",),
    "pairs": ("pairs",),
    "bring_in": ("bring_in",),
    "face_detail.flux1": ("face_detail", "flux1"),
    "report": ("report",),
}


def versions_of(name: str) -> dict[str, int]:
    """The versions that a golden file's output follows from, as they are today."""
    known = VERSIONS | {one.name: one.version for one in architectures.every()}
    return {step: known[step] for step in STEPS[name]}


class StandInJudge:
    """Sees one person for every 64 px of a picture's width, and knows them by coarse colours."""

    identity, counts = "stand-in@1", "people"
    calibration, gates = Calibration(0.0, 0.9, "made up"), Acceptance()

    def find(self, images):
        """People side by side, all of equal width."""
        return [[self._person(i, n) for n in range(max(1, i.width // 64))] for i in images]

    def _person(self, image, place):
        box = (64.0 * place, 0.0, min(64.0 * place + 64, image.width), float(image.height))
        head = (box[0] + 8, 4.0, box[2] - 8, 40.0)
        return DetectedPerson(box, head, 0.9, self._unit(image.crop(tuple(map(int, box)))))

    @staticmethod
    def _unit(image):
        small = np.asarray(image.convert("RGB").resize((2, 2), Image.Resampling.BOX), np.float64)
        vector = small.ravel() - small.mean() + 1
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def adherence(self, images, prompts):
        """The share of red, whatever was asked for."""
        return [float(np.asarray(image.convert("RGB"))[..., 0].mean()) / 255 for image in images]

    def whole(self, images):
        """Small copies are compared."""
        return


def _units(rows: np.ndarray) -> np.ndarray:
    """Rows of length one."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class Steps:
    """A folder in which each step is made once, when it is first asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, name: str) -> str:
        return str(self.root / name)

    @cached_property
    def base(self) -> str:
        """The tiny base."""
        return str(tiny_base.build(self.root / "base"))

    @cached_property
    def draw(self) -> Output:
        """Three drawn photos, their captions and the truth about them."""
        options = ["--coverage", "J: 1, A: 1, AJ: 1", "--seed", "1", "--scale", "2"]
        lab_family.main([*options, "--out", self._path("photos")])
        found = Output()
        found.exact["captions"] = (self.root / "photos/captions.csv").read_text(encoding="utf-8")
        found.add_json("truth", read_json(self.root / "photos.truth.json"))
        found.pictures = pictures_in(self.root / "photos", "*.jpg")
        return found

    @cached_property
    def preprocess(self) -> Output:
        """The photos in their buckets."""
        assert self.draw
        where = ["--source", self._path("photos"), "--images-dir", self._path("images")]
        spec = ["--spec", json.dumps(BUCKETS), "--workers", "1"]
        preprocess.main([*spec, *where, "--out", self._path("images.json")])
        return self._of_photos(read_json(self.root / "images.json"), self.root / "images")

    def _of_photos(self, rows: list[dict], folder: Path) -> Output:
        """Rows without what follows from a decoder's last bit, and pictures."""
        loose = ("source_sha256", "pixel_hash", "perceptual_hash", "sharpness")
        found = Output(
            exact={"rows": [{k: v for k, v in r.items() if k not in loose} for r in rows]}
        )
        found.numbers["sharpness"] = [row["sharpness"] for row in rows]
        found.pictures = pictures_in(folder, "*.png")
        return found

    @cached_property
    def caption(self) -> Output:
        """Two captions from the file, one by a captioner."""
        assert self.preprocess
        captioner = {"model": str(tiny_blip.build(self.root / "blip")), "max_tokens": 8}
        table = self.root / "photos/captions.csv"
        lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
        table.write_text("".join(lines[:-1]), encoding="utf-8")
        spec = {"characters": WHO, "captioner": captioner}
        where = ["--source", self._path("photos"), "--images-dir", self._path("images")]
        files = ["--images", self._path("images.json"), "--out", self._path("captions.jsonl")]
        caption.main(["--spec", json.dumps(spec), *where, *files])
        rows = read_jsonl(self.root / "captions.jsonl")
        rows = [row | {"author": row["author"].rpartition("/")[2].split("@")[0]} for row in rows]
        return Output(exact={"rows": rows})

    @property
    def _dataset(self) -> list[str]:
        assert self.caption
        return [
            *("--images", self._path("images.json")),
            *("--captions", self._path("captions.jsonl")),
        ]

    @cached_property
    def audit(self) -> Output:
        """Coverage and warnings."""
        out = ["--out", self._path("audit.json"), "--page", self._path("audit.html")]
        audit.main(["--spec", json.dumps({"characters": WHO}), *self._dataset, *out])
        found = Output()
        found.add_json("audit", read_json(self.root / "audit.json"))
        return found

    @cached_property
    def masks(self) -> Output:
        """Outlines by the truth about the drawings."""
        where = ["--source", self._path("photos"), "--store", self._path("masks")]
        truth = ["--truth", self._path("photos.truth.json"), "--out", self._path("masks.json")]
        segment_people.main(
            ["--spec", json.dumps({"characters": WHO}), *where, *self._dataset, *truth, *HERE]
        )
        found = Output()
        self._told_of_masks(found, self.root / "masks.json")
        return found

    def _told_of_masks(self, found: Output, file: Path) -> None:
        """masks.json, its files by what is in them."""
        text = file.read_text(encoding="utf-8")
        for number, name in enumerate(dict.fromkeys(re.findall(r'"([^"]*/\w+\.png)"', text))):
            with Image.open(name if Path(name).exists() else self.root / name) as mask:
                found.numbers[f"mask {number}"] = np.asarray(mask)
            text = text.replace(name, f"mask {number}")
        found.add_json("masks", json.loads(text))

    @cached_property
    def compose(self) -> Output:
        """A composite of two people."""
        assert self.masks
        spec = {
            "characters": WHO,
            "preprocess": {"buckets": [[128, 144], [144, 128]], "min_side": 16},
            "compose": {"cells": ["A+J"], "per_cell": 1},
        }
        where = ["--source", self._path("photos"), "--store", self._path("masks"), *self._dataset]
        out = ["--photos", self._path("made/photos"), "--made", self._path("made/made.json")]
        masks = ["--masks", self._path("masks.json"), "--masks-out", self._path("made/masks.json")]
        make_composites.main(["--spec", json.dumps(spec), *where, *out, *masks])
        made = read_json(self.root / "made/made.json")
        found = Output(
            exact={"captions": (self.root / "made/photos/captions.csv").read_text(encoding="utf-8")}
        )
        found.add_json("made", {k: _without(v, "sha256") for k, v in made.items()})
        found.pictures = pictures_in(self.root / "made/photos", "composed/*.png")
        return found

    @cached_property
    def dealt(self) -> Output:
        """Whose captions are dealt among composites of strangers and of two or three people."""
        said = {
            "A+J": "adult man JRussell in a black jacket and adult woman ARussell in a red dress",
            "J": "JRussell and a woman in a blue coat",
            "A": "a man, man TRenol and ARussell",
            "": "child TRenol and child DGatum",
        }
        called: tuple[tuple[str, ...], ...] = (), (), ("TRenol",), ("TRenol", "DGatum")
        images = [
            DatasetImage(f"{n}", f"{n}", cell, 8, 8, "", text, f"{n} {cell}", "composed", named)
            for n in range(3)
            for (cell, text), named in zip(said.items(), called, strict=True)
        ]
        pairs = make_pairs(images, "dealt", 0)
        found = Output()
        found.add_json("pairs", {f"{p.item.image_id} {p.item.cell}": p.caption_hash for p in pairs})
        found.add_json("heads", {one.cell: heads_said(one) for one in images})
        return found

    @cached_property
    def encode_images(self) -> Output:
        """Latents by the order of the photos."""
        assert self.preprocess
        out = ["--latents", self._path("latents.safetensors"), "--store", self._path("encoded")]
        where = ["--images", self._path("images.json"), "--images-dir", self._path("images")]
        encode_images.main(["--spec", json.dumps({"model": self.base}), *where, *out, *HERE])
        latents = safetensors_files.load(self.root / "latents.safetensors")
        rows = read_json(self.root / "images.json")
        return Output(
            exact={"names": len(latents)},
            numbers={row["image_id"]: latents[row["pixel_hash"]].numpy() for row in rows},
        )

    @cached_property
    def encode_text(self) -> Output:
        """Embeddings of captions and of the empty text."""
        spec = {"model": self.base, "dtype": "float32", "tokens": TOKENS}
        out = ["--text", self._path("text.safetensors"), "--store", self._path("encoded")]
        encode_captions.main(["--spec", json.dumps(spec), *self._dataset[2:], *out, *HERE])
        texts = safetensors_files.load(self.root / "text.safetensors")
        return Output(
            exact={name: str(tensor.dtype) for name, tensor in texts.items()},
            numbers={name: tensor.numpy() for name, tensor in texts.items()},
        )

    @cached_property
    def train(self) -> Output:
        """Three steps."""
        return self.trained("lora")

    def trained(self, name: str, run: int = 1, captions: str = "captions.jsonl") -> Output:
        """A training into the folder `name`."""
        assert self.encode_images and self.encode_text
        spec = {
            "base": {"model": self.base, "dtype": "float32", "text_tokens": TOKENS},
            "recipe": RECIPE,
            "characters": WHO,
            "dataset": "test",
        }
        write_json(self.root / name / "spec.json", spec)
        files = {"images": "images.json", "captions": captions}
        files |= {kind: f"{kind}.safetensors" for kind in ("latents", "text")}
        out = self.root / name
        store = ["--store", str(out / "store"), "--checkpoints", str(out / "work")]
        where = ["--spec-file", str(out / "spec.json"), "--run", str(run), "--out-dir", str(out)]
        where += [part for kind, file in files.items() for part in (f"--{kind}", self._path(file))]
        train.main([*where, *store, *HERE])
        tensors = safetensors_files.load(out / "lora.safetensors")
        with open(out / "training.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        summary = read_json(out / "lora.json")
        return Output(
            exact={
                "tensors": {key: list(value.shape) for key, value in tensors.items()},
                "summary": {key: summary[key] for key in ("seed", "images", "steps")},
                "steps": [[row["step"], row["lr"]] for row in rows],
            },
            numbers={key: value.numpy() for key, value in tensors.items()},
            values={f"loss {row['step']}": (float(row["loss"]), 1e-4) for row in rows},
        )

    @cached_property
    def render(self) -> Output:
        """Two pictures in two steps, with the adapter."""
        assert self.train
        return self.rendered(
            "drawn", {"j": "headshot of JRussell", "both": "JRussell and ARussell"}
        )

    def rendered(self, name: str, prompts: dict[str, str], seeds: tuple[int, ...] = (1,)) -> Output:
        """Pictures of prompts in two steps, with the adapter."""
        base = {"model": self.base, "dtype": "float32", "text_tokens": TOKENS}
        texts = {"model": self.base, "dtype": "float32", "tokens": TOKENS}
        embedded, listed = self._path(f"{name}.safetensors"), self.root / f"{name}/images/list.json"
        encode_prompts.main(
            [
                *("--spec", json.dumps({"encoder": texts, "prompts": prompts})),
                *("--out", embedded, "--store", self._path("encoded"), *HERE),
            ]
        )
        asked = {"prompts": prompts, "seeds": list(seeds), "width": 64, "height": 64, "steps": 2}
        spec = {"base": base, "prompt_set": asked, "name": "golden", "weights": [1.0]}
        render.main(
            [
                *("--spec", json.dumps(spec), "--prompts", embedded, "--out", str(listed), *HERE),
                *("--adapter", self._path("lora/lora.safetensors"), "--store", self._path("store")),
            ]
        )
        manifest = read_json(listed)
        keep = ("name", "prompt", "seed", "width", "height")
        found = Output(exact={"images": [{k: r[k] for k in keep} for r in manifest["images"]]})
        found.add_json("settings", _without(manifest["settings"], "base", "version"))
        for row in manifest["images"]:
            with Image.open(row["path"]) as image:
                found.pictures[f"{row['name']} {row['seed']}"] = image.convert("RGB")
        return found

    @cached_property
    def face_detail(self) -> Output:
        """Two people's faces in a picture drawn again, a third that stays, and a picture of
        nobody."""
        assert self.train and self.rendered(
            "first", {"both": "JRussell and the woman ARussell", "plain": "a man"}
        )
        listed = self.root / "first/images/list.json"
        keys = {"version": score_table.VERSION, "kind": "image"}
        rows = [
            keys | {"prompt": row["name"], "seed": row["seed"], "key": row["key"]}
            for row in read_json(listed)["images"]
        ]
        heads = {"4 6 20 24": "A", "26 8 40 26": "", "44 4 62 28": "J"}
        rows += [
            rows[0] | {"kind": "person", "head": head, "assigned": letter}
            for head, letter in heads.items()
        ]
        score_table.write_scores(self.root / "first.csv", rows)
        encoder = {"model": self.base, "dtype": "float32", "tokens": TOKENS}
        texts = {"J": "a photo of JRussell", "A": "a photo of the woman ARussell"}
        told = ["--spec", json.dumps({"encoder": encoder, "prompts": texts})]
        where = ["--out", self._path("faces.safetensors"), "--store", self._path("encoded"), *HERE]
        encode_prompts.main([*told, *where])
        base = {"model": self.base, "dtype": "float32", "text_tokens": TOKENS}
        asked = {"prompts": {"both": "JRussell and the woman ARussell", "plain": "a man"}}
        asked |= {"seeds": [1], "width": 64, "height": 64, "steps": 2}
        drawn = {"base": base, "prompt_set": asked, "name": "golden", "weights": [1.0]}
        spec = {"drawn": drawn, "characters": WHO, "detail": {"strength": 0.5, "size": 64}}
        out = self.root / "faces/images/list.json"
        face_detail.main(
            [
                *("--spec", json.dumps(spec), "--manifest", str(listed), *HERE),
                *("--scores", self._path("first.csv"), "--texts", self._path("faces.safetensors")),
                *("--adapter", self._path("lora/lora.safetensors"), "--out", str(out)),
                *("--store", self._path("store")),
            ]
        )
        manifest = read_json(out)
        found = Output(exact={"names": [row["name"] for row in manifest["images"]]})
        found.add_json("settings", _without(manifest["settings"], "base", "version"))
        for row in manifest["images"]:
            with Image.open(row["path"]) as image:
                found.pictures[row["name"]] = image.convert("RGB")
        return found

    @cached_property
    def ceiling(self) -> Output:
        """A pair and a stranger, in order and in a garment, drawn and seen through the VAE."""
        text = "from left to right: ARussell, a man and JRussell in a red sweater in the snow"
        told = {"order": ["A", "", "J"], "wears": {"J": "red sweater"}, "wording": "order"}
        told |= {"name": "A+J+1", "members": ["A", "J"], "strangers": 1, "canvas": "96x64"}
        spec = {"encoder": {"model": self.base}, "name": "golden", "families": {"russell": None}}
        spec |= {"characters": {x: who["name"] for x, who in WHO.items()}, "casts": {"row": told}}
        spec["prompts"] = {"row": {"text": text, "seeds": [1], "width": 96, "height": 64}}
        listed = self.root / "ceiling.json"
        where = ["--store", self._path("store"), "--out", str(listed), *HERE]
        draw_ceiling.main(["--spec", json.dumps(spec), *where])
        manifest = read_json(listed)
        found = Output(exact={"names": [row["name"] for row in manifest["images"]]})
        found.add_json("settings", _without(manifest["settings"], "autoencoder", "version"))
        with Image.open(manifest["images"][0]["path"]) as image:
            found.pictures["row"] = image.convert("RGB")
        return found

    @cached_property
    def compare_steps(self) -> Output:
        """Three steps of two trainings compared."""
        found = Output()
        found.add_json("series", series_figures(step_tables.spec(), step_tables.tables(), {}))
        return found

    @cached_property
    def class_images(self) -> Output:
        """Two pictures by the base as a dataset."""
        self._list("class.json", {"man": "a man", "woman": "a woman"}, (1,))
        where = ["--manifest", self._path("class.json"), "--out", self._path("class")]
        class_images.main(where)
        text = (self.root / "class/captions.csv").read_text(encoding="utf-8")
        return Output({"captions": text}, pictures=pictures_in(self.root / "class", "*.png"))

    def _list(self, name: str, prompts: dict[str, str], seeds: tuple[int, ...]) -> str:
        """A list of made-up pictures: coarse blocks of colour."""
        rows = []
        for prompt, text in prompts.items():
            width = 128 if " and " in text else 64
            for seed in seeds:
                random = np.random.RandomState(len(rows))
                small = Image.fromarray(random.randint(0, 255, (3, 4, 3)).astype(np.uint8))
                path = self.root / "pictures" / f"{Path(name).stem}-{prompt}-{seed}.png"
                path.parent.mkdir(exist_ok=True)
                small.resize((width, 80), Image.Resampling.NEAREST).save(path)
                row = {"name": prompt, "prompt": text, "seed": seed, "key": f"{len(rows):064x}"}
                rows.append(row | {"width": width, "height": 80, "path": str(path)})
        listed = {"prompt_set": "mixed", "settings": {}, "adapters": [], "images": rows}
        write_json(self.root / name, listed)
        return self._path(name)

    @property
    def _judge(self) -> dict:
        return {"judge": {"kind": "lab", "model": "org/judge", "revision": "1"}, "characters": WHO}

    @cached_property
    def references(self) -> Output:
        """By which photos the stand-in judge knows everybody."""
        assert self.caption
        for name in ("images.json", "captions.jsonl", "images"):
            place = self.root / "resources/ours" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(self.root / name)
        files = ["--facts", self._path("references.json")]
        files += ["--vectors", self._path("references.safetensors")]
        spec = json.dumps({**self._judge, "datasets": ["ours"]})
        where = ["--resources", self._path("resources")]
        reference_photos.main(["--spec", spec, *where, *files, *HERE])
        found = Output()
        found.add_json("facts", _without(read_json(self.root / "references.json"), "hash"))
        tensors = safetensors_files.load(self.root / "references.safetensors")
        found.numbers |= {name: tensor.numpy() for name, tensor in tensors.items()}
        return found

    @cached_property
    def calibrate(self) -> Output:
        """Thresholds of two people that strangers in the base's pictures don't pass either."""
        nouns = {"man": "man", "woman": "woman"}
        drawn = self._list("strangers.json", {"man": "a man", "woman": "a woman"}, (1, 2, 3))
        spec = {**self._judge, "pictures": [{"file": drawn, "nouns": nouns}]}
        rng = np.random.default_rng(0)
        people = {x: rng.standard_normal(12) + 1 for x in WHO}
        faces = {x: _units(who + 0.3 * rng.standard_normal((6, 12))) for x, who in people.items()}
        facts = {"version": references.VERSION, "judge": StandInJudge.identity, "hash": "0" * 12}
        known = references.References(facts, faces)
        references.save(known, self.root / "known.json", self.root / "known.safetensors")
        files = ["--references", self._path("known.json")]
        files += ["--vectors", self._path("known.safetensors")]
        files += ["--facts", self._path("calibrated.json")]
        files += ["--out", self._path("calibrated.safetensors")]
        population = _units(rng.standard_normal((50, 12)) + 1)
        known = replace(StandInJudge.calibration, population=population)
        with patch.object(StandInJudge, "calibration", known):
            calibrate_judge.main(["--spec", json.dumps(spec), *files, *HERE])
        found, facts = Output(), read_json(self.root / "calibrated.json")
        found.add_json("calibration", facts["calibration"], within=1e-5)
        tensors = safetensors_files.load(self.root / "calibrated.safetensors")
        found.numbers |= {name: tensor.numpy() for name, tensor in tensors.items()}
        return found

    @cached_property
    def image_vectors(self) -> Output:
        """The photos as the stand-in judge compares them whole."""
        assert self.references
        spec = json.dumps({"judge": self._judge["judge"], "dataset": "ours"})
        where = ["--resources", self._path("resources"), "--out", self._path("vectors/ours.json")]
        image_vectors.main(["--spec", spec, *where, *HERE])
        facts = read_json(self.root / "vectors/ours.json")
        loose = ("pixels", "bits")  # these follow from a decoder's last bit
        rows = [_without(row, *loose) for row in facts["pictures"]]
        found = Output({"rows": rows, "facts": _without(facts, "pictures", "vectors")})
        found.numbers["vectors"] = np.load(self.root / "vectors/ours.npy")
        return found

    @cached_property
    def score(self) -> Output:
        """A table by the stand-in judge; its figures' last digits follow the kind of CPU."""
        assert self.references and self.image_vectors
        prompts = {"j": "headshot of JRussell", "both": "JRussell and ARussell", "plain": "a man"}
        own = self._list("own.json", prompts, (1, 2))
        base = self._list("plain.json", prompts, (1, 2))
        files = ["--references", self._path("references.json")]
        files += ["--vectors", self._path("references.safetensors")]
        whose = ["--variant", "all", "--run", "1", "--store", self._path("scores")]
        files += ["--training", self._path("vectors/ours.json")]
        spec = json.dumps({**self._judge, "trained_on": [{"dataset": "ours"}]})
        out = ["--out", self._path("scores.csv"), "--base", base]
        score.main(["--spec", spec, "--manifest", own, *files, *whose, *out, *HERE])
        found = Output()
        with open(self.root / "scores.csv", encoding="utf-8") as file:
            rows = [{k: _figure(v) for k, v in row.items()} for row in csv.DictReader(file)]
        rows = [_without(row, "nearest_bits") for row in rows]  # these follow a decoder's last bit
        found.add_json("table", rows, within=2e-3)
        return found

    @cached_property
    def experiment(self) -> synthetic.Made:
        """A made-up experiment with its pictures, compared and audited."""
        arms = {name: ARMS[name] for name in ("all", "no-trio", "BASE")}
        prompts = {key: dict(list(texts.items())[:2]) for key, texts in reported.SMALL.items()}
        options = {"arms": arms, "runs": 2, "seeds": (1,), "prompts": prompts}
        return reported.build(self.root / "experiment", **options)

    @cached_property
    def compare(self) -> Output:
        """Verdicts to the word, intervals to a millionth."""
        found = Output()
        results = self.experiment.results
        found.add_json("verdicts", read_json(results / "verdicts.json"), within=1e-6)
        found.add_json("summary", read_json(results / "summary.json"))
        return found

    @cached_property
    def power(self) -> Output:
        """What a design of twelve casts finds, and nothing of a measure without a pilot."""
        names = [f"{cast}.{n}" for cast in range(12) for n in range(4)]
        told = {"variant": "b", "against": "a", "prompt_set": "casts"}
        hypotheses = {
            "better": {"claim": "b is better.", "measure": "cast", **told},
            "alike": {"claim": "b is more alike.", "measure": "identity", **told},
        }
        prompt_set = {
            "pictures": dict.fromkeys(names, 2),
            "asked": {name: name.partition(".")[0] for name in names},
            "casts": True,
        }
        spec = {"experiment": "mine", "runs": {"a": 5, "b": 5}, "hypotheses": hypotheses}
        spec["prompt_sets"] = {"casts": prompt_set}
        nowhere = ["--results", self._path("nothing"), "--docs", self._path("nothing")]
        power.main(["--spec", json.dumps(spec), *nowhere, "--out", self._path("power.json")])
        found = Output()
        found.add_json("figures", read_json(self.root / "power.json"), within=1e-6)
        return found

    @cached_property
    def families(self) -> Output:
        """What is said of four families together."""
        found = Output()
        found.add_json("verdicts", made_families.compared(self.root / "families"), within=1e-6)
        return found

    @cached_property
    def families_report(self) -> Output:
        """The page about them in words."""
        _, markdown = made_families.reported(self.root / "families")
        return Output({"markdown": markdown})

    @cached_property
    def families_rating(self) -> Output:
        """The page on which people say who is there: its text, without its pictures."""
        page = reported.run_who(self.experiment, self.root / "who.html")
        return Output({"page": _words(page.read_text(encoding="utf-8"))})

    @cached_property
    def send_table(self) -> Output:
        """The table without names, but for the revision of the code."""
        out = self.root / "send.csv"
        figures_to_send.main(["--folder", str(self.experiment.results), "--out", str(out)])
        lines = out.read_text(encoding="utf-8").splitlines(keepends=True)
        return Output({"table": "".join(one for one in lines if ",revision," not in one)})

    @cached_property
    def sheet(self) -> Output:
        """A contact sheet of one run's pictures."""
        out = self.root / "sheet.png"
        spec = json.dumps({"title": "pair", "cell": 64})
        manifest = ["--manifest", f"all={self.experiment.manifest('all', 1, 'pair')}"]
        contact_sheet.main(["--spec", spec, *manifest, "--out", str(out)])
        return Output(pictures={"sheet": Image.open(out)})

    @cached_property
    def curves(self) -> Output:
        """Curves of two runs."""
        folder = self.experiment.results / "all"
        files = [f"all, run {run}={folder}/run-{run}/training.csv" for run in (1, 2)]
        runs = [part for file in files for part in ("--run", file)]
        plot_training_curves.main([*runs, "--out", self._path("curves.png")])
        return Output(pictures={"curves": Image.open(self.root / "curves.png")})

    @cached_property
    def rating(self) -> Output:
        """The page's text, without its pictures."""
        page = reported.run_rating(self.experiment, self.root / "rating", images=6)
        return Output({"page": _words(page.read_text(encoding="utf-8"))})

    @cached_property
    def pairs(self) -> Output:
        """The page on which pairs are compared: its text, without its pictures."""
        made, out = self.experiment, self.root / "pairs.html"
        spec = PairsSpec(
            experiment=made.spec.experiment,
            characters=reported.CHARACTERS,
            variants={"all": [1, 2], "no-trio": [1, 2]},
            prompt_sets=list(made.spec.prompt_sets),
            datasets=["russell"],
            pairs=6,
        )
        where = ["--folder", str(made.results), "--resources", str(made.root / "resources")]
        pairs_page.main(["--spec", spec.canonical(), *where, "--out", str(out)])
        return Output({"page": _words(out.read_text(encoding="utf-8"))})

    @cached_property
    def live(self) -> Output:
        """The page that shows trainings: its text and script, without its photos."""
        made, out = self.experiment, self.root / "live.html"
        spec = LivePageSpec(
            experiment=made.spec.experiment,
            characters=reported.CHARACTERS,
            variants={"all": [1, 2]},
            prompts={"two": "JRussell and ARussell"},
            every=250,
            datasets=["russell"],
        )
        where = ["--resources", str(made.root / "resources"), "--out", str(out)]
        live_page.main(["--spec", spec.canonical(), *where])
        return Output({"page": _words(out.read_text(encoding="utf-8"))})

    @cached_property
    def bring_in(self) -> Output:
        """The list of two pictures made elsewhere, one of them turned by its EXIF."""
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        rows = []
        for seed, (name, more) in enumerate({"a.png": {}, "b.jpg": {"exif": exif}}.items(), 1):
            Image.new("RGB", (64, 32), (90 * seed, 80, 70)).save(self.root / name, **more)
            rows.append({"file": self._path(name), "name": "J", "prompt": "a man", "seed": seed})
        spec, out = {"prompt_set": "solo", "pictures": rows}, self.root / "elsewhere.json"
        where = ["--store", self._path("elsewhere"), "--out", str(out)]
        bring_in.main(["--spec", json.dumps(spec), *where])
        pictures = pictures_in(self.root / "elsewhere", "**/*.png")
        return Output({"list": out.read_text().replace(str(self.root), "")}, pictures=pictures)

    @cached_property
    def report(self) -> Output:
        """The report in words."""
        _, markdown = reported.run_report(self.experiment, self.root / "report")
        return Output({"markdown": markdown})


def pictures_in(folder: Path, pattern: str) -> dict[str, Image.Image]:
    """Name -> picture."""
    return {path.name: Image.open(path).convert("RGB") for path in sorted(folder.glob(pattern))}


def _figure(text: str) -> str | float:
    """A cell of a table: a number with decimals as such."""
    return float(text) if re.fullmatch(r"-?\d+\.\d+", text) else text


def _without(value: dict, *keys: str) -> dict:
    return {k: v for k, v in value.items() if k not in keys}


def _words(page: str) -> str:
    """A page without the bytes of its pictures."""
    return re.sub(r"data:image/[a-z]+;base64,[A-Za-z0-9+/=]+", "a picture", page)
