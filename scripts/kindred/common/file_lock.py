"""Locks between processes, by files: for adapters in training, weights being quantized and places
on a GPU.

The system lets go of a lock when its process ends, however it ends. On a file system without locks
(Lustre mounted without flock, NFS without lockd) a warning says so and work goes on unlocked.
Knows nothing of what is locked.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.files import unwritable

MOST_GONE = 100  # times in a row that a lock or its folder may be removed while it is opened
STALE_S = 0.05  # pause after a name of a network disk led to a file that another machine removed
UNSUPPORTED = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
_warned: set[str] = set()


@contextmanager
def lock(path: Path, waiting: str) -> Iterator[None]:
    """Hold the lock of a file, which is made and removed again; `waiting` is printed, once, when
    another process holds it. Its folder is made where it is missing.

    Raises KindredError when the file can't be made or locked.
    """
    file = _wait_for(path, waiting)
    try:
        yield
    finally:
        # While it is still locked: who waits for it sees that the file is gone and makes a new one.
        try:
            path.unlink()
        except OSError as error:
            if not _is_gone(error):
                raise
        finally:
            _close(file)


def try_lock(path: Path) -> int | None:
    """An open file whose lock is held until it is closed, or None when another process holds it.

    For what all users of a machine share: the file stays, and anybody may lock it. Raises
    KindredError when it can't be made or locked.
    """
    path, file = _open_shared(path)
    try:
        if _locked(file, path, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return file
    except OSError as error:
        raise _failure(path, error) from error
    os.close(file)
    return None


def _wait_for(path: Path, waiting: str) -> int:
    """An open, locked file that lies under this path, and not one that its last owner removed."""
    told, gone = False, 0
    while True:
        file = None
        try:
            file = _opened(path)
            told = _take(file, path, waiting, told)
            if _lies_under(file, path):
                kept, file = file, None
                return kept
        except OSError as error:
            if not _is_gone(error):
                raise
            gone += 1  # it or its folder was removed just now, by who held the lock, unless it
            # stays so: a link to a folder that is not there, a working folder that was deleted
            if path.is_symlink() or gone > MOST_GONE:
                raise _failure(path, error) from error
            if error.errno == errno.ESTALE:
                time.sleep(STALE_S)
        finally:
            if file is not None:
                _close(file)


def _opened(path: Path) -> int:
    """The lock's file, made where it is missing. Raises KindredError when it can't be made, and
    OSError when something of the path was removed meanwhile."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if _is_gone(error):
            raise
        raise unwritable(path.parent, error) from error


def _take(file: int, path: Path, waiting: str, told: bool) -> bool:
    """Lock a file; whether it was told that another process held it. Raises as _locked does."""
    if not _locked(file, path, fcntl.LOCK_EX | fcntl.LOCK_NB):
        if not told:
            print(waiting, file=sys.stderr, flush=True)
        told = True
        _locked(file, path, fcntl.LOCK_EX)
    return told


def _locked(file: int, path: Path, how: int) -> bool:
    """Whether the lock was had, or goes without on a file system that has none; False when another
    process holds it, and for no other reason. Raises OSError when another machine removed the file,
    and KindredError otherwise."""
    try:
        fcntl.flock(file, how)
    except BlockingIOError:  # EWOULDBLOCK
        return False
    except OSError as error:
        if _is_gone(error):
            raise
        if error.errno not in UNSUPPORTED:
            raise _failure(path, error) from error
        _warn(
            f"{path.parent}: this file system does not support locks ({error.strerror or error}), "
            "so Kindred continues without them. Make sure that nothing else does the same work "
            "at the same time."
        )
    return True


def _lies_under(file: int, path: Path) -> bool:
    """Whether the path still names this file. A network disk answers from its memory for a while,
    but has to ask its server when a time is set."""
    try:
        _set_time(file)
        own = os.fstat(file)
        return own.st_nlink > 0 and os.path.samestat(own, os.stat(path))
    except OSError as error:
        if _is_gone(error):
            return False
        raise


def _set_time(file: int) -> None:
    """Set a file's times to now, on a file system that can. Raises OSError when it is gone."""
    try:
        os.utime(file)
    except OSError as error:
        if _is_gone(error):
            raise


def _close(file: int) -> None:
    """Let go of a file, which another machine may have removed."""
    try:
        os.close(file)
    except OSError as error:
        if not _is_gone(error):
            raise


def _is_gone(error: OSError) -> bool:
    """Whether a file was removed, here or by another machine (ESTALE)."""
    return error.errno in (errno.ENOENT, errno.ESTALE)


def _open_shared(path: Path) -> tuple[Path, int]:
    """Open a lock file that another user may have made, or make it for everybody.

    One folder for all users, and not one each, because users who do not see each other's locks
    meet on one GPU. It is world-writable with the sticky bit, as /tmp is: all may add files, none
    may remove another's. A folder or file that its owner closed to others (older versions left them
    so) is used as far as it can be read, which is enough for a lock; where it is not, the lock is
    taken in a folder of this user's own, with a warning.
    """
    try:
        return path, _open_or_make(path)
    except PermissionError:
        folder = path.parent
        own = folder.with_name(f"{folder.name}-{os.getuid()}") / path.name
    except OSError as error:
        raise _failure(path, error) from error
    _warn(
        f"{folder}: belongs to another user, and you can't write to it. Kindred uses locks in "
        f"{own.parent} instead, which that user's jobs don't see. The owner can open the folder "
        f"with `chmod -R a+rw,+t {folder}`."
    )
    try:
        return own, _open_or_make(own)
    except OSError as error:
        raise _failure(own, error) from error


def _open_or_make(path: Path) -> int:
    """An open file, made and opened to all where it is missing."""
    with suppress(FileExistsError):
        path.parent.mkdir(parents=True)
        path.parent.chmod(0o1777)  # in spite of the umask
    plain = os.O_CLOEXEC | os.O_NOFOLLOW
    for how in (os.O_RDWR, os.O_RDONLY):
        try:
            # Not with O_CREAT: in a sticky folder Linux refuses that for another user's file.
            return os.open(path, how | plain)
        except FileNotFoundError:
            break
        except PermissionError:
            if how == os.O_RDONLY:
                raise
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | plain, 0o666)
    except FileExistsError:  # another process was faster
        return _open_or_make(path)
    os.fchmod(file, 0o666)
    return file


def _warn(text: str) -> None:
    """Say something once a process."""
    if text not in _warned:
        _warned.add(text)
        print(f"warning: {text}", file=sys.stderr, flush=True)


def _failure(path: Path, error: OSError) -> KindredError:
    what = f"can't be locked ({error.strerror or error})"
    return KindredError(what, str(path), "get write access to it, or remove it")
