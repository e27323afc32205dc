"""One process at a time, file systems without locks, and lock files of other users."""

import errno
import fcntl
import os
import stat
import tempfile
import threading
from pathlib import Path

import pytest

from kindred.common import file_lock
from kindred.common.errors import KindredError


@pytest.fixture(autouse=True)
def unwarned(monkeypatch):
    monkeypatch.setattr(file_lock, "_warned", set())


@pytest.fixture
def open_umask():
    before = os.umask(0o077)
    yield
    os.umask(before)


def failing(monkeypatch, number):
    def flock(file, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)


def held_elsewhere(path):
    """A lock as another process holds it: locks belong to open files, not to processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def test_a_working_folder_that_was_deleted_ends_it(tmp_path, monkeypatch):
    """A run whose checkout was removed must not try for ever."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with (
        pytest.raises(KindredError, match="can't be locked"),
        file_lock.lock(Path("store/key.lock"), "waiting"),
    ):
        pass


def test_a_second_one_waits_says_so_once_and_goes_on(tmp_path, capsys):
    path, entered = tmp_path / "new" / "key.lock", threading.Event()
    first = held_elsewhere(path)

    def second():
        with file_lock.lock(path, "waiting for the first"):
            entered.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert not entered.wait(0.3)
    os.close(first)
    thread.join(99)
    assert entered.is_set() and capsys.readouterr().err == "waiting for the first\n"
    assert not path.exists(), "the lock file is left behind"


def test_a_lock_file_that_its_owner_removed_is_not_taken_for_the_lock(tmp_path):
    """Who waited for the first holds a file that nobody else can find; a third would go in too."""
    path, entered = tmp_path / "key.lock", threading.Event()
    first = held_elsewhere(path)

    def second():
        with file_lock.lock(path, "waiting"):
            assert path.exists() and file_lock.try_lock(path) is None
            entered.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert not entered.wait(0.3)
    path.unlink()
    os.close(first)
    thread.join(99)
    assert entered.is_set()


def test_a_name_that_a_network_disk_remembers_is_not_taken_for_the_lock(tmp_path, monkeypatch):
    """GlusterFS and NFS say for a while that a file lies where another machine removed it."""
    path, real, seen = tmp_path / "key.lock", os.stat, []

    def removed_elsewhere(name, *more, **options):
        if Path(name) != path or seen:
            return real(name, *more, **options)
        seen.append(real(path))
        path.unlink()
        return seen[0]

    monkeypatch.setattr(os, "stat", removed_elsewhere)
    before = os.utime

    def asks(file, *more):
        removed_elsewhere(path)
        before(file, *more)

    monkeypatch.setattr(os, "utime", asks)
    with file_lock.lock(path, "waiting"):
        assert seen and path.exists() and file_lock.try_lock(path) is None


@pytest.mark.parametrize("call", ["open", "close", "utime", "flock"])
def test_a_file_that_another_machine_removed_is_made_again(tmp_path, monkeypatch, call):
    """Any of them may be the first to be told that it is gone (ESTALE)."""
    path, module = tmp_path / "key.lock", fcntl if call == "flock" else os
    real, told = getattr(module, call), []
    if call == "close":  # of a file that turned out to be gone
        monkeypatch.setattr(file_lock, "_lies_under", lambda *_: bool(told))

    def stale(what, *more, **options):
        if call == "close":
            real(what)
        if not told:
            told.append(what)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return None if call == "close" else real(what, *more, **options)

    monkeypatch.setattr(module, call, stale)
    with file_lock.lock(path, "waiting"):
        assert told and path.exists()
    assert not path.exists()


def test_a_disk_that_can_t_set_times_has_locks_all_the_same(tmp_path, monkeypatch):
    def refused(file):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "utime", refused)
    with file_lock.lock(tmp_path / "a", "waiting"):
        assert file_lock.try_lock(tmp_path / "a") is None


def test_a_file_that_stays_stale_ends_it(tmp_path, monkeypatch):
    monkeypatch.setattr(file_lock, "STALE_S", 0.0)
    failing(monkeypatch, errno.ESTALE)
    with pytest.raises(KindredError, match="can't be locked"), file_lock.lock(tmp_path / "a", "w"):
        pass


