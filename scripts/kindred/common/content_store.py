"""The content-addressed store: what was made once lies under a hash of all that it follows from.

What is there is right and is never made twice, so it may be there only as a whole: it is written
under a temporary name, is on the disk before it gets its own, and is checked when it is looked for.
Knows files and folders; what a key says and how an entry looks inside belongs to each store.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from kindred.common import file_lock
from kindred.common.errors import KindredError
from kindred.common.files import (
    TEMPORARY,
    UMASK,
    atomic_write,
    flush,
    flush_folder,
    unwritable,
    writing,
)

WRITERS = 16  # threads: a disk confirms many files in little more time than one
IN_FLIGHT = 64

Write = Callable[[Path], object]


class ContentStore:
    """Entries as `<root>/<key><suffix>`, files each, or folders of files where `files` names these.

    check: raises KindredError when a file or folder is there and is not whole.
    again: what is done then, for the warning: 'drawing it again'.
    fan_out: so many digits of the key name a folder between, for a store of very many files.
    """

    def __init__(
        self,
        root: Path | str,
        check: Callable[[Path], object],
        again: str,
        suffix: str = "",
        files: Sequence[str] = (),
        fan_out: int = 0,
    ) -> None:
        self.root, self.suffix, self.files, self.fan_out = Path(root), suffix, files, fan_out
        self._check, self._again = check, again
        self._warned: set[str] = set()

    def path(self, key: str) -> Path:
        """Where the entry of this key lies, or would lie."""
        folder = self.root / key[: self.fan_out] if self.fan_out else self.root
        return folder / f"{key}{self.suffix}"

    def has(self, key: str) -> bool:
        """Whether it is there as a whole. What is not whole is not there, with a word about it."""
        path = self.path(key)
        if not path.exists() or (self.files and not self._complete(path)):
            return False
        try:
            self._check(path)
        except KindredError as error:
            if isinstance(error.__cause__, OSError):
                raise  # whether it is whole can't be told, so it is not made again
            if key not in self._warned:
                self._warned.add(key)
                print(f"warning: {error.finding}; {self._again}", file=sys.stderr, flush=True)
            return False
        except FileNotFoundError:  # cleared away meanwhile
            return False
        return True

    def _complete(self, folder: Path) -> bool:
        return all((folder / name).exists() for name in self.files)

    def fetch(self, key: str, out: Path) -> bool:
        """Copy an entry to `out`, a file or the folder for its files; False where it is not."""
        if not self.has(key):
            return False
        path = self.path(key)
        pairs = [(path / name, out / name) for name in self.files] or [(path, out)]
        for source, target in pairs:
            with atomic_write(target) as temporary:
                shutil.copyfile(source, temporary)
        return True

    def put(self, key: str, write: Write) -> Path:
        """Write an entry; return its path. It is on the disk when this ends.

        write: makes what it is given the path of, a file, or what lies in a folder. Raises
        KindredError when the disk is full or the store can't be written.
        """
        path = self._put(key, write)
        flush_folder(path.parent)
        return path

    @contextmanager
    def writing(self) -> Iterator[Callable[[str, Write], None]]:
        """Yield a `put` for many small entries; all are on the disk when this ends.

        They are written by threads beside the work that makes them: one at a time, waiting for the
        disk would take longer than drawing a small picture. A process that is killed loses the few
        in flight. Raises what a writing raised, at the next `put` or at the end.
        """
        flying: deque[Future[Path]] = deque()
        folders: set[Path] = set()
        with ThreadPoolExecutor(WRITERS) as pool:

            def put(key: str, write: Write) -> None:
                while len(flying) >= IN_FLIGHT or (flying and flying[0].done()):
                    folders.add(flying.popleft().result().parent)
                flying.append(pool.submit(self._put, key, write))

            try:
                yield put
            finally:
                errors = [future.exception() for future in flying]
                whole = [future for future, error in zip(flying, errors, strict=True) if not error]
                folders.update(future.result().parent for future in whole)
                list(pool.map(flush_folder, folders))
            for error in errors:
                if error:
                    raise error

    def lock(self, key: str, waiting: str) -> AbstractContextManager[None]:
        """One process at a time makes an entry; see `file_lock.lock`."""
        return file_lock.lock(self.root / f"{key}.lock", waiting)

    def __iter__(self) -> Iterator[str]:
        """Keys of all entries, sorted; whether they are whole is not looked at."""
        for path in sorted(self.root.glob(f"{'*/' * bool(self.fan_out)}[!.]*{self.suffix}")):
            if path.is_dir() == bool(self.files):
                yield path.name.removesuffix(self.suffix)

    def leftovers(self) -> list[Path]:
        """What interrupted writing left behind."""
        return sorted(self.root.glob(f"{'*/' * bool(self.fan_out)}{TEMPORARY}*"))

    def _put(self, key: str, write: Write) -> Path:
        path = self.path(key)
        if self.files:
            self._put_folder(key, path, write)
            return path
        with atomic_write(path) as temporary:
            write(temporary)
            flush(temporary)
        return path

    def _put_folder(self, key: str, path: Path, write: Write) -> None:
        # Not the lock of `lock`, which the caller may hold.
        told = f"another process is writing {path}; waiting for it"
        with file_lock.lock(self.root / f".{key}.writing", told):
            self._put_folder_alone(key, path, write)

    def _put_folder_alone(self, key: str, path: Path, write: Write) -> None:
        """Write a folder, while nobody else writes this key: what lies there is of the dead."""
        prefix = f"{TEMPORARY}{key}-"
        try:
            for left in self.root.glob(f"{prefix}*"):
                shutil.rmtree(left, ignore_errors=True)
            temporary = Path(tempfile.mkdtemp(dir=self.root, prefix=prefix))
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            with writing(path):
                write(temporary)
                temporary.chmod(0o777 & ~UMASK)
                for file in temporary.iterdir():
                    flush(file)
                flush_folder(temporary)
                self._rename(key, temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _rename(self, key: str, temporary: Path, path: Path) -> None:
        """Give a folder its name, in the place of one that is not whole."""
        try:
            os.rename(temporary, path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            if not self.has(key):
                shutil.rmtree(path)
                os.rename(temporary, path)
