"""Series that processes of a machine share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakKeyDictionary

from openbell.errors import RunFolderError
from openbell.market_data.series_files import SeriesFiles, digest_of
from openbell.market_data.stored_history import READ_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openbell.market_data.series import CachedSeries, SharedTimes

__all__ = ["SharedSeries", "SharedSeriesKey"]

SharedSeriesKey: TypeAlias = tuple[object, ...]
"""What tells a series from all others of one state of a store; its parts have a text that says all of them."""

_MOST_ROWS = 2 * READ_ROWS
"""The most bars that one process maps: what goes beyond is its own."""


class SharedSeries:
    """Series of one state of a store, each read, derived or adjusted by the process that needs it first.

    All others map what it has written, read-only, and so does it itself.

    Args:
        folder: The folder of the series of all states; None shares nothing.
        state: What series follow from besides their keys, as text.
        times: The times that series of this process share.
    """

    def __init__(self, folder: Path | None, state: str, times: SharedTimes) -> None:
        self._folder = None if folder is None else folder / digest_of(state)
        self._times = times
        self._opened: SeriesFiles | None = None
        self._keys: WeakKeyDictionary[CachedSeries, SharedSeriesKey] = WeakKeyDictionary()
        self._rows = 0

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from making series meanwhile, so that none is made twice.

        Raises:
            RunFolderError: The folder cannot be written.
        """
        if self._folder is None:
            yield
            return
        try:
            self._opened = self._opened or SeriesFiles(self._folder, self._times)
            self._opened.lock.acquire()
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        try:
            yield
        finally:
            self._opened.lock.release()

    def of(self, key: SharedSeriesKey, first_day: int, last_day: int, make: Callable[[], CachedSeries]) -> CachedSeries:
        """Return a series that covers a range of days, made by whoever needs it first."""
        with self.alone():
            return self.find(key, first_day, last_day) or self.put(key, make())

    def filled(self, source: CachedSeries, make: Callable[[], CachedSeries]) -> CachedSeries:
        """Return what is made of a series by filling its gaps."""
        key = self._keys.get(source)
        return make() if key is None else self.of((*key, "filled"), source.first_day, source.last_day, make)

    def find(self, key: SharedSeriesKey, first_day: int, last_day: int) -> CachedSeries | None:
        """Return a series that covers a range of days if there is one, to be called `alone`."""
        if self._opened is None:
            return None
        return self._noted(key, self._opened.find(_name_of(key), first_day, last_day))

    def put(self, key: SharedSeriesKey, series: CachedSeries) -> CachedSeries:
        """Share a series, and return it as it is mapped, to be called `alone`.

        Raises:
            RunFolderError: The folder cannot be written.
        """
        if self._opened is None or not len(series.bars) or self._rows + len(series.bars) > _MOST_ROWS:
            return series
        try:
            mapped = self._opened.put(_name_of(key), series)
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        return self._noted(key, mapped) or series

    def _noted(self, key: SharedSeriesKey, series: CachedSeries | None) -> CachedSeries | None:
        if series is not None:
            self._keys[series] = key
            self._rows += len(series.bars)
        return series


def _name_of(key: SharedSeriesKey) -> str:
    return digest_of(repr([str(part) for part in key]))


def _unwritable(folder: Path | None, error: OSError) -> RunFolderError:
    return RunFolderError(f"cannot write {folder}: {error.strerror or error}.")