def test_an_error_inside_lets_go_of_the_lock(tmp_path):
    path = tmp_path / "key.lock"
    with pytest.raises(ZeroDivisionError), file_lock.lock(path, "waiting"):
        raise ZeroDivisionError
    assert file_lock.try_lock(path) is not None


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_a_warning_is_given_and_work_goes_on(tmp_path, monkeypatch, capsys, number):
    failing(monkeypatch, number)
    done = []
    for name in ("one", "other"):
        with file_lock.lock(tmp_path / name, "waiting"):
            done.append(name)
    assert file_lock.try_lock(tmp_path / "gpu") is not None
    said = capsys.readouterr().err
    assert done == ["one", "other"] and said.count("\n") == 1
    assert f"{tmp_path}: this file system does not support locks" in said and "waiting" not in said


def test_another_error_is_said_and_is_not_taken_for_another_process(tmp_path, monkeypatch, capsys):
    failing(monkeypatch, errno.EIO)
    with pytest.raises(KindredError, match="can't be locked"), file_lock.lock(tmp_path / "a", "w"):
        pass
    with pytest.raises(KindredError, match=r"gpu: can't be locked"):
        file_lock.try_lock(tmp_path / "gpu")
    assert capsys.readouterr().err == ""


def test_a_folder_that_can_t_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(KindredError, match=r"file/folder: can't be written"),
        file_lock.lock(tmp_path / "file" / "folder" / "a.lock", "waiting"),
    ):
        pass
    with pytest.raises(KindredError, match="can't be locked"):
        file_lock.try_lock(tmp_path / "file" / "gpu")


def test_a_link_that_leads_nowhere_is_said(tmp_path):
    path = tmp_path / "a.lock"
    path.symlink_to(tmp_path / "gone" / "a.lock")
    said = r"a\.lock: can't be locked \(No such file.*remove it"
    with pytest.raises(KindredError, match=said), file_lock.lock(path, "waiting"):
        pass
    with pytest.raises(KindredError, match="can't be locked"):
        file_lock.try_lock(path)


def test_what_users_share_is_made_for_all_in_spite_of_the_umask(tmp_path, open_umask):
    path = tmp_path / "locks" / "gpu-0.lock"
    assert file_lock.try_lock(path) is not None
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o1777
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    assert file_lock.try_lock(path) is None


def closed(monkeypatch, folder, readable):
    """The folder as one that another user made under umask 022 (files readable), or 077."""
    real = os.open

    def another_users(path, flags, *more):
        if Path(path).parent == folder:
            reads = readable and not flags & (os.O_RDWR | os.O_WRONLY | os.O_CREAT)
            if not reads and (Path(path).exists() or flags & os.O_CREAT):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", another_users)


def test_another_user_s_file_that_can_be_read_is_locked(tmp_path, monkeypatch, capsys):
    path = tmp_path / "locks" / "gpu-0.lock"
    first = held_elsewhere(path)
    closed(monkeypatch, path.parent, readable=True)
    assert file_lock.try_lock(path) is None
    os.close(first)
    assert file_lock.try_lock(path) is not None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("readable", [True, False])
def test_a_closed_folder_of_another_user_is_said_and_gone_round(
    tmp_path, monkeypatch, capsys, readable
):
    locks = tmp_path / "locks"
    locks.mkdir()
    if not readable:
        (locks / "gpu-0.lock").touch()
    closed(monkeypatch, locks, readable)
    assert file_lock.try_lock(locks / "gpu-0.lock") is not None
    assert file_lock.try_lock(locks / "gpu-0.lock") is None, "own jobs see each other"
    own = tmp_path / f"locks-{os.getuid()}"
    assert (own / "gpu-0.lock").exists()
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"chmod -R a+rw,+t {locks}" in said and str(own) in said


def as_another_user(work):
    """Whether `work` is true when another user does it, in a process that ends with it."""
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setgid(64030)
            os.setuid(64030)
            os._exit(0 if work() else 1)
        except BaseException:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be two users")
def test_two_users_see_each_other_s_locks():
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        Path(folder).chmod(0o1777)
        path, other = (Path(folder) / "locks" / f"gpu-{n}.lock" for n in (0, 1))
        assert as_another_user(lambda: file_lock.try_lock(other) is not None)
        first = file_lock.try_lock(path)
        assert as_another_user(lambda: file_lock.try_lock(path) is None)
        os.close(first)
        assert as_another_user(lambda: file_lock.try_lock(path) is not None)
        assert file_lock.try_lock(other) is not None
