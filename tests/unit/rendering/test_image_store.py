"""The picture store, manifests, and clearing what nothing mentions."""

import json
import os

import pytest
import torch
from PIL import Image

import prune_stores as store_program
from kindred.common import safetensors_files
from kindred.common.errors import KindredError, ProblemsError
from kindred.models.lora.adapters import Adapter, content_hash
from kindred.rendering.image_plan import ImageRequest
from kindred.rendering.image_store import ImageStore, settings_of
from kindred.rendering.manifest import open_pictures, read_manifest, write_manifest
from kindred.workflow.store_cleanup import delete, prunable, referenced_by, stored

KEY = "ab" + "0" * 62


def picture(name="head", seed=1, key=KEY):
    settings = {"prompt": "JRussell — “at the beach”", "width": 16, "height": 16, "seed": seed}
    return ImageRequest(name, seed, {**settings, "steps": 4, "adapters": []}, key)


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path / "resources/store/images")


def put(store, key=KEY, colour=(10, 20, 30), **settings):
    return store.put_image(key, Image.new("RGB", (16, 16), colour), {"prompt": "p", **settings})


def write_lora(path, name, header=None):
    """A LoRA file whose one tensor is `name`'s length."""
    tensors = {"transformer.a.lora_A.weight": torch.full((1,), float(len(name)))}
    safetensors_files.save(path, tensors, header)


def test_a_stored_picture_carries_its_recipe_and_is_deterministic(store, tmp_path):
    own = picture().settings
    first = store.put_image(KEY, Image.new("RGB", (16, 16), (1, 2, 3)), own)
    assert store.has(KEY) and list(store) == [KEY]
    assert settings_of(first) == {**own, "key": KEY}
    with Image.open(first) as image:
        assert image.text["Description"] == own["prompt"]
    other = ImageStore(tmp_path / "other")
    again = other.put_image(KEY, Image.new("RGB", (16, 16), (1, 2, 3)), own)
    assert again.read_bytes() == first.read_bytes()


def test_an_empty_or_half_written_file_is_not_a_picture(store):
    path = store.path(KEY)
    path.parent.mkdir(parents=True)
    (path.parent / ".tmp-xyz.png").write_bytes(b"half")
    assert not store.has(KEY) and list(store) == []
    path.touch()
    assert not store.has(KEY)


def test_a_failing_write_leaves_nothing(store, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(KindredError, match="No space left"):
        put(store)
    assert not list(store.root.rglob("*.png"))


def test_recipe_of_another_picture_is_a_clear_error(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "foreign.png")
    with pytest.raises(KindredError, match=r"foreign\.png: is not a picture drawn by Kindred"):
        settings_of(tmp_path / "foreign.png")


def test_manifest_round_trip_and_equal_bytes(store, tmp_path):
    put(store)
    adapter = Adapter(tmp_path / "lora.safetensors", "f" * 64, 0.5, {"run": "1"})
    for name in ("a.json", "b.json"):
        write_manifest(tmp_path / name, "heads", [picture()], [adapter], store)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    manifest = read_manifest(tmp_path / "a.json")
    (row,) = manifest.rows
    assert (row.name, row.seed, row.key, row.path) == ("head", 1, KEY, store.path(KEY))
    assert manifest.settings == {"steps": 4}
    assert manifest.adapters == [
        {"content_hash": "f" * 64, "weight": 0.5, "provenance": {"run": "1"}},
    ]
    assert str(tmp_path / "lora") not in (tmp_path / "a.json").read_text()


def test_missing_pictures_are_named_together_with_the_cure(store, tmp_path):
    other = "cd" + "0" * 62
    put(store)
    write_manifest(tmp_path / "a.json", "heads", [picture(), picture(key=other)], [], store)
    write_manifest(tmp_path / "b.json", "heads", [picture(key=other)], [], store)
    with pytest.raises(ProblemsError) as caught:
        open_pictures([read_manifest(tmp_path / "a.json"), read_manifest(tmp_path / "b.json")])
    text = str(caught.value)
    assert "a.json: 1 of 2 missing" in text and "b.json: 1 of 1 missing" in text
    assert "Draw them again: run `snakemake`" in text and len(caught.value.problems) == 2


def test_damaged_pictures_are_to_be_deleted_because_snakemake_can_t_see_them(store, tmp_path):
    put(store)
    write_manifest(tmp_path / "a.json", "heads", [picture()], [], store)
    path = read_manifest(tmp_path / "a.json").rows[0].path
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ProblemsError, match=r"1 of 1 damaged .*Delete them, then run `snakemake`"):
        open_pictures([read_manifest(tmp_path / "a.json")])


