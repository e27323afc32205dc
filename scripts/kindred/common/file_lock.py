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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.files import unwritable

MOST_GONE = 100  # times in a row that a lock's folder may be removed while it is opened
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
        path.unlink(missing_ok=True)
        os.close(file)


def try_lock(path: Path) -> int | None:
    """An open file whose lock is held until it is closed, or None when another process holds it.

    For what all users of a machine share: the file stays, and anybody may lock it. Raises
    KindredError when it can't be made or locked.
    """
    path, file = _open_shared(path)
    if _locked(file, path, fcntl.LOCK_EX | fcntl.LOCK_NB):
        return file
    os.close(file)
    return None


def _wait_for(path: Path, waiting: str) -> int:
    """An open, locked file that lies under this path, and not one that its last owner removed."""
    told, gone = False, 0
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except FileNotFoundError as error:
            gone += 1  # its folder was removed just now, by who held the lock, unless it stays so:
            # a link to a folder that is not there, a working folder that was deleted
            if path.is_symlink() or gone > MOST_GONE:
                raise _failure(path, error) from error
            continue
        except OSError as error:
            raise unwritable(path.parent, error) from error
        try:
            if not _locked(file, path, fcntl.LOCK_EX | fcntl.LOCK_NB):
                if not told:
                    print(waiting, file=sys.stderr, flush=True)
                told = True
                _locked(file, path, fcntl.LOCK_EX)
            if _lies_under(file, path):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _locked(file: int, path: Path, how: int) -> bool:
    """Whether the lock was had, or goes without on a file system that has none; False when another
    process holds it, and for no other reason."""
    try:
        fcntl.flock(file, how)
    except BlockingIOError:  # EWOULDBLOCK
        return False
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise _failure(path, error) from error
        _warn(
            f"{path.parent}: this file system does not support locks ({error.strerror or error}), "
            "so Kindred continues without them. Make sure that nothing else does the same work "
            "at the same time."
        )
    return True


def _lies_under(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


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
