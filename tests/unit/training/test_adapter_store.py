"""The adapter store gets back what results still have."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from kindred.common import safetensors_files
from kindred.common.files import write_json
from kindred.common.versions import step_version
from kindred.training import adapter_store

FACTS = {
    "spec_hash": "s",
    "run": 1,
    "dataset_hash": "d",
    "base": "b",
    "version": step_version("train"),
    "pairing": "matched",
}


def finished(folder: Path, header: dict[str, object] = FACTS, **facts: object) -> Path:
    """A results folder with an adapter of one step."""
    about = {name: str(value) for name, value in header.items()}
    safetensors_files.save(folder / "lora.safetensors", {"lora": torch.ones(2)}, about)
    write_json(folder / "lora.json", FACTS | {"steps": 1} | facts)
    (folder / "training.csv").write_text("step,loss\n1,0.5\n")
    return folder


def test_a_finished_adapter_is_put_back_once(tmp_path):
    folder, store = finished(tmp_path / "run-1"), tmp_path / "store"
    key = adapter_store.training_key(FACTS)
    assert adapter_store.put_back(store, folder)
    assert adapter_store.has(store, key) and not adapter_store.put_back(store, folder)
    assert adapter_store.fetch(store, key, tmp_path / "out")
    for name in adapter_store.FILES:
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize(
    "folder",
    [
        lambda path: finished(path, FACTS | {"dataset_hash": "other"}),
        lambda path: finished(path, version="train 0, flux1 1"),
        lambda path: finished(path, steps=9),
        lambda path: path,
    ],
    ids=["another's header", "another version", "cut short", "nothing there"],
)
def test_what_is_not_surely_that_adapter_is_left(tmp_path, folder):
    assert not adapter_store.put_back(tmp_path / "store", folder(tmp_path / "run-1"))
    assert list(adapter_store.adapters(tmp_path / "store")) == []
