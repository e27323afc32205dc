"""What is stored is on the disk before it counts, and what is cut is made again with a word."""

import os
import threading

import pytest

from kindred.common import content_store, png_files
from kindred.common.content_store import ContentStore
from kindred.common.errors import KindredError
from kindred.common.files import atomic_write

WHOLE = "whole\n"


def check(path):
    for file in [path] if path.is_file() else path.iterdir():
        if file.read_text() != WHOLE:
            raise KindredError(f"{file}: cut short")


def files(root, **settings):
    return ContentStore(root, check, "making it again", ".txt", **settings)


def folders(root):
    return ContentStore(root, check, "making it again", files=("a.txt", "b.txt"))


def write(path):
    path.write_text(WHOLE)


def write_both(folder):
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(WHOLE)


@pytest.fixture
def steps(monkeypatch):
    """What reaches the disk, and what gets its name, in order."""
    seen, real = [], {name: getattr(os, name) for name in ("fsync", "replace", "rename")}

    def fsync(file):
        seen.append(("flush", os.path.basename(os.readlink(f"/proc/self/fd/{file}"))))
        real["fsync"](file)

    def naming(how):
        def name(source, target):
            seen.append(("name", os.path.basename(target)))
            real[how](source, target)

        return name

    monkeypatch.setattr(os, "fsync", fsync)
    for how in ("replace", "rename"):
        monkeypatch.setattr(os, how, naming(how))
    return seen


def test_content_is_on_the_disk_before_its_name_and_the_name_at_the_end(tmp_path, steps):
    files(tmp_path).put("k", write)
    (flushed, what), named, last = steps
    assert flushed == "flush" and what.startswith(".tmp-")
    assert named == ("name", "k.txt") and last == ("flush", tmp_path.name)


def test_a_folder_s_files_and_their_names_come_before_its_own(tmp_path, steps):
    folders(tmp_path).put("k", write_both)
    kinds = [kind for kind, _ in steps]
    assert {what for _, what in steps[:2]} == {"a.txt", "b.txt"}
    assert steps[2][1].startswith(".tmp-k-") and kinds == ["flush"] * 3 + ["name", "flush"]
    assert steps[3:] == [("name", "k"), ("flush", tmp_path.name)]


def test_many_are_written_beside_the_work_and_are_all_there_at_the_end(tmp_path, steps):
    store, keys = files(tmp_path, fan_out=2), [f"{n:04x}" for n in range(300)]
    with store.writing() as put:
        for key in keys:
            put(key, write)
    assert list(store) == keys and all(map(store.has, keys)) and not store.leftovers()
    assert {what for kind, what in steps[-2:]} == {"00", "01"}, "each folder once, at the end"


def test_what_fails_among_many_is_raised_and_the_others_are_kept(tmp_path):
    store = files(tmp_path)

    def full(path):
        raise OSError(28, "No space left on device")

    with pytest.raises(KindredError, match="No space left"), store.writing() as put:
        for n in range(9):
            put(str(n), full if n == 4 else write)
    assert list(store) and "4" not in store and not store.leftovers()
    with pytest.raises(ZeroDivisionError), store.writing() as put:
        put("9", write)
        raise ZeroDivisionError
    assert store.has("9")


@pytest.mark.parametrize("make", [files, folders])
def test_a_failing_write_leaves_nothing(tmp_path, make):
    def full(path):
        if path.is_dir():
            (path / "a.txt").write_text("half")
        raise OSError(28, "No space left on device")

    store = make(tmp_path / "new")
    with pytest.raises(KindredError, match=r"can't be written \(No space left"):
        store.put("k", full)
    assert not store.has("k") and not list(store.root.iterdir())


def test_what_is_cut_is_not_there_and_is_replaced(tmp_path, capsys):
    for store, fill in ((files(tmp_path / "1"), write), (folders(tmp_path / "2"), write_both)):
        path = store.put("k", fill)
        spoilt = path / "b.txt" if path.is_dir() else path
        spoilt.write_text("wh")
        assert not store.has("k") and not store.has("k")
        out = tmp_path / "out" / path.name
        assert not store.fetch("k", out) and not out.exists()
        told = capsys.readouterr().err
        assert told == f"warning: {spoilt}: cut short; making it again\n", "once"
        store.put("k", fill)
        assert store.has("k") and spoilt.read_text() == WHOLE
        assert store.fetch("k", out) and out.exists()


def test_a_folder_that_lacks_a_file_is_not_there_and_a_whole_one_stays(tmp_path):
    store = folders(tmp_path)
    path = store.put("k", write_both)
    (path / "b.txt").unlink()
    assert not store.has("k")
    store.put("k", write_both)
    first = path.stat().st_ino
    store.put("k", write_both)
    assert store.has("k") and path.stat().st_ino == first and not store.leftovers()


def test_leftovers_of_a_killed_process_are_no_entries(tmp_path):
    store = folders(tmp_path)
    (tmp_path / ".tmp-k-killed").mkdir()
    assert list(store) == [] and len(store.leftovers()) == 1
    store.put("k", write_both)
    assert list(store) == ["k"] and store.leftovers() == []


def test_what_another_is_writing_just_now_is_no_leftover(tmp_path):
    """Two that make the same entry: the second waits, and finds it whole."""
    store, seen = folders(tmp_path), []
    begun, go_on = threading.Event(), threading.Event()

    def slowly(folder):
        begun.set()
        assert go_on.wait(99)
        write_both(folder)

    def quickly(folder):
        seen.append(store.has("k"))
        write_both(folder)

    threads = [threading.Thread(target=store.put, args=("k", one)) for one in (slowly, quickly)]
    threads[0].start()
    assert begun.wait(99)
    threads[1].start()
    threads[1].join(0.2)
    assert not seen, "it waits"
    go_on.set()
    for thread in threads:
        thread.join(99)
    assert seen == [True] and store.has("k")
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_one_process_at_a_time_makes_an_entry(tmp_path):
    store = files(tmp_path)
    with store.lock("k", "waiting"):
        assert content_store.file_lock.try_lock(tmp_path / "k.lock") is None
        assert list(store) == []
    assert list(tmp_path.iterdir()) == []


def test_a_png_is_checked_to_its_end(tmp_path):
    from PIL import Image

    path = tmp_path / "x.png"
    with pytest.raises(KindredError, match="can't be read"):
        png_files.check(path)
    Image.new("RGB", (9, 9), (1, 2, 3)).save(path)
    png_files.check(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(KindredError, match="incomplete" if length else "empty"):
            png_files.check(path)
    path.write_bytes(b"GIF89a" + whole)
    with pytest.raises(KindredError, match="not a PNG file"):
        png_files.check(path)


def test_threads_that_write_leave_the_umask_alone(tmp_path, monkeypatch):
    def read(_: int) -> int:
        raise AssertionError("reading the umask sets it, for all threads")

    monkeypatch.setattr(os, "umask", read)
    with atomic_write(tmp_path / "one") as temporary:
        temporary.write_text("x", encoding="utf-8")
    assert (tmp_path / "one").read_text(encoding="utf-8") == "x"
