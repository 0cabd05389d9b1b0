"""Catalogue of the runs that are shown, each with an id that does not reveal its path."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from openbell.errors import ConfigError
from openbell.pages.report.report_page import ReadRun, read_parts
from openbell.results.folder.stored_run import StoredRun, is_run, read_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Catalogue", "KnownRun", "UnknownRunError", "id_of"]

_MOST_READ = 4
_FILES = ("config.json", "summary.json", "equity.parquet", "trades.parquet", "fills.parquet", "signals.parquet")
_Stamp = tuple[tuple[int, int], ...]
_T = TypeVar("_T")


class UnknownRunError(ConfigError):
    """There is no run with this id."""


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run with its id.

    Attributes:
        id: Its name in addresses, a hash of its path.
        stored: The run as stored in its folder.
        begun: When its config was written, in seconds since 1970 UTC.
    """

    id: str
    stored: StoredRun
    begun: float

    @property
    def folder(self) -> Path:
        return self.stored.path

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        return self.folder.name


class _FolderCache(Generic[_T]):
    """Cache of results read from folders, by folder and the stamps of its files."""

    def __init__(self, read: Callable[[Path], _T], most: int | None) -> None:
        self._read, self._most = read, most
        self._known: dict[Path, tuple[_Stamp, _T]] = {}
        self._lock = Lock()

    def of(self, folder: Path) -> _T:
        stamp = _stamp(folder)
        with self._lock:
            known = self._known.pop(folder, None)
            if known is None or known[0] != stamp:
                known = stamp, self._read(folder)
            self._known[folder] = known
            if self._most is not None and len(self._known) > self._most:
                del self._known[next(iter(self._known))]
        return known[1]


class Catalogue:
    """The runs in some folders, which are read again when their files change.

    Args:
        places: Returns the folders that hold runs, or are runs.
    """

    def __init__(self, places: Callable[[], Sequence[Path]]) -> None:
        self._places = places
        self._stored = _FolderCache(read_run, None)
        self._read = _FolderCache(read_parts, _MOST_READ)

    def runs(self) -> list[KnownRun]:
        """Return all runs, the last begun first."""
        found = [self._known(folder) for folder in self._folders()]
        return sorted(found, key=lambda run: -run.begun)

    def run(self, run_id: str) -> KnownRun:
        """Return the run with an id.

        Raises:
            UnknownRunError: There is none.
        """
        for folder in self._folders():
            if id_of(folder) == run_id:
                return self._known(folder)
        raise UnknownRunError("there is no such run. It may have been moved or removed: see the list of runs.")

    def read(self, run: KnownRun) -> ReadRun:
        """Return everything that is read from the folder of a run."""
        return self._read.of(run.folder)

    def _known(self, folder: Path) -> KnownRun:
        return KnownRun(id_of(folder), self._stored.of(folder), _begun(folder))

    def _folders(self) -> Iterator[Path]:
        for place in self._places():
            try:
                if is_run(place):
                    yield place
                else:
                    yield from (entry for entry in sorted(place.iterdir()) if entry.is_dir() and is_run(entry))
            except OSError:
                continue  # the folder was removed, or may not be read


def id_of(folder: Path) -> str:
    """Return the id of a folder in addresses, a hash that does not reveal its path."""
    return hashlib.blake2b(os.fsencode(folder.absolute()), digest_size=6).hexdigest()


def _begun(folder: Path) -> float:
    try:
        return (folder / "config.json").stat().st_mtime
    except OSError:
        return 0.0


def _stamp(folder: Path) -> _Stamp:
    found = []
    for name in _FILES:
        try:
            state = (folder / name).stat()
        except OSError:
            found.append((0, 0))
        else:
            found.append((state.st_mtime_ns, state.st_size))
    return tuple(found)
