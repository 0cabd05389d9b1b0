"""Verification that data files are what was stored, and stamps that show changes of files."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from openbell.store.data_file import damaged_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openbell.store.data_file import FileEntry

__all__ = ["Mark", "StoredFile", "VerifiedFiles", "file_problem", "stamp", "stamp_of"]

_HASH_THREADS, _HASH_BYTES = 4, 2_000_000
_OTHER_CONTENT = "its content is not what was stored"

T = TypeVar("T")
Mark = tuple[str, int, int]
"""A value that changes when a file does."""


class StoredFile(NamedTuple):
    """A data file, the symbol whose bars it holds, and its entry in the manifest."""

    location: str
    symbol: str
    entry: FileEntry

    @property
    def path(self) -> Path:
        """The path of the file."""
        return Path(self.location)


class VerifiedFiles:
    """Files that were verified, each only once as long as it does not change."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}

    def mark_of(self, file: StoredFile) -> Mark | None:
        """Return the mark that a file had when it was verified, or None when it was not."""
        return self._marks.get(file.location)

    def verify(self, files: Sequence[StoredFile]) -> None:
        """Check that files are what was stored, except for those of which this is known.

        Raises:
            DamagedFileError: A file is missing, or is not what was stored.
        """
        # The marks before the content is read: if a file is replaced meanwhile, the next comparison of marks shows it.
        marks = {file: _mark_of(file) for file in files}
        unknown = [file for file, mark in marks.items() if mark is None or self._marks.get(file.location) != mark]
        _in_threads(_verify, unknown)
        self._marks.update((file.location, mark) for file in unknown if (mark := marks[file]) is not None)

    def contents(self, files: Sequence[StoredFile]) -> list[bytes]:
        """Return the contents of files, each of which is what was stored.

        Each file is read only once, both to be verified and to be decoded.

        Raises:
            DamagedFileError: A file is missing, or is not what was stored.
        """
        return [content for share in _in_threads(self._contents, files) for content in share]

    def _contents(self, files: Sequence[StoredFile]) -> list[bytes]:
        return [self._content(file) for file in files]

    def _content(self, file: StoredFile) -> bytes:
        path, _, entry = file
        try:
            with open(path, "rb", buffering=0) as opened:  # noqa: PTH123 -- Path.open takes twice as long
                found = os.fstat(opened.fileno())
                problem = _problem_of_size(found.st_size, entry)
                content = b"" if problem else opened.read()
        except OSError as exc:
            raise damaged_file(file.path, _why_unreadable(exc)) from exc
        mark = _mark(entry, found)
        if not problem and self._marks.get(path) != mark:
            problem = None if hashlib.sha256(content).hexdigest() == entry.sha256 else _OTHER_CONTENT
        if problem:
            raise damaged_file(file.path, problem)
        self._marks[path] = mark
        return content


def _in_threads(work: Callable[[Sequence[StoredFile]], T], files: Sequence[StoredFile]) -> list[T]:
    """Do work on shares of files, in several threads if there is much of it, and return the results in order."""
    # Sharing out little work takes longer than doing it.
    threads = min(_HASH_THREADS, len(files), sum(file.entry.bytes for file in files) // _HASH_BYTES)
    if threads < 2:
        return [work(files)]
    size = -(-len(files) // threads)
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, (files[first : first + size] for first in range(0, len(files), size))))


def _mark_of(file: StoredFile) -> Mark | None:
    """Return a value that changes when a file does, or None when the file cannot be looked at."""
    try:
        return _mark(file.entry, file.path.stat())
    except OSError:
        return None


def _mark(entry: FileEntry, found: os.stat_result) -> Mark:
    return entry.sha256, found.st_mtime_ns, found.st_ino


def _verify(files: Sequence[StoredFile]) -> None:
    """Check that files are what was stored.

    Raises:
        DamagedFileError: A file is missing, or is not what was stored.
    """
    for file in files:
        if problem := file_problem(file.path, file.entry):
            raise damaged_file(file.path, problem)


def file_problem(path: Path, entry: FileEntry) -> str | None:
    """Return why a data file is not what was stored, or None when it is."""
    try:
        size = path.stat().st_size
        if problem := _problem_of_size(size, entry):
            return problem
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as exc:
        return _why_unreadable(exc)
    return None if digest == entry.sha256 else _OTHER_CONTENT


def _problem_of_size(size: int, entry: FileEntry) -> str | None:
    if not entry.sha256:
        return "it cannot be read"
    return None if size == entry.bytes else f"it has {size} bytes instead of {entry.bytes}"


def _why_unreadable(error: OSError) -> str:
    return "it is missing" if isinstance(error, FileNotFoundError) else error.strerror or str(error)


def stamp(found: os.stat_result) -> tuple[int, int, int]:
    """Return a value that differs between a file and one that replaces it."""
    return found.st_mtime_ns, found.st_ino, found.st_size


def stamp_of(path: Path | str) -> tuple[int, ...]:
    """Return the stamp of a file, empty when it is not there."""
    try:
        # Called several times a session, and Path.stat takes twice as long.
        return stamp(os.stat(path))  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return ()
