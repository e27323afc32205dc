"""From keys with hashes of code to keys with step versions: what stores hold keeps its worth.

What was made by the code that step versions began with is given the key that it has now, at
version 1 of its step. A kept file that tells what it was made from proves its old key first;
nothing is renamed on a guess. Knows how keys were made up then, and at version 1.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.common.files import (
    atomic_write,
    read_json,
    read_jsonl,
    write_jsonl,
    write_text,
)
from kindred.common.hashing import canonical_json, sha256_file, spec_hash
from kindred.common.png_text import replace_text
from kindred.config.load_plan import load_plan
from kindred.config.plan import Plan
from kindred.models.lora.adapters import content_hash
from kindred.specs.dataset import PreprocessSpec
from kindred.workflow.migration_moves import Migration, Move

CHUNK = "kindred"
KEY = re.compile(r"[0-9a-f]{64}")
Json = dict[str, Any]
# Which code made what, as it was when step versions took the place of these hashes.
LAST_CODE = {
    "train": "cced8c9b69d5404faf8819cef7d96dbcc3626bb8566f40521916e7440e65fa84",
    "render": "3e726d9d80fbab216cf52ec4573a264ef08c5107745dd66423076a6a45d951b9",
    "preprocess": "bf710d1601423f2004921bb2d409f66afe625d05982461b192377a5605e94443",
    "encode": "baa4ac97b1cdb680e13db539898738b0238ad7f763801b8ce34055bb33236882",
    "caption": "1984d31698fb7c9545ee951db061508904adfe81c270b90f782457917bc133c8",
}
# The versions that stand in keys for it: always these, also when a step's version is raised later.
FIRST = {
    "train": "train 1, flux1 1",
    "render": "render 1, flux1 1",
    "latent": "encode_images 1, flux1 1",
    "text": "encode_text 1, flux1 1",
    "preprocess": "preprocess 1",
    "caption": "caption 1, blip 1",
}


def migration(root: Path, codes: Mapping[str, Iterable[str]] | None = None) -> Migration:
    """Everything below `root` that can be given its new key. `codes`: step -> further hashes of
    code whose results are as good as those of the last."""
    known = {step: {code, *(codes or {}).get(step, ())} for step, code in LAST_CODE.items()}
    found, plans = Migration(), _plans(root)
    store = root / "resources/store"
    _adapters(store / "adapters", known["train"], found)
    _pictures(store / "images", known["render"], _content_hashes(root, plans), found)
    _scores(root, found)
    _encodings(root, known["encode"], found)
    for dataset in sorted(path for path in (root / "resources").glob("*/images") if path.is_dir()):
        _prepared(dataset, known["preprocess"], plans, found)
    for file in sorted((root / "resources").glob("*/captioner.jsonl")):
        _captions(file, known["caption"], plans, found)
    _ratings(root, found)
    started = sum(1 for _ in (root / "resources/training").glob("*/step-*.pt"))
    if started:
        why = "checkpoints do not say what they belong to; what was not finished begins anew"
        found.left["training", why] += started
    return found


def _plans(root: Path) -> dict[str, Plan]:
    """Plans of the experiments that have results, each by itself; those of a broken configuration
    are missing."""
    plans = {}
    for folder in sorted(path for path in (root / "results").glob("*") if path.is_dir()):
        try:
            plans[folder.name] = load_plan(root, {"experiments": [folder.name]})
        except KindredError:
            continue
    return plans


def _adapters(store: Path, codes: set[str], found: Migration) -> None:
    for folder in sorted(path for path in store.glob("*") if path.is_dir()):
        try:
            _, told = safetensors_files.header(folder / "lora.safetensors")
        except KindredError:
            found.left["adapter", "not readable"] += 1
            continue
        if "code_hash" not in told:
            found.there["adapter"] += 1
            continue
        facts = {key: told.get(key) for key in ("spec_hash", "dataset_hash", "base", "pairing")}
        facts["run"] = int(told["run"])
        if spec_hash(facts | {"code_hash": told["code_hash"]})[:40] != folder.name:
            version = {"version": FIRST["train"]}
            if spec_hash(facts | version)[:40] == folder.name:
                found.there["adapter"] += 1
            else:
                found.left["adapter", "its header does not give the key that it lies under"] += 1
        elif told["code_hash"] not in codes:
            found.note_unknown("train", told["code_hash"], folder)
        else:
            new = spec_hash(facts | {"version": FIRST["train"]})[:40]
            found.add(Move("adapter", folder, store / new))


def _content_hashes(root: Path, plans: Mapping[str, Plan]) -> dict[str, str]:
    """SHA-256 of adapter files -> hash of their content, of all that are here."""
    files = [*(root / "resources/store/adapters").glob("*/lora.safetensors")]
    files += (root / "results").rglob("lora.safetensors")
    for plan in plans.values():
        for experiment in plan.experiments.values():
            files += [root / file for v in experiment.variants.values() for file in v.files]
    found: dict[str, str] = {}
    for file in files:
        try:
            found[sha256_file(file)] = content_hash(file)
        except (KindredError, OSError):
            continue
    return found


def _pictures(store: Path, codes: set[str], adapters: Mapping[str, str], found: Migration) -> None:
    for path in sorted(store.glob("??/[!.]*.png")):
        try:
            with Image.open(path) as image:
                told = json.loads(image.info[CHUNK])
        except (OSError, KeyError, json.JSONDecodeError):
            found.left["picture", "not readable"] += 1
            continue
        if "code" not in told:
            found.there["picture"] += 1
            continue
        recipe = {k: v for k, v in told.items() if k not in ("key", "made_with")}
        used = recipe["adapters"]
        old = recipe | {"adapters": [{k: a[k] for k in ("sha256", "weight")} for a in used]}
        if spec_hash(old) != path.stem:
            found.left["picture", "its text does not give the key that it lies under"] += 1
        elif recipe["code"] not in codes:
            found.note_unknown("render", recipe["code"], path)
        elif any(one["sha256"] not in adapters for one in used):
            found.left["picture", "drawn with an adapter that is no longer here"] += 1
        else:
            found.add(_picture_move(store, path, told, adapters, found))


def _picture_move(
    store: Path, path: Path, told: Json, adapters: Mapping[str, str], found: Migration
) -> Move:
    """The picture with its pixels untouched, its text by the new names."""
    recipe = {k: v for k, v in told.items() if k not in ("key", "made_with", "code")}
    recipe["version"] = FIRST["render"]
    used = [
        {"content_hash": adapters[one["sha256"]], **{k: v for k, v in one.items() if k != "sha256"}}
        for one in told["adapters"]
    ]
    short = [{k: one[k] for k in ("content_hash", "weight")} for one in used]
    key = spec_hash(recipe | {"adapters": short})
    found.pictures[path.stem] = key
    made = {**told.get("made_with", {}), "code_hash": told["code"]}
    text = canonical_json({**recipe, "adapters": used, "made_with": made, "key": key})
    new = store / key[:2] / f"{key}.png"
    return Move("picture", path, new, partial(_with_text, path, text))


def _with_text(old: Path, text: str, new: Path) -> None:
    data = replace_text(old.read_bytes(), CHUNK, text)
    with atomic_write(new) as temporary:
        temporary.write_bytes(data)


def _scores(root: Path, found: Migration) -> None:
    """Tables of scores have other columns by now: they are scored again, which trains nothing."""
    if tables := sum(1 for _ in (root / "resources/store/scores").glob("*.csv")):
        found.left["score table", "of fewer columns; scored again"] += tables


def _with_keys(old: Path, pictures: Mapping[str, str], new: Path) -> None:
    """The same text, pictures named by their new keys."""
    text = old.read_text(encoding="utf-8")
    write_text(new, KEY.sub(lambda match: pictures.get(match[0], match[0]), text))


def _encodings(root: Path, codes: set[str], found: Migration) -> None:
    """Whatever an encoder made that some file of encodings still tells about."""
    store = root / "resources/store/encoded"
    places = {path for path in store.glob("*/*") if path.is_dir()}
    for kind, about in _encoders(root):
        version = FIRST["latent" if kind == "latent" else "text"]
        new = store / kind / spec_hash({"about": about, "version": version})[:32]
        places.discard(new)
        for code in codes:
            old = store / kind / spec_hash({"about": about, "code": code})[:32]
            if old in places:
                places.discard(old)
                for file in sorted(old.glob("[!.]*.safetensors")):
                    found.add(Move(f"encoding ({kind})", file, new / file.name))
    for place in places:
        lost = sum(1 for _ in place.glob("[!.]*.safetensors"))
        if lost:
            why = "no file below resources/ says which encoder made them; encoded again if needed"
            found.left[f"encoding ({place.parent.name})", why] += lost


def _encoders(root: Path) -> list[tuple[str, Json]]:
    """(kind, what is known of the encoder) of all files of encodings."""
    resources, found = root / "resources", {}
    files = [*(resources / "encoded").rglob("*.safetensors"), *resources.glob("*/*.safetensors")]
    for file in files:
        try:
            about = json.loads(safetensors_files.header(file)[1].get(CHUNK, "null"))
        except (KindredError, json.JSONDecodeError):
            continue
        if not isinstance(about, dict):
            continue
        if "tokens" in about:
            parts = {"t5": about, "clip": {k: about[k] for k in ("encoder", "dtype")}}
        else:
            parts = {"latent": about}
        found |= {(kind, canonical_json(part)): part for kind, part in parts.items()}
    return [(kind, about) for (kind, _), about in found.items()]


def _prepared(folder: Path, codes: set[str], plans: Mapping[str, Plan], found: Migration) -> None:
    """Prepared photos: by their own text they are kept, or are prepared again."""
    colours = {PreprocessSpec().background}
    for plan in plans.values():
        colours |= {dataset.preprocess.background for dataset in plan.datasets.values()}
    decoders = [Image.__version__, pillow_heif.__version__]
    for path in sorted(folder.glob("[!.]*.png")):
        try:
            with Image.open(path) as image:
                told, bucket = json.loads(image.info[CHUNK]), list(image.size)
        except (OSError, KeyError, json.JSONDecodeError):
            continue
        for colour in colours:
            shared = {"bucket": bucket, "background": colour, "decoders": decoders}
            new = spec_hash(shared | {"version": FIRST["preprocess"]})
            if told["settings"] == new:
                found.there["prepared photo"] += 1
                break
            if told["settings"] in {spec_hash(shared | {"code": code}) for code in codes}:
                text = canonical_json(told | {"settings": new})
                found.add(Move("prepared photo", path, path, partial(_with_text, path, text)))
                break
        else:
            why = "of other code, settings or decoders; prepared again, the same pixels or not"
            found.left["prepared photo", why] += 1


def _captions(file: Path, codes: set[str], plans: Mapping[str, Plan], found: Migration) -> None:
    """What a captioner wrote of a dataset's photos."""
    rows = read_jsonl(file)
    images = file.parent / "images.json"
    pixels = {row["pixel_hash"] for row in read_json(images)} if images.exists() else set()
    datasets = [dataset for plan in plans.values() for dataset in plan.datasets.values()]
    captioners = [d.caption.captioner for d in datasets if d.caption.captioner]
    known: dict[str, str] = {}
    for author in {row["author"] for row in rows}:
        for most in {captioner.max_tokens for captioner in captioners}:
            for one in pixels:
                facts = {"author": author, "pixels": one, "max_tokens": most}
                new = spec_hash(facts | {"version": FIRST["caption"]})
                known |= {spec_hash(facts | {"code": code}): new for code in codes} | {new: new}
    changed = [{**row, "key": known.get(row["key"], row["key"])} for row in rows]
    found.left["caption", "their photo or captioner is not known; written again"] += sum(
        row["key"] not in known for row in rows
    )
    found.left += Counter()  # without zeros
    if changed != rows:
        write = partial(write_jsonl, rows=changed)
        found.add(Move("file of captions", file, file, write))


def _ratings(root: Path, found: Migration) -> None:
    """What people said of pictures, which they name by their keys."""
    for file in sorted((root / "config/experiments").glob("*.ratings*.csv")):
        text = file.read_text(encoding="utf-8")
        if any(key in found.pictures for key in KEY.findall(text)):
            write = partial(_with_keys, file, found.pictures)
            found.add(Move("file of ratings", file, file, write))
