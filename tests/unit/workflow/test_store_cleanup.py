"""What is in the stores while other programs work there, and how old it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from drawn_faces import DrawnFaces, folder

from kindred.common.files import write_json
from kindred.common.hashing import sha256_file
from kindred.data.photo_faces import photo_of
from kindred.starting.who_is_who import who_is_who
from kindred.training import adapter_store
from kindred.workflow import store_cleanup
from kindred.workflow.store_cleanup import DAY_S, Used, delete, prunable, stored

USED = Used(frozenset(), frozenset(), manifests=1)
NOW = 2e9


@pytest.fixture
def stores(tmp_path):
    """A picture, what is left of another, and an adapter with what is left of two."""
    images, adapters = tmp_path / "images", tmp_path / "adapters"
    for file in (images / "ab/ab1.png", images / "ab/.tmp-2.png"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"12345")
    (adapters / "whole").mkdir(parents=True)
    for name in adapter_store.FILES:
        (adapters / "whole" / name).write_bytes(b"123")
    (adapters / ".tmp-k-empty").mkdir()
    (adapters / ".tmp-k-half").mkdir()
    (adapters / ".tmp-k-half/lora.json").write_bytes(b"1")
    for path in sorted(tmp_path.rglob("*"), reverse=True):  # what lies in a folder before itself
        os.utime(path, (NOW - 5 * DAY_S,) * 2)
    return images, adapters


def test_an_empty_leftover_is_as_old_as_itself_and_goes(stores):
    items = {item.path.name: item for item in stored(*stores, USED, now=NOW)}
    assert {name: item.age_s for name, item in items.items()} == dict.fromkeys(items, 5 * DAY_S)
    assert {name: item.size for name, item in items.items()} == {
        "ab1.png": 5,
        ".tmp-2.png": 5,
        "whole": 9,
        ".tmp-k-empty": 0,
        ".tmp-k-half": 1,
    }
    assert delete(prunable(items.values(), 4, USED)) == 20
    assert not [path for store in stores for path in store.rglob("*") if path.name != "ab"]


def test_a_young_file_keeps_its_old_folder(stores):
    (stores[1] / ".tmp-k-half/training.csv").write_bytes(b"")
    os.utime(stores[1] / ".tmp-k-half/training.csv", (NOW - DAY_S,) * 2)
    os.utime(stores[1] / ".tmp-k-half", (NOW - 5 * DAY_S,) * 2)
    items = stored(*stores, USED, now=NOW)
    assert ".tmp-k-half" not in {item.path.name for item in prunable(items, 4, USED)}


@pytest.mark.parametrize("lost", ["ab1.png", ".tmp-2.png", "lora.safetensors", ".tmp-k-half"])
def test_what_goes_meanwhile_is_not_there(stores, monkeypatch, lost):
    """It is listed, and gone when it is looked at."""
    real = Path.stat

    def stat(self, **how):
        if lost in self.parts:
            raise FileNotFoundError(2, "No such file or directory", str(self))
        return real(self, **how)

    before = {item.path.name: item.size for item in stored(*stores, USED, now=NOW)}
    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", stat)
        found = {item.path.name: item.size for item in stored(*stores, USED, now=NOW)}
    if lost == "lora.safetensors":
        assert found == before | {"whole": 6}
    else:
        assert found == {name: size for name, size in before.items() if name != lost}


def test_what_is_gone_before_it_is_deleted_frees_nothing(stores):
    items = prunable(stored(*stores, USED, now=NOW), 0, USED)
    (stores[0] / "ab/ab1.png").unlink()
    (stores[1] / ".tmp-k-empty").rmdir()
    assert delete(items) == 15 and store_cleanup.stored(*stores, USED) == []


def test_faces_of_photos_that_nobody_has_any_more_can_be_pruned(tmp_path):
    """A photo is still had where a dataset was prepared of it, or a people.yaml lies beside it."""
    photos, faces = folder(tmp_path / "photos/ours", 1), tmp_path / "faces"
    who_is_who(photos, DrawnFaces(), [], faces).save()
    for path in faces.iterdir():
        os.utime(path, (NOW - 5 * DAY_S,) * 2)

    def unused(photos):
        used = store_cleanup.referenced_by(tmp_path / "results", tmp_path / "resources", photos)
        items = stored(tmp_path / "i", tmp_path / "a", used, NOW, faces=faces)
        assert {item.kind for item in items} == {"faces"} and len(items) == 5
        return prunable(items, 4, replace(used, manifests=1))

    assert unused(tmp_path / "photos") == []
    assert len(unused(tmp_path / "elsewhere")) == 5
    gone = sha256_file(photos / "IMG_90.png")
    kept = sha256_file(photos / "IMG_91.png")
    (photos / "IMG_90.png").unlink()
    (one,) = unused(tmp_path / "photos")
    assert photo_of(one.path) == gone
    write_json(tmp_path / "resources/ours/images.json", [{"source_sha256": kept}])
    assert kept not in {photo_of(item.path) for item in unused(tmp_path / "elsewhere")}
    one.path.write_bytes(b"half")
    (half,) = unused(tmp_path / "photos")
    assert half.path == one.path, "what can't be read is of no use"
    assert delete([half]) == 4 and not half.path.exists()
