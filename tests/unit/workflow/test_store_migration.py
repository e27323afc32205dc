"""What stores of before step versions hold is found under the keys of today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

import migrate_stores
from kindred.common import safetensors_files, versions
from kindred.common.errors import KindredError
from kindred.common.files import read_jsonl, write_json, write_jsonl
from kindred.common.hashing import canonical_json, pixel_hash, sha256_file, spec_hash
from kindred.common.png_text import replace_text
from kindred.data import caption_cache, encoding_cache, preprocessing
from kindred.data.caption_cache import Asked
from kindred.data.photo_folder import scan
from kindred.models.lora.adapters import read_adapters
from kindred.rendering import image_plan
from kindred.rendering.image_store import ImageStore, settings_of
from kindred.rendering.manifest import write_manifest
from kindred.specs.base_model import Base
from kindred.specs.dataset import Captioner, PreprocessSpec
from kindred.specs.rendering import PromptSet, RenderSpec
from kindred.training.adapter_store import training_key
from kindred.workflow.store_migration import LAST_CODE, migration

EXPERIMENT = """
title: test
characters:
  J: {name: JRussell, class: man}
datasets:
  ours: {source: photos, captioner: {model: org/blip, max_tokens: 9}}
base: small
recipe: plain
judge: eyes
prompt_sets:
  solo: {prompts: {j: "headshot of {J}"}, seeds: 2, size: [64, 64]}
variants:
  all: {}
