"""A log that only grows: entries under a lock, lines cut off, lines edited, folders closed."""

from __future__ import annotations

import errno
import lzma
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kindred.common import chained_log
from kindred.common.chained_log import append, logs, packed_path, read_log
from kindred.common.errors import KindredError

SCRIPTS = Path(__file__).parents[3] / "scripts"


@pytest.fixture
def log(tmp_path) -> Path:
    """A log of three entries, in a folder that was not there before."""
    path = tmp_path / "declared" / "log.jsonl"
    for number in range(3):
        append(path, lambda _, number=number: [{"number": number, "text": "Müller"}])
    return path


def numbers(path: Path) -> list[int]:
    return [entry["number"] for entry in read_log(path)]


def test_entries_are_read_as_they_were_written_and_no_lock_is_left(log):
    assert numbers(log) == [0, 1, 2]
    assert [path.name for path in log.parent.iterdir()] == ["log.jsonl"]
    entries = read_log(log)
    assert entries[0]["previous"] == ""
    assert [one["previous"] for one in entries[1:]] == [one["sha256"] for one in entries[:-1]]
    assert read_log(log.with_name("nothing.jsonl")) == []


def test_nothing_to_say_writes_nothing_and_needs_no_right_to(log, monkeypatch):
    before = log.stat()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert len(append(log, lambda entries: [])) == 3
    assert log.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("line", [0, 1, 2])
def test_an_entry_that_was_edited_is_named_by_its_line(log, line):
    lines = log.read_text().splitlines(keepends=True)
    lines[line] = lines[line].replace(f'"number":{line}', '"number":7')
    log.write_text("".join(lines))
    with pytest.raises(KindredError) as error:
        read_log(log)
    assert (error.value.where, error.value.what) == (
        f"{log}:{line + 1}",
        "this entry was changed after it was written",
    )
    assert "git checkout" in error.value.cure


def test_an_entry_that_was_taken_out_is_seen_at_the_next(log):
    lines = log.read_text().splitlines(keepends=True)
    log.write_text(lines[0] + lines[2])
    with pytest.raises(KindredError, match="changed, removed or inserted later") as one:
        append(log, lambda _: [{"number": 3}])
    assert one.value.where == f"{log}:2"


def test_a_line_within_that_is_no_entry_is_an_edit(log):
    lines = log.read_text().splitlines(keepends=True)
    for text in ("scribble\n", '["a list"]\n'):
        log.write_text(lines[0] + text + lines[1])
        with pytest.raises(KindredError, match="not an entry of this log: the file was edited"):
            read_log(log)
    log.write_text("".join(lines) + "scribble\n")  # a line that was cut off has no end
    with pytest.raises(KindredError, match="the file was edited"):
        read_log(log)


def test_a_line_that_was_cut_off_anywhere_is_no_entry_and_is_replaced(log, capsys):
    whole = log.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    for kept in range(1, len(last) - 1):
        log.write_bytes(whole[: len(whole) - len(last) + kept])
        assert numbers(log) == [0, 1], kept
    said = capsys.readouterr().err
    assert f"{log}:3: the last line is incomplete" in said and "Nothing to do" in said
    append(log, lambda _: [{"number": 5}])
    assert numbers(log) == [0, 1, 5]
    assert capsys.readouterr().err.count("incomplete") == 1


def test_a_whole_last_line_without_its_end_is_an_entry(log, capsys):
    log.write_bytes(log.read_bytes()[:-1])
    assert numbers(log) == [0, 1, 2]
    append(log, lambda _: [{"number": 3}])
    assert numbers(log) == [0, 1, 2, 3]
    assert capsys.readouterr().err == ""


def test_a_full_disk_leaves_the_log_as_it_was(log, monkeypatch):
    before = log.read_bytes()
    write = os.write

    def full(file: int, data: bytes) -> int:
        if len(data) < 40:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data[:30])

    monkeypatch.setattr(chained_log.os, "write", full)
    with pytest.raises(KindredError, match="No space left on device") as error:
        append(log, lambda _: [{"number": 3}])
    assert error.value.where == str(log) and "free some disk space" in error.value.cure
    assert log.read_bytes() == before


def test_a_checkout_that_cant_be_written_is_said(log, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(KindredError, match="can't be written, but Kindred must log") as error:
        append(log, lambda _: [{"number": 3}])
    assert error.value.where == str(log) and "another checkout" in error.value.cure


def test_processes_append_at_once_and_lose_nothing(tmp_path):
    path = tmp_path / "log.jsonl"
    code = (
        "import sys; from pathlib import Path; from kindred.common.chained_log import append\n"
        "for n in range(15):\n"
        "    append(Path(sys.argv[1]), lambda e: [{'number': int(sys.argv[2]) + n}])"
    )
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(path), start], env=environment)
        for start in ("100", "200", "300")
    ]
    assert [process.wait(timeout=60) for process in started] == [0, 0, 0]
    found = numbers(path)
    assert sorted(found) == [*range(100, 115), *range(200, 215), *range(300, 315)]
    for start in (100, 200, 300):
        assert [n for n in found if start <= n < start + 100] == [*range(start, start + 15)]


def pack(log: Path) -> Path:
    packed = packed_path(log)
    packed.write_bytes(lzma.compress(log.read_bytes()))
    log.unlink()
    return packed


def test_a_packed_log_is_read_where_it_lies_and_unpacked_by_the_next_entry(log):
    before = log.read_bytes()
    packed = pack(log)
    assert numbers(log) == [0, 1, 2] and [*logs(log.parent)] == [(log, before)]
    append(log, lambda _: [])
    assert packed.exists() and not log.exists()
    append(log, lambda _: [{"number": 3}])
    assert numbers(log) == [0, 1, 2, 3] and log.read_bytes().startswith(before)
    assert not packed.exists()


def test_whoever_is_killed_while_unpacking_loses_nothing(log):
    content = log.read_bytes()
    packed = pack(log)
    log.write_bytes(content)
    assert numbers(log) == [0, 1, 2]
    append(log, lambda _: [{"number": 3}])
    assert numbers(log) == [0, 1, 2, 3] and not packed.exists()


def test_a_packed_log_beside_another_is_an_error(log):
    lines = log.read_text().splitlines(keepends=True)
    pack(log)
    log.write_text(lines[0])
    with pytest.raises(KindredError, match="another log lies packed") as one:
        read_log(log)
    assert one.value.where == str(log)


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"no" + data])
def test_a_packed_log_that_is_damaged_is_named(log, damage):
    packed = pack(log)
    packed.write_bytes(damage(packed.read_bytes()))
    with pytest.raises(KindredError, match="can't be unpacked") as one:
        read_log(log)
    assert one.value.where == str(packed)
