"""Every write goes one way, and its failure is one line that names the path and the cure."""

import errno
import os
from pathlib import Path

import pytest

from kindred.common import files
from kindred.common.errors import KindredError
from kindred.common.files import (
    atomic_write,
    make_folder,
    read_json,
    read_jsonl,
    write_jsonl,
    write_text,
)


@pytest.mark.parametrize(
    ("name", "cure"),
    [("a" * 300, "Choose a shorter name"), ("file/below", "has the name of a folder")],
)
@pytest.mark.parametrize("write", [lambda path: write_text(path, "x"), make_folder])
def test_a_name_that_can_t_be_written_says_what_to_do(tmp_path, name, cure, write):
    (tmp_path / "file").write_text("x")
    path = tmp_path / name if write is make_folder else tmp_path / name / "x.txt"
    with pytest.raises(KindredError, match=cure) as raised:
        write(path)
    assert str(path) in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(KindredError, match="get write access"):
        write_text(tmp_path / "a", "x")
    tmp_path.chmod(0o700)


def test_another_fault_than_the_disk_s_is_told_as_it_is(tmp_path):
    with pytest.raises(RuntimeError, match="something else"), atomic_write(tmp_path / "a"):
        raise RuntimeError("something else")
    assert list(tmp_path.iterdir()) == []


def test_lines_end_at_line_feeds_alone(tmp_path):
    rows = [{"name": "a\u2028b\u0085c.jpg"}, {"name": "\x1c"}]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    assert read_jsonl(tmp_path / "rows.jsonl") == rows


def test_a_file_that_another_machine_replaces_is_read_again(tmp_path, monkeypatch):
    path, told, real = tmp_path / "a.json", [], Path.read_text
    path.write_text("[1]\n", encoding="utf-8")

    def stale(self, *more, **options):
        if len(told) % 3 < 2:
            told.append(self)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        told.append(self)
        return real(self, *more, **options)

    monkeypatch.setattr(Path, "read_text", stale)
    assert read_json(path) == [1] and read_jsonl(path) == [[1]]
    assert len(told) == 6
    monkeypatch.setattr(files, "MOST_STALE", 1)
    with pytest.raises(OSError, match=r"[Ss]tale"):
        read_json(path)