@pytest.mark.parametrize("text", ['{"images": [{"name": 1}]}', "[]", "{}"])
def test_a_file_that_is_no_manifest(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(KindredError, match=r"x\.json: is not a list of pictures"):
        read_manifest(tmp_path / "x.json")


@pytest.fixture
def house(store, tmp_path):
    """Two pictures and two adapters, one each in use, and a leftover, all two days old."""
    used, unused = KEY, "cd" + "0" * 62
    put(store)
    put(store, unused)
    (store.root / "ab/.tmp-1.png").write_bytes(b"half")
    adapters = tmp_path / "resources/store/adapters"
    for name in ("used", "unused"):
        (adapters / name).mkdir(parents=True)
        write_lora(adapters / name / "lora.safetensors", name)
    adapter = Adapter(adapters / "used", content_hash(adapters / "used/lora.safetensors"), 1.0)
    run = tmp_path / "results/family/all/run-1"
    write_manifest(run / "images/heads.json", "heads", [picture(key=used)], [adapter], store)
    for file in (tmp_path / "resources").rglob("*"):
        os.utime(file, (1e9, 1e9))
    return tmp_path, store.root, adapters


def test_prune_takes_only_what_is_unmentioned_and_old(house):
    root, images, adapters = house
    used = referenced_by(root / "results")
    items = stored(images, adapters, used, now=1e9 + 2 * 86400)
    assert prunable(items, 3, used) == []
    chosen = prunable(items, 1, used)
    assert [(item.kind, item.path.name) for item in chosen] == [
        ("picture", "cd" + "0" * 62 + ".png"),
        ("leftover", ".tmp-1.png"),
        ("adapter", "unused"),
    ]
    assert delete(chosen) == sum(item.size for item in chosen)
    left = sorted(p.name for p in (root / "resources").rglob("*") if p.is_file())
    assert left == [KEY + ".png", "lora.safetensors"] and (adapters / "used").exists()


def test_an_adapter_that_is_trained_but_not_rendered_is_kept(house):
    root, images, adapters = house
    run = root / "results/family/other/run-1"
    run.mkdir(parents=True)
    write_lora(run / "lora.safetensors", "unused", {"software": "Kindred", "note": "by hand"})
    used = referenced_by(root / "results")
    chosen = prunable(stored(images, adapters, used), 0, used)
    assert "adapter" not in {item.kind for item in chosen}


def test_pictures_that_class_images_are_made_of_are_kept(house):
    root, images, adapters = house
    (listed,) = (root / "results").rglob("images/*.json")
    text = listed.read_text(encoding="utf-8").replace(KEY, "cd" + "0" * 62)
    (root / "resources/prior-small").mkdir()
    (root / "resources/prior-small/class.json").write_text(text, encoding="utf-8")
    used = referenced_by(root / "results", root / "resources")
    chosen = prunable(stored(images, adapters, used), 0, used)
    assert "picture" not in {item.kind for item in chosen}
    assert used.manifests == referenced_by(root / "results").manifests


def test_prune_refuses_without_manifests_or_with_a_broken_one(house):
    root, images, adapters = house
    nothing = referenced_by(root / "elsewhere")
    with pytest.raises(KindredError, match="nothing is deleted"):
        prunable(stored(images, adapters, nothing), 0, nothing)
    (root / "results/family/all/run-1/images/broken.json").write_text("{")
    with pytest.raises(KindredError, match=r"broken\.json"):
        referenced_by(root / "results")


def test_the_program_only_says_unless_told_to_delete(house, capsys):
    root, images, adapters = house
    places = ["--results", str(root / "results"), "--images", str(images)]
    places += ["--adapters", str(adapters)]
    assert store_program.main(["list", *places]) == 0
    assert store_program.main(["prune", *places]) == 0
    assert "3 could be deleted" in capsys.readouterr().out
    assert len(list(images.rglob("*.png"))) == 3
    assert store_program.main(["prune", "--delete", *places]) == 0
    assert len(list(images.rglob("*.png"))) == 1


def test_a_manifest_says_which_code_drew_its_pictures(store, tmp_path):
    other, silent = "cd" + "0" * 62, "ef" + "0" * 62
    put(store, made_with={"code_revision": "bbb"})
    put(store, other, made_with={"code_revision": "aaa"})
    write_manifest(tmp_path / "a.json", "heads", [picture(), picture(key=other)], [], store)
    assert read_manifest(tmp_path / "a.json").code_revisions == ["aaa", "bbb"]
    put(store, silent)
    write_manifest(tmp_path / "a.json", "heads", [picture(), picture(key=silent)], [], store)
    assert read_manifest(tmp_path / "a.json").code_revisions == ["bbb", "unrecorded"]


def test_nothing_is_cleared_while_lists_hold_keys_of_before_step_versions(house):
    root, _, _ = house
    (listed,) = (root / "results").rglob("images/*.json")
    listed.write_text(listed.read_text().replace("content_hash", "sha256"), encoding="utf-8")
    with pytest.raises(KindredError, match="migrate_stores"):
        referenced_by(root / "results")


def test_manifest_is_plain_json(store, tmp_path):
    put(store)
    write_manifest(tmp_path / "a.json", "heads", [picture()], [], store)
    value = json.loads((tmp_path / "a.json").read_text())
    assert set(value) == {"prompt_set", "settings", "adapters", "images", "code_revisions"}
