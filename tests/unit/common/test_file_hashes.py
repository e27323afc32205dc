"""A file is hashed again after every change, and only then."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from kindred.common import file_hashes
from kindred.common.hashing import sha256_file


class Counted:
    """sha256_file that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, path: Path) -> str:
        self.calls += 1
        return sha256_file(path)


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    """A file worth remembering in a folder that Snakemake works in, changed long ago."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(file_hashes, "SETTLED_S", -1.0)
    (tmp_path / ".snakemake").mkdir()
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(file_hashes.SMALL_BYTES))
    return path


def test_an_unchanged_file_is_read_once(file):
    hashed = Counted()
    assert file_hashes.remembered(file, hashed) == sha256_file(file)
    assert file_hashes.remembered(file, hashed) == sha256_file(file)
    assert hashed.calls == 1


def test_an_edit_of_the_same_size_with_its_date_set_back_is_seen(file):
    hashed = Counted()
    before, stat = file_hashes.remembered(file, hashed), os.stat(file)
    time.sleep(0.02)
    with open(file, "r+b") as content:
        content.write(b"x")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = file_hashes.remembered(file, hashed)
    assert after == sha256_file(file) != before


def test_a_file_just_changed_is_hashed_again(file, monkeypatch):
    monkeypatch.setattr(file_hashes, "SETTLED_S", 60.0)
    hashed = Counted()
    for _ in range(2):
        file_hashes.remembered(file, hashed)
    assert hashed.calls == 2


def test_a_list_that_can_t_be_read_or_written_costs_time_alone(file):
    hashed = Counted()
    file_hashes.KEPT.parent.mkdir(parents=True)
    file_hashes.KEPT.write_text("[nonsense", encoding="utf-8")
    assert file_hashes.remembered(file, hashed) == sha256_file(file)
    file_hashes.KEPT.unlink()
    file_hashes.KEPT.mkdir()
    assert file_hashes.remembered(file, hashed) == sha256_file(file)
    assert hashed.calls == 2


def test_outside_a_folder_of_snakemake_nothing_is_written(file, tmp_path):
    (tmp_path / ".snakemake").rmdir()
    file_hashes.remembered(file, sha256_file)
    assert not file_hashes.KEPT.exists()
