"""Series over consecutive sessions, times that series share, and series that processes share."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np

from openbell.errors import RunFolderError
from openbell.market_data.aggregate import aggregated, as_inputs, grouped
from openbell.market_data.stored_history import READ_ROWS
from openbell.model.bars import TIME_COLUMNS, Bars, BarTimes
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from openbell.market_data.aggregate import Grouping
    from openbell.market_data.series_files import SeriesFiles
    from openbell.model.interval import Interval
    from openbell.timing.grid import SessionGrid
    from openbell.timing.time_manager import TimeManager

__all__ = ["CachedSeries", "SessionRange", "SharedSeries", "SharedSeriesKey", "SharedTimes"]

_MOST_RANGES = 16
_MOST_WINDOWS = 64
_DIGITS = 32


@dataclass(frozen=True, slots=True, eq=False)
class SessionRange:
    """Consecutive sessions, one object for all series that cover them.

    Attributes:
        first_day: The first date of the range, in days since 1970-01-01.
        last_day: The last date, inclusive.
        days: Dates of the sessions in that range, in days since 1970-01-01; ascending.
        starts_ns: The start of each session, extended hours included, and as a last entry the end of the last session;
            nanoseconds since 1970 UTC.
    """

    first_day: int
    last_day: int
    days: NDArray[np.int64]
    starts_ns: NDArray[np.int64]
    # Weak, because a range lives longer than the times of bars should stay in memory.
    _rows: WeakKeyDictionary[BarTimes, dict[tuple[int, int], tuple[int, int]]] = field(
        default_factory=WeakKeyDictionary, repr=False
    )

    def rows(self, times: BarTimes, first_day: int, last_day: int) -> tuple[int, int]:
        """Return the first row of a range of days, and the row after its last."""
        # A memo by times, so that one search serves all series with the same times.
        windows = self._rows.get(times)
        if windows is None:
            windows = self._rows[times] = {}
        known = windows.get((first_day, last_day))
        if known is None:
            if len(windows) >= _MOST_WINDOWS:
                windows.clear()
            begin, end = self.days.searchsorted((first_day, last_day + 1))
            first, after = times.timestamp.searchsorted(self.starts_ns[[begin, max(begin, end)]])
            known = windows[first_day, last_day] = (int(first), int(after))
        return known

    @staticmethod
    def of(first_day: int, last_day: int, grid: SessionGrid) -> SessionRange:
        """Make the range from ``first_day`` to ``last_day``, whose sessions are those of ``grid``."""
        if not len(grid.days):
            return SessionRange(first_day, last_day, grid.days, np.zeros(1, np.int64))
        first_segment, _ = grid.segments_of_sessions()
        starts = np.append(grid.segment_open_ns[first_segment], grid.segment_close_ns[-1])
        return SessionRange(first_day, last_day, grid.days, starts)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class CachedSeries:
    """The immutable bars of one symbol and interval over consecutive sessions.

    Attributes:
        sessions: The range that the bars cover, without exception of stored bars.
        bars: The bars. A bar of several sessions belongs to the first of them.
    """

    sessions: SessionRange
    bars: Bars

    @property
    def first_day(self) -> int:
        """The first date covered, in days since 1970-01-01."""
        return self.sessions.first_day

    @property
    def last_day(self) -> int:
        """The last date covered, inclusive."""
        return self.sessions.last_day

    def covers(self, first_day: int, last_day: int) -> bool:
        """Return whether the series has all stored bars of a range of days."""
        return self.first_day <= first_day and last_day <= self.last_day

    def between(self, first_day: int, last_day: int) -> Bars:
        """Return the bars of the sessions from ``first_day`` to ``last_day``, as views."""
        return self.bars.window(*self.sessions.rows(self.bars.times, first_day, last_day))


class SharedTimes:
    """The times of series, one object for all series of equal times.

    Most symbols trade in the same minutes, so what follows from times alone is computed once for all of them.

    Args:
        time_manager: Sessions and hours.
    """

    def __init__(self, time_manager: TimeManager) -> None:
        self._time_manager = time_manager
        self._ranges: dict[tuple[int, int], SessionRange] = {}
        # The latest times by number of bars, first start and last start.
        self._latest: WeakValueDictionary[tuple[int, int, int], BarTimes] = WeakValueDictionary()
        # Memos by times in use: the shared object of equal times, joins with later times, groupings.
        self._shared: WeakKeyDictionary[BarTimes, BarTimes] = WeakKeyDictionary()
        self._joins: WeakKeyDictionary[BarTimes, WeakKeyDictionary[BarTimes, BarTimes]] = WeakKeyDictionary()
        self._groupings: WeakKeyDictionary[BarTimes, dict[tuple[Interval, Interval, int, int], Grouping]]
        self._groupings = WeakKeyDictionary()

    def sessions(self, first_day: int, last_day: int) -> SessionRange:
        """Return the sessions of a range of dates, in days since 1970-01-01, both inclusive."""
        known = self._ranges.get((first_day, last_day))
        if known is None:
            if len(self._ranges) >= _MOST_RANGES:
                self._ranges.clear()
            grid = self._time_manager.grid(date_of(first_day), date_of(last_day))
            known = self._ranges[first_day, last_day] = SessionRange.of(first_day, last_day, grid)
        return known

    def series(self, sessions: SessionRange, bars: Bars) -> CachedSeries:
        """Make a series of bars, with the shared object of their times."""
        return CachedSeries(sessions, bars.at(self.shared(bars.times)) if len(bars) else bars)

    def shared(self, times: BarTimes) -> BarTimes:
        """Return the shared object of equal times, which these become where there is none."""
        if not len(times):
            return times
        shared = self._shared.get(times)
        if shared is None:
            key = len(times), int(times.timestamp[0]), int(times.timestamp[-1])
            shared = self._latest.get(key)
            if shared is None or not shared.equal(times):
                shared = self._latest[key] = _detached(times)
            if shared is not times:
                self._shared[times] = shared
        return shared

    def joined(self, earlier: CachedSeries, later: CachedSeries) -> CachedSeries:
        """Join two series, the later beginning on the day after the earlier ends."""
        sessions = self.sessions(earlier.first_day, later.last_day)
        both = earlier.bars, later.bars
        if not all(map(len, both)):
            return self.series(sessions, Bars.concat(both))
        joins = self._joins.get(both[0].times)
        if joins is None:
            joins = self._joins[both[0].times] = WeakKeyDictionary()
        times = joins.get(both[1].times)
        if times is None:
            times = joins[both[1].times] = BarTimes.concat(bars.times for bars in both)
        return self.series(sessions, Bars.concat(both, times))

    def derived(
        self, source: CachedSeries, wanted: Interval, *, base: Interval, min_completeness: float
    ) -> CachedSeries:
        """Aggregate a stored series to the interval ``wanted``, up to the last complete bar."""
        inputs = as_inputs(source.bars)
        bars = self.aggregated(inputs, source.sessions, wanted, base=base, min_completeness=min_completeness)
        through = self._whole_through(wanted, source.last_day)
        return CachedSeries(self.sessions(source.first_day, through), bars)

    def _whole_through(self, wanted: Interval, last_day: int) -> int:
        """Return the last day with complete bars when base bars end on ``last_day``."""
        if wanted.is_intraday:
            return last_day
        last_session = self._time_manager.last_session_on_or_before(date_of(last_day))
        begin, end = self._time_manager.widened(wanted, last_session, last_session)
        return last_day if end == last_session else day_number(begin) - 1

    def aggregated(
        self, bars: Bars, sessions: SessionRange, interval: Interval, *, base: Interval, min_completeness: float
    ) -> Bars:
        """Aggregate as `aggregate` does, with one grouping for all bars with the same times."""
        groupings = self._groupings.setdefault(bars.times, {})
        key = interval, base, sessions.first_day, sessions.last_day
        known = groupings.get(key)
        if known is None:
            grid = self._time_manager.grid(date_of(sessions.first_day), date_of(sessions.last_day))
            known = grouped(bars.times, grid, interval, base=base, min_completeness=min_completeness)
            groupings[key] = known
        return aggregated(bars, known)


def _detached(times: BarTimes) -> BarTimes:
    """Return times that are no views of larger columns."""
    columns = [getattr(times, name) for name in TIME_COLUMNS]
    return times if all(c.base is None for c in columns) else BarTimes(*(c.copy() for c in columns))


SharedSeriesKey: TypeAlias = tuple[object, ...]
"""Parts that identify a series in one state of a store; the text of each part identifies the part."""

_MOST_ROWS = 2 * READ_ROWS
"""The most bars that one process maps; further series are not shared."""


class SharedSeries:
    """Series of one state of a store, shared between processes.

    Each is read, derived or adjusted by the process that needs it first.

    That process writes the series to a file, and all processes map the file read-only.

    Args:
        folder: The folder of the series of all states; None shares nothing.
        state: Everything else that the series depend on besides their keys, as text.
        times: The times that series of this process share.
    """

    def __init__(self, folder: Path | None, state: str, times: SharedTimes) -> None:
        self._folder = None if folder is None else folder / _digest_of(state)
        self._times = times
        self._opened: SeriesFiles | None = None
        self._keys: WeakKeyDictionary[CachedSeries, SharedSeriesKey] = WeakKeyDictionary()
        self._rows = 0

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock of the shared folder, so that no two processes make the same series.

        Raises:
            RunFolderError: The folder cannot be written.
        """
        if self._folder is None:
            yield
            return
        # Importing filelock takes as long as reading a small store, and most runs share nothing.
        from openbell.market_data.series_files import SeriesFiles

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
        """Return a shared series that covers a range of days, made if missing."""
        with self.alone():
            return self.find(key, first_day, last_day) or self.put(key, make())

    def filled(self, source: CachedSeries, make: Callable[[], CachedSeries]) -> CachedSeries:
        """Return a series with its gaps filled, shared if ``source`` is, else made by ``make``."""
        key = self._keys.get(source)
        return make() if key is None else self.of((*key, "filled"), source.first_day, source.last_day, make)

    def find(self, key: SharedSeriesKey, first_day: int, last_day: int) -> CachedSeries | None:
        """Return a shared series that covers a range of days, or None.

        Call it within `alone`.
        """
        if self._opened is None:
            return None
        return self._record(key, self._opened.find(_name_of(key), first_day, last_day))

    def put(self, key: SharedSeriesKey, series: CachedSeries) -> CachedSeries:
        """Share a series, and return it as mapped from its file.

        Call it within `alone`. An empty series, and one above the limit of mapped bars, is returned without being
        shared.

        Raises:
            RunFolderError: The folder cannot be written.
        """
        if self._opened is None or not len(series.bars) or self._rows + len(series.bars) > _MOST_ROWS:
            return series
        try:
            mapped = self._opened.put(_name_of(key), series)
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        return self._record(key, mapped) or series

    def _record(self, key: SharedSeriesKey, series: CachedSeries | None) -> CachedSeries | None:
        if series is not None:
            self._keys[series] = key
            self._rows += len(series.bars)
        return series


def _name_of(key: SharedSeriesKey) -> str:
    return _digest_of(repr([str(part) for part in key]))


def _digest_of(text: str) -> str:
    """Return a hash of a text that can name a file or folder."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _unwritable(folder: Path | None, error: OSError) -> RunFolderError:
    return RunFolderError(f"cannot write {folder}: {error.strerror or error}.")
