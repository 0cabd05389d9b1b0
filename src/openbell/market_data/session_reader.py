"""Stored bars as the bars of sessions: within trading hours, with the close of each by the calendar."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from openbell.model.bars import PRICE_COLUMNS, Bars, BarTimes
from openbell.model.interval import DAY_NS
from openbell.store.layout import WHOLE_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from openbell.market_data.cache import SessionRange
    from openbell.model.interval import Interval
    from openbell.store.manifest import FileEntry, Manifest
    from openbell.store.store import BarStore
    from openbell.timing.grid import SessionGrid

__all__ = ["are_read_in_parts", "end_of_files", "read_sessions", "rows_between"]


def read_sessions(
    store: BarStore, symbols: Sequence[str], stored: Interval, grid: SessionGrid, sessions: SessionRange
) -> Iterator[tuple[str, Bars]]:
    """The stored bars of each symbol that lie within the sessions of ``grid``, with one read for all symbols.

    Bars outside the grid's segments, and daily bars of dates that are no session, are left out. A daily bar's timestamp
    becomes the open of its session. ``count`` is 1, or of a bar that openbell built the number of finer bars in it.

    Raises:
        DamagedFileError: A file cannot be read.
    """
    begin_ns, end_ns = _reach_ns(stored, sessions)
    rows = store.read_rows(symbols, str(stored), begin_ns, end_ns)
    starts, values = rows.columns["timestamp"], [rows.columns[name] for name in PRICE_COLUMNS]
    count = np.ones(len(starts), np.int32)
    built, made_of = rows.built
    count[built] = made_of
    times_of_sessions = _within_hours if stored.is_intraday else _of_days
    runs = {symbol: slice(first, after) for symbol, first, after in rows.runs}
    before = slice(0, 0)
    times: BarTimes | None = None
    kept: slice | NDArray[np.bool_] = slice(None)
    for symbol in symbols:
        run = runs.get(symbol)
        if run is None:
            yield symbol, Bars.empty()
            continue
        # Most symbols trade in the same minutes as the one before.
        if times is None or not all(np.array_equal(column[run], column[before]) for column in (starts, count)):
            times, kept = times_of_sessions(BarTimes(starts[run], starts[run] + stored.ns, count[run]), stored, grid)
            before = run
        yield symbol, Bars.of(times, *(column[run][kept] for column in values))


def rows_between(manifest: Manifest, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> float:
    """About how many bars the store has in a range of dates (days since 1970-01-01)."""
    begin, end = first_day * DAY_NS, (last_day + 1) * DAY_NS
    total = 0.0
    for symbol in symbols:
        for file in _files_since(manifest, symbol, base, begin):
            if file.first_ns >= end:
                break
            common = min(end, file.last_ns + 1) - max(begin, file.first_ns)
            total += file.rows * common / (file.last_ns + 1 - file.first_ns)
    return total


def end_of_files(manifest: Manifest, symbols: Sequence[str], base: str, day: int) -> int:
    """The last day of the files that hold bars of ``day`` (days since 1970-01-01) and are read as a whole.

    That day when there are none.
    """
    files = _files_of(manifest, symbols, base, day)
    return max((file.last_ns // DAY_NS for file in files if file.rows <= WHOLE_ROWS), default=day)


def are_read_in_parts(manifest: Manifest, symbols: Sequence[str], base: str, day: int) -> bool:
    """Whether any of the files that hold bars of ``day`` is so large that no more is read of it than is asked for."""
    return any(file.rows > WHOLE_ROWS for file in _files_of(manifest, symbols, base, day))


def _files_of(manifest: Manifest, symbols: Sequence[str], base: str, day: int) -> Iterator[FileEntry]:
    """Per symbol that has one, the file that may hold bars of a day."""
    begin, end = day * DAY_NS, (day + 1) * DAY_NS
    first = (next(iter(_files_since(manifest, symbol, base, begin)), None) for symbol in symbols)
    return (file for file in first if file is not None and file.first_ns < end)


def _files_since(manifest: Manifest, symbol: str, base: str, begin_ns: int) -> Sequence[FileEntry]:
    """The files of a series that do not end before a time."""
    files = manifest.files.get((symbol, base), ())
    return files[bisect_left(files, begin_ns, key=lambda file: file.last_ns) :]


def _reach_ns(stored: Interval, sessions: SessionRange) -> tuple[int, int]:
    """From when to when (exclusive) the timestamps of stored bars of these sessions are."""
    if not len(sessions.days):
        return 0, 0
    if stored.is_intraday:
        return int(sessions.starts_ns[0]), int(sessions.starts_ns[-1])
    return int(sessions.days[0]) * DAY_NS, (int(sessions.days[-1]) + 1) * DAY_NS


_Kept = tuple[BarTimes, "slice | NDArray[np.bool_]"]
"""Times of bars of sessions, and which of the stored bars these are."""


def _within_hours(times: BarTimes, stored: Interval, grid: SessionGrid) -> _Kept:
    """Intraday bars that start within a segment; ``end`` is cut at its close."""
    # The bars are sorted and segments are few, so the segments are looked up among the bars, not each bar's segment.
    first = np.searchsorted(times.timestamp, grid.segment_open_ns)
    after = np.searchsorted(times.timestamp, grid.segment_close_ns)
    late = np.searchsorted(times.timestamp, grid.segment_close_ns - stored.ns, side="right")
    if (late < after).any():
        times = BarTimes(times.timestamp, _cut(times.end, late, after, grid.segment_close_ns), times.count)
    if len(first) and (first[1:] == after[:-1]).all():
        begin, end = int(first[0]), int(after[-1])
        return times.window(begin, end), slice(begin, end)
    steps = np.zeros(len(times) + 1, np.int8)
    np.add.at(steps, first, 1)
    np.subtract.at(steps, after, 1)
    return _taken(times, np.cumsum(steps[:-1]) > 0)


def _cut(
    end: NDArray[np.int64], late: NDArray[np.intp], after: NDArray[np.intp], close_ns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """``end`` with the close of segment k at the rows from ``late[k]`` up to but without ``after[k]``."""
    cut = end.copy()
    for k in np.flatnonzero(late < after):
        cut[late[k] : after[k]] = close_ns[k]
    return cut


def _of_days(times: BarTimes, stored: Interval, grid: SessionGrid) -> _Kept:  # noqa: ARG001 - the twin of _within_hours
    """Daily bars whose dates are sessions, from the open of each to its close."""
    day = times.timestamp // DAY_NS
    first = int(np.searchsorted(grid.days, day[0]))
    # The usual case is one bar for each session, for which no search is needed.
    if np.array_equal(grid.days[first : first + len(day)], day):
        session = slice(first, first + len(day))
        return BarTimes(grid.open_ns[session], grid.close_ns[session], times.count), slice(None)
    place = np.minimum(np.searchsorted(grid.days, day), len(grid.days) - 1)
    return _taken(BarTimes(grid.open_ns[place], grid.close_ns[place], times.count), grid.days[place] == day)


def _taken(times: BarTimes, rows: NDArray[np.bool_]) -> _Kept:
    return BarTimes(times.timestamp[rows], times.end[rows], times.count[rows]), rows
