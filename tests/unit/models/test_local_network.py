"""A base's transformer by its config.json, in a folder or where the hub keeps what it fetched."""

import shutil
from pathlib import Path

import huggingface_hub

from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.local_network import local_network

COMMIT = "a" * 40


def test_it_is_read_in_a_folder(base, tmp_path):
    found = local_network(str(base), None, FLUX1, tmp_path)
    assert found.takes_guidance and "transformer_blocks.0.attn.to_q" in found.layout.names
    assert local_network("./gone", None, FLUX1, tmp_path) is None
    (tmp_path / "odd/transformer").mkdir(parents=True)
    for text in ("[]", "{}", "no JSON"):
        (tmp_path / "odd/transformer/config.json").write_text(text)
        assert local_network("odd", None, FLUX1, tmp_path) is None


def test_it_is_read_where_the_hub_keeps_it(base, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    kept = tmp_path / "hub/models--org--name"
    target = kept / "snapshots" / COMMIT / "transformer"
    target.mkdir(parents=True)
    shutil.copy(base / "transformer/config.json", target)
    assert local_network("org/name", COMMIT, FLUX1, tmp_path) is not None
    assert local_network("org/name", None, FLUX1, tmp_path) is None, "no branch is known"
    (kept / "refs").mkdir()
    (kept / "refs/main").write_text(COMMIT)
    found = huggingface_hub.try_to_load_from_cache(
        "org/name", "transformer/config.json", cache_dir=tmp_path / "hub"
    )
    assert Path(found).parent == target
    assert local_network("org/name", None, FLUX1, tmp_path) is not None
    assert local_network("org/other", None, FLUX1, tmp_path) is None
