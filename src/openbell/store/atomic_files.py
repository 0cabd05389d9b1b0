"""Files that are replaced whole or not at all, and the lock that admits one writer."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from errno import EXDEV
from itertools import groupby
from typing import TYPE_CHECKING

from openbell.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = [
    "delete_files",
    "move_file",
    "replace_file",
    "sync_files",
    "sync_folders",
    "temporary_of",
    "writer_lock",
    "written_whole",
]

_WINDOWS = sys.platform == "win32"
_POLL_S = 0.05
_SYNC_THREADS = 8
_SYNC_AT_ONCE = 64
_OPEN_FILE_WAIT_S = 10.0


def temporary_of(path: Path) -> Path:
    """Return the temporary path to which new content of ``path`` is written first.

    Readers of ``*.parquet`` do not see it.
    """
    return path.with_name(f".{path.name}.tmp")


def replace_file(path: Path, content: bytes) -> None:
    """Replace the file ``path`` by ``content``, atomically.

    A reader sees the old file or the new one, even after a power cut. The rename itself is durable once the folder is
    synced (`sync_folders`).
    """
    temporary = temporary_of(path)
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _rename(temporary, path)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give the place in which new content of a file is written, and put it in place of the file when all of it is.

    Nothing is left of content that could not be written, on a disk that is full for example. Nothing is synced: after a
    power cut the file may be an older one.
    """
    # Not named after the file, whose own name may be as long as the file system takes.
    unfinished = path.with_name(".unfinished.tmp")
    try:
        yield unfinished
        _rename(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def move_file(source: Path, target: Path) -> None:
    """Move a file, also over an existing file and to another file system."""
    try:
        _rename(source, target)
    except OSError as exc:
        if exc.errno != EXDEV:
            raise
        replace_file(target, source.read_bytes())
        source.unlink()


def _rename(source: Path, target: Path) -> None:
    for _ in range(int(_OPEN_FILE_WAIT_S / _POLL_S) if _WINDOWS else 0):
        # Windows does not rename over a file that somebody reads; reads are short.
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(_POLL_S)
        else:
            return
    source.replace(target)


def delete_files(paths: Iterable[Path]) -> list[Path]:
    """Delete those of the files that exist, and the folders that are empty then.

    Returns:
        The folders from which names were removed; the removal is durable once they are synced (`sync_folders`).
    """
    touched: dict[Path, None] = {}
    for path in paths:
        path.unlink(missing_ok=True)
        touched[path.parent] = None
    for folder in list(touched):
        with contextlib.suppress(OSError):
            folder.rmdir()
        if not folder.exists():
            touched[folder.parent] = None
    return [folder for folder in touched if folder.exists()]


def sync_files(paths: Sequence[Path]) -> None:
    """Make the content of files durable."""
    _sync(paths)


def sync_folders(folders: Sequence[Path]) -> None:
    """Make the names in folders durable."""
    # Windows opens no folders, and NTFS keeps its own journal of names.
    if not _WINDOWS:
        _sync(folders)


def _sync(paths: Sequence[Path]) -> None:
    """Sync files or folders to disk."""
    if len(paths) == 1:
        _sync_one(paths[0])
        return
    left: list[Path] = []
    # A folder of a store may be a link to another file system.
    for _, run in groupby(sorted(paths, key=_device_of), key=_device_of):
        group = list(run)
        # Many are synced with one call, where the system has one for a whole file system.
        if len(group) < _SYNC_AT_ONCE or not _sync_file_system(group[0]):
            left += group
    with ThreadPoolExecutor(_SYNC_THREADS) as pool:
        list(pool.map(_sync_one, left))


def _device_of(path: Path) -> int:
    return path.stat().st_dev


def _sync_one(path: Path) -> None:
    # Windows syncs only what is open for writing.
    handle = os.open(path, os.O_RDWR if _WINDOWS else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_file_system(path: Path) -> bool:
    """Sync the whole file system of ``path``, and return whether the system could do that."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    handle = os.open(path, os.O_RDONLY)
    try:
        return int(ctypes.CDLL(None, use_errno=True).syncfs(handle)) == 0
    except AttributeError:
        return False
    finally:
        os.close(handle)


@contextmanager
def writer_lock(path: Path, *, wait_s: float, of: object = None) -> Iterator[None]:
    """Hold the lock file ``path`` for the length of a ``with`` block.

    The system frees it when the process dies.

    Args:
        path: The lock file; it and its folder are created. Only its holder may delete it.
        wait_s: How long to wait for another writer, in seconds.
        of: What is written to, for messages; the folder unless given.

    Raises:
        StoreError: Another writer still holds it after ``wait_s``, or the folder cannot be written to.
    """
    # Imported late, because reading takes no lock, and this import takes longer than opening a store.
    import filelock

    lock = filelock.FileLock(path, timeout=wait_s, poll_interval=_POLL_S, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        place = of or path.parent
        raise StoreError(
            f"another process is writing to {place} (waited {wait_s:g} s). Try again when its import is done."
        ) from None
    except OSError as exc:
        raise StoreError(f"cannot write to {path.parent}: {exc.strerror or exc}.") from exc
    try:
        yield
    finally:
        lock.release()
