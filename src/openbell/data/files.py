"""Files that are whole or not there: atomic replacement, made durable, and the lock that admits one writer."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from openbell.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["replace_file", "sync_folders", "temporary_of", "writer_lock"]

_POLL_S = 0.05


def temporary_of(path: Path) -> Path:
    """Where the next content of ``path`` is written before it takes its place; hidden from ``*.parquet`` readers."""
    return path.with_name(f".{path.name}.tmp")


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` in place of ``path``: a reader sees the old file or the new one, also after a power cut.

    The rename itself is durable once the folder is synced (`sync_folders`).
    """
    temporary = temporary_of(path)
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def sync_folders(folders: Iterable[Path]) -> None:
    """Make the names in these folders durable."""
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def writer_lock(path: Path, *, wait_s: float) -> Iterator[None]:
    """Hold the lock file ``path`` for the length of a ``with`` block; the system frees it when the process dies.

    Args:
        path: The lock file; it is created, and never deleted (deleting would let two writers hold two locks).
        wait_s: How long to wait for another writer, in seconds.

    Raises:
        StoreError: Another writer still holds it after ``wait_s``, or the folder cannot be written to.
    """
    import fcntl

    try:
        lock = path.open("a")
    except OSError as exc:
        raise StoreError(f"cannot write to {path.parent}: {exc.strerror or exc}.") from exc
    with lock as file:
        for attempt in range(int(wait_s / _POLL_S) + 1):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt < int(wait_s / _POLL_S):
                    threading.Event().wait(_POLL_S)
        else:
            raise StoreError(
                f"another process is writing to {path.parent} (waited {wait_s:g} s). Try again when its import is done."
            )
        yield
