"""Lists of files that no rule declares, in the forms that steps write them."""

from __future__ import annotations

import json

import pytest

from kindred.workflow import lost_files
from kindred.workflow.lost_files import lost

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