"""
FACTS = {"spec_hash": "a" * 64, "dataset_hash": "b" * 64, "base": "org/base@1", "run": 1}
FACTS |= {"pairing": "matched"}


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """A folder with a configuration; every step at the version that migrated things get."""
    for name in versions.VERSIONS:
        monkeypatch.setitem(versions.VERSIONS, name, 1)
    monkeypatch.chdir(tmp_path)
    for folder in ("bases", "recipes", "experiments", "judges"):
        (tmp_path / "config" / folder).mkdir(parents=True)
    for file, text in (
        ("config.yaml", "experiments: [one]\n"),
        ("bases/small.yaml", "model: org/base\nrevision: '1'\narchitecture: flux1\n"),
        ("recipes/plain.yaml", "rank: 16\n"),
        ("judges/eyes.yaml", "kind: lab\nmodel: org/judge\nrevision: '1'\n"),
        ("experiments/one.yaml", EXPERIMENT),
    ):
        (tmp_path / "config" / file).write_text(text)
    (tmp_path / "photos").mkdir()
    Image.effect_noise((90, 70), 60).convert("RGB").save(tmp_path / "photos/J-1.png")
    (tmp_path / "photos/J-1.txt").write_text("JRussell, a man")
    return tmp_path


def old_adapter(root: Path, code: str = LAST_CODE["train"]) -> Path:
    """An adapter as the code of then stored it; its file."""
    folder = root / "resources/store/adapters" / spec_hash(FACTS | {"code_hash": code})[:40]
    header = {k: str(v) for k, v in FACTS.items()} | {"code_hash": code, "software": "Kindred"}
    tensors = {"transformer.a.lora_A.weight": torch.ones(2, 4)}
    safetensors_files.save(folder / "lora.safetensors", tensors, header)
    for name in ("lora.json", "training.csv"):
        (folder / name).write_text("told")
    return folder / "lora.safetensors"


def requests(adapters: list[Path]) -> list[image_plan.ImageRequest]:
    """Two pictures as they are planned today."""
    prompt_set = PromptSet(prompts={"j": "headshot"}, seeds=[1, 2], width=64, height=64)
    spec = RenderSpec(
        base=Base(model="org/base", architecture="flux1"), prompt_set=prompt_set, name="solo"
    )
    return image_plan.plan(spec, read_adapters(adapters), "org/base@1")


def old_pictures(root: Path, adapters: list[Path], code: str = LAST_CODE["render"]) -> list[str]:
    """The same two as the code of then stored them; their keys."""
    keys, store = [], ImageStore(root / "resources/store/images")
    for n, one in enumerate(requests(adapters)):
        recipe = {k: v for k, v in one.settings.items() if k != "version"} | {"code": code}
        used = [{"sha256": sha256_file(file), "weight": 1.0} for file in adapters]
        key = spec_hash(recipe | {"adapters": used})
        told = [entry | {"provenance": {"run": "1"}} for entry in used]
        made = {"adapters": told, "made_with": {"device": "cpu"}}
        store.put_image(key, Image.new("RGB", (64, 64), (n, 9, 9)), recipe | made)
        keys.append(key)
    return keys


def run(*arguments: str) -> None:
    assert migrate_stores.main(list(arguments)) == 0


def test_adapters_and_pictures_are_found_under_the_keys_of_today(root, capsys):
    file = old_adapter(root)
    old, content = old_pictures(root, [file]), file.read_bytes()
    before = sorted(path for path in root.rglob("*") if path.is_file())
    run()
    assert sorted(path for path in root.rglob("*") if path.is_file()) == before
    said = capsys.readouterr().out
    assert "adapter: 1 to be renamed" in said and "picture: 2 to be renamed" in said
    assert "3 would be renamed; add --apply" in said

    run("--apply")
    key = training_key(FACTS | {"version": "train 1, flux1 1"})
    moved = root / "resources/store/adapters" / key / "lora.safetensors"
    assert moved.read_bytes() == content and not file.exists()
    store = ImageStore(root / "resources/store/images")
    for n, (one, gone) in enumerate(zip(requests([moved]), old, strict=True)):
        assert store.has(one.key) and not store.has(gone)
        told = settings_of(store.path(one.key))
        assert told["key"] == one.key and told["version"] == one.settings["version"]
        assert "code" not in told and told["made_with"]["code_hash"] == LAST_CODE["render"]
        (used,) = told["adapters"]
        assert {k: used[k] for k in ("content_hash", "weight")} == one.settings["adapters"][0]
        with Image.open(store.path(one.key)) as image:
            assert image.getpixel((0, 0)) == (n, 9, 9)
    run()
    assert "to be renamed, 2 already under the new key" in capsys.readouterr().out.split("\n")[-2]


def test_other_code_is_listed_and_can_be_named(root, capsys):
    file = old_adapter(root, "c" * 64)
    old_pictures(root, [file], "d" * 64)
    run("--apply")
    said = capsys.readouterr().out
    assert f"train: 1 of other code {'c' * 64}, made 20" in said
    assert f"add --code render={'d' * 64}" in said and "0 renamed" in said
    assert file.exists()
    run("--apply", "--code", f"train={'c' * 64}", "--code", f"render={'d' * 64}")
    assert "3 renamed" in capsys.readouterr().out
    with pytest.raises(KindredError, match="Did you mean 'train'"):
        migrate_stores.main(["--code", "trian=1"])


def test_nothing_is_renamed_on_a_guess(root, capsys):
    file = old_adapter(root)
    old_pictures(root, [file])
    elsewhere = file.parent.with_name("0" * 40)
    file.parent.rename(elsewhere)
    (elsewhere / "lora.safetensors").write_bytes(b"broken")
    (root / "resources/training/key").mkdir(parents=True)
    (root / "resources/training/key/step-00000002.pt").write_text("state")
    run("--apply")
    said = capsys.readouterr().out
    assert "adapter: 1 stay: not readable" in said
    assert "picture: 2 stay: drawn with an adapter that is no longer here" in said
    assert "training: 1 stay: checkpoints do not say" in said and "0 renamed" in said


def test_ratings_follow_their_pictures_and_scores_are_made_again(root):
    old_pictures(root, [])
    new = requests([])
    store = ImageStore(root / "resources/store/images")
    results = root / "results/one"
    listed = results / "BASE/run-1/images/solo.json"
    olds = sorted(store, key=lambda key: settings_of(store.path(key))["seed"])
    rows = [
        image_plan.ImageRequest(one.name, one.seed, one.settings, key)
        for one, key in zip(new, olds, strict=True)
    ]
    write_manifest(listed, "solo", rows, [], ImageStore("resources/store/images"))
    table = root / "resources/store/scores" / "0123.csv"
    table.parent.mkdir(parents=True)
    table.write_text("key,identity\n")
    ratings = root / "config/experiments/one.ratings.csv"
    ratings.write_text(f"rater,key,rating\nme,{olds[1]},3\n")

    run("--apply")
    write_manifest(listed, "solo", new, [], ImageStore("resources/store/images"))
    assert migration(root).left["score table", "of fewer columns; scored again"] == 1
    assert ratings.read_text() == f"rater,key,rating\nme,{new[1].key},3\n"
    assert migration(root).moves == []


def test_encodings_are_found_by_what_files_of_them_tell(root):
    store = root / "resources/store/encoded"
    about = {"encoder": "org/base@1", "dtype": "float32", "quantization": "none", "tokens": 56}
    short = {key: about[key] for key in ("encoder", "dtype")}
    told = {"kindred": canonical_json(about)}
    value = {"value": torch.ones(1)}
    file = root / "resources/encoded/small/ours/text-56.safetensors"
    safetensors_files.save(file, {"x": torch.ones(1)}, told)
    for kind, part in (("t5", about), ("clip", short), ("latent", {"encoder": "unknown"})):
        old = spec_hash({"about": part, "code": LAST_CODE["encode"]})[:32]
        safetensors_files.save(store / kind / old / "one.safetensors", value)
    found = migration(root)
    assert found.left["encoding (latent)", next(why for _, why in found.left)] == 1
    run("--apply")
    for kind, part in (("t5", about), ("clip", short)):
        version = "encode_text 1, flux1 1"
        assert (encoding_cache._folder(store, kind, part, version) / "one.safetensors").exists()


def test_prepared_photos_and_captions_are_kept(root):
    spec = PreprocessSpec(buckets=[[64, 64]], min_side=16)
    folder = root / "resources/ours/images"
    made = preprocessing.prepare(scan(root / "photos").photos, folder, spec, 1)
    assert (made.made, made.kept) == (1, 0)
    write_json(root / "resources/ours/images.json", made.rows)
    (path,) = folder.glob("*.png")
    with Image.open(path) as image:
        told, pixels = json.loads(image.info["kindred"]), pixel_hash(image)
    old = {
        "bucket": [64, 64],
        "background": spec.background,
        "code": LAST_CODE["preprocess"],
        "decoders": [Image.__version__, preprocessing.pillow_heif.__version__],
    }
    text = canonical_json(told | {"settings": spec_hash(old)})
    path.write_bytes(replace_text(path.read_bytes(), "kindred", text))
    facts = {"author": "org/blip@newest", "pixels": pixels, "max_tokens": 9}
    caption = {"key": spec_hash(facts | {"code": LAST_CODE["caption"]})}
    rows = [caption | {"author": facts["author"], "text": "a man"}]
    kept = root / "resources/ours/captioner.jsonl"
    write_jsonl(kept, rows)
    (root / "results/one").mkdir(parents=True)

    run("--apply")
    again = preprocessing.prepare(scan(root / "photos").photos, folder, spec, 1)
    assert (again.made, again.kept) == (0, 1)
    captioner = Captioner(model="org/blip", max_tokens=9)
    assert [row["key"] for row in read_jsonl(kept)] == [
        caption_cache._key(facts["author"], Asked(pixels, path), captioner)
    ]


def test_a_text_inside_a_png_is_replaced_and_nothing_else(tmp_path):
    store = ImageStore(tmp_path)
    path = store.put_image("ab" * 32, Image.effect_noise((40, 30), 50), {"prompt": "größer"})
    data = path.read_bytes()
    changed = replace_text(data, "kindred", '{"x": "ü"}')
    path.write_bytes(changed)
    assert settings_of(path) == {"x": "ü"}
    with Image.open(path) as image:
        image.load()
        assert image.text["Description"] == "größer"
    (tmp_path / "before.png").write_bytes(data)
    with Image.open(path) as one, Image.open(tmp_path / "before.png") as other:
        assert one.tobytes() == other.tobytes()
    for broken, why in ((b"no PNG", "not a PNG"), (data, "no text 'other'")):
        with pytest.raises(ValueError, match=why):
            replace_text(broken, "other", "")
