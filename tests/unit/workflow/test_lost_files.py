"""Lists of files that no rule declares, in the forms that steps write them."""

from __future__ import annotations

import json

import pytest

from kindred.training import adapter_store, kept_steps
from kindred.training.kept_steps import KeptSteps
from kindred.workflow import lost_files
from kindred.workflow.lost_files import lost, tokenizers_found

FORMS = {
    lost_files.pictures: lambda names: {"images": [{"path": name} for name in names]},
    lost_files.prepared_photos: lambda names: [{"image_id": name[:-4]} for name in names],
    lost_files.masks: lambda names: {f"{name}.jpg": {"file": name} for name in names},
    lost_files.composites: lambda names: {name: {"kind": "composed"} for name in names},
}
FOLDERS = {lost_files.prepared_photos: "images", lost_files.composites: "photos"}


@pytest.mark.parametrize("named", FORMS, ids=lambda named: named.__name__)
def test_what_a_list_names_is_looked_for(tmp_path, named):
    folder = tmp_path / FOLDERS.get(named, "store")
    folder.mkdir()
    files = [folder / f"{name}.png" for name in "abc"]
    for file in files:
        file.touch()
    listing = tmp_path / "list.json"
    plain = [file.name if named in FOLDERS else str(file) for file in files]
    listing.write_text(json.dumps(FORMS[named](plain)))
    assert lost(listing, named) == []
    files[1].unlink()
    assert lost(listing, named) == [str(files[1])]
    folder.rename(tmp_path / "elsewhere")
    assert lost(listing, named) == [str(file) for file in files]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"images": 3}', "\xff"])
def test_a_list_that_can_t_be_read_is_lost_itself(tmp_path, text):
    listing = tmp_path / "list.json"
    listing.write_text(text, encoding="latin-1")
    assert lost(listing, lost_files.pictures) == [str(listing)]
    assert lost(tmp_path / "none.json", lost_files.pictures) == []


def test_a_kept_step_is_looked_for_in_its_folder_and_then_in_the_store(tmp_path):
    facts, store = dict.fromkeys(adapter_store.FACTS, "f"), tmp_path / "store"
    listing = tmp_path / "run-1/lora.json"
    named = lost_files.kept_steps((2, 4), store)
    assert lost(listing, named) == []
    listing.parent.mkdir()
    listing.write_text(json.dumps(facts))
    file = kept_steps.stored_file(store, facts, 2)
    assert lost(listing, named) == [str(file), str(kept_steps.stored_file(store, facts, 4))]
    KeptSteps(store, facts, []).put(4, lambda to: to.write_bytes(b"4"))
    assert lost(listing, named) == [str(file)]
    own = listing.parent / "steps/2/lora.safetensors"
    own.parent.mkdir(parents=True)
    own.touch()
    assert lost(listing, named) == []


def test_an_audit_is_made_again_when_a_tokenizer_that_it_did_without_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    commit = "a" * 40
    names = [str(tmp_path / "base/tokenizer"), "owner/base/tokenizer", f"owner/base/two@{commit}"]
    audit = tmp_path / "ours.json"
    audit.write_text(json.dumps({"tokenizers_missing": names}))
    assert tokenizers_found(audit) == []
    (tmp_path / "base/tokenizer").mkdir(parents=True)
    assert tokenizers_found(audit) == names[:1]
    snapshots = tmp_path / "hub/models--owner--base/snapshots"
    for folder in (snapshots / ("b" * 40) / "two", snapshots / commit / "tokenizer"):
        folder.mkdir(parents=True)
        (folder / "vocab.json").touch()
    assert tokenizers_found(audit) == names[:2], "another commit's is not that one's"
    audit.write_text("{}")
    assert tokenizers_found(audit) == tokenizers_found(tmp_path / "none.json") == []
