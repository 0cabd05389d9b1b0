"""Reading of stored bars by session, and the planning of reads."""

from __future__ import annotations

from bisect import bisect_left
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.session_grid import off_grid
from openbell.model.bars import PRICE_COLUMNS, Bars, BarTimes
from openbell.model.interval import DAY_NS
from openbell.store.layout import WHOLE_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from openbell.market_data.series import SessionRange
    from openbell.model.interval import Interval
    from openbell.store.data_file import FileEntry
    from openbell.store.manifest import Manifest
    from openbell.store.store import BarStore
    from openbell.timing.grid import SessionGrid

__all__ = [
    "READ_ROWS",
    "in_sessions",
    "read_batches",
    "read_sessions",
    "read_through",
    "rows_between",
]

READ_ROWS = 20_000_000
"""The most bars of one bulk read, and the number of cached bars above which nothing is read ahead."""

AHEAD_ROWS, AHEAD_ROWS_EACH = 50_000, 8_000
"""The number of bars to read ahead, of all symbols together, or of each (a month of minutes) where that is more."""

COMPARED_ROWS = 1 << 18
"""The approximate number of rows whose times are compared at once."""

_FEW_SYMBOLS = 20
"""The most symbols of which twice as much is read ahead, which saves reads for still little memory."""


def read_sessions(
    store: BarStore, symbols: Sequence[str], stored: Interval, grid: SessionGrid, sessions: SessionRange
) -> Iterator[tuple[str, Bars]]:
    """Yield each symbol's stored bars of sessions, from one read for all.

    Bars outside the grid's segments, and daily bars of dates that are no session, are left out. A daily bar's timestamp
    becomes the open of its session. ``count`` is 1, and for a built bar the number of finer bars in it.

    Raises:
        DamagedFileError: A file cannot be read.
    """
    begin_ns, end_ns = _bounds_ns(stored, sessions)
    rows = store.read_rows(symbols, str(stored), begin_ns, end_ns)
    starts, values = rows.columns["timestamp"], [rows.columns[name] for name in PRICE_COLUMNS]
    count = np.ones(len(starts), np.int32)
    built, made_of = rows.built
    count[built] = made_of
    repeats = _with_repeated_times(rows.runs, (starts, count) if len(built) else (starts,))
    rows_of = {symbol: slice(first, after) for symbol, first, after in rows.runs}
    times: BarTimes | None = None
    inside: slice | NDArray[np.bool_] = slice(None)
    for symbol in dict.fromkeys(symbols):
        own = rows_of.get(symbol)
        if own is None:
            yield symbol, Bars.empty()
            continue
        if times is None or symbol not in repeats:
            times, inside = in_sessions(BarTimes(starts[own], starts[own] + stored.ns, count[own]), stored, grid)
        yield symbol, Bars.of(times, *(column[own][inside] for column in values))


def _with_repeated_times(
    runs: Sequence[tuple[str, int, int]], columns: Sequence[NDArray[np.int64] | NDArray[np.int32]]
) -> set[str]:
    """Return the symbols whose columns of times equal those of the symbol before.

    Most symbols trade in the same minutes.
    """
    found: set[str] = set()
    for length, together in groupby(runs, key=lambda run: run[2] - run[1]):
        neighbours = list(together)
        size = max(2, COMPARED_ROWS // max(length, 1))
        for begin in range(0, len(neighbours) - 1, size - 1):
            block = neighbours[begin : begin + size]
            tables = [column[block[0][1] : block[-1][2]].reshape(len(block), length) for column in columns]
            same = np.logical_and.reduce([(table[1:] == table[:-1]).all(axis=1) for table in tables])
            found.update(symbol for (symbol, _, _), is_same in zip(block[1:], same.tolist(), strict=True) if is_same)
    return found


def read_through(
    manifest: Manifest,
    symbols: Sequence[str],
    base: str,
    first_day: int,
    last_day: int,
    horizon: int,
    cached_rows: int,
    *,
    all_days: bool = False,
) -> int:
    """Return the last day to read so that later days need few reads.

    All days are counted from 1970-01-01.

    Args:
        manifest: The files of the store.
        symbols: The symbols to read.
        base: The stored interval to read.
        first_day: The first requested day.
        last_day: The last requested day.
        horizon: The last day that will ever be requested; not before ``last_day``.
        cached_rows: The number of stored bars that are in the cache already.
        all_days: Whether to read as many days at once as the cache may hold.
    """
    if horizon == last_day:
        return last_day
    free_rows = READ_ROWS - cached_rows - rows_between(manifest, symbols, base, first_day, last_day)
    each = AHEAD_ROWS_EACH * (2 if len(symbols) <= _FEW_SYMBOLS else 1)
    rows = free_rows if all_days else min(free_rows, max(AHEAD_ROWS, each * len(symbols)))
    ahead = _day_after_rows(manifest, symbols, base, last_day, horizon, rows)
    # Reading a part of a file takes as long as reading all of it, and the next read would read it again.
    end_of_files = min(horizon, _end_of_files(manifest, symbols, base, ahead))
    return _day_after_rows(manifest, symbols, base, last_day, end_of_files, free_rows)


def read_batches(
    manifest: Manifest, symbols: Sequence[str], base: str, first_day: int, last_day: int
) -> Iterator[Sequence[str]]:
    """Yield the symbols in groups, each for one bulk read of bounded size."""
    expected = rows_between(manifest, symbols, base, first_day, last_day)
    size = max(1, len(symbols) * READ_ROWS // max(READ_ROWS, int(expected)))
    # A symbol of large files is read on its own, which takes no longer and lets its columns leave memory on their own.
    if any(file.rows > WHOLE_ROWS for file in _files_of(manifest, symbols, base, first_day)):
        size = 1
    for begin in range(0, len(symbols), size):
        yield symbols[begin : begin + size]


def rows_between(manifest: Manifest, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> float:
    """Estimate the number of stored bars in a range of days since 1970-01-01."""
    begin, end = first_day * DAY_NS, (last_day + 1) * DAY_NS
    total = 0.0
    for symbol in symbols:
        for file in _files_since(manifest, symbol, base, begin):
            if file.first_ns >= end:
                break
            common = min(end, file.last_ns + 1) - max(begin, file.first_ns)
            total += file.rows * common / (file.last_ns + 1 - file.first_ns)
    return total


def _day_after_rows(manifest: Manifest, symbols: Sequence[str], base: str, day: int, last_day: int, rows: float) -> int:
    """Estimate the day by which ``rows`` further bars follow ``day``, at most ``last_day``."""
    expected = rows_between(manifest, symbols, base, day + 1, last_day)
    if expected <= rows:
        return last_day
    return day + int((last_day - day) * max(rows, 0) / expected)


def _end_of_files(manifest: Manifest, symbols: Sequence[str], base: str, day: int) -> int:
    """Return the last day of the files of ``day`` that are read whole.

    It is ``day`` itself where all files are too large for that.
    """
    files = _files_of(manifest, symbols, base, day)
    return max((file.last_ns // DAY_NS for file in files if file.rows <= WHOLE_ROWS), default=day)


def _files_of(manifest: Manifest, symbols: Sequence[str], base: str, day: int) -> Iterator[FileEntry]:
    """Yield the files that may hold bars of a day, at most one per symbol."""
    begin, end = day * DAY_NS, (day + 1) * DAY_NS
    first = (next(iter(_files_since(manifest, symbol, base, begin)), None) for symbol in symbols)
    return (file for file in first if file is not None and file.first_ns < end)


def _files_since(manifest: Manifest, symbol: str, base: str, begin_ns: int) -> Sequence[FileEntry]:
    """Return the files of a series that do not end before a time."""
    files = manifest.files.get((symbol, base), ())
    return files[bisect_left(files, begin_ns, key=lambda file: file.last_ns) :]


def _bounds_ns(stored: Interval, sessions: SessionRange) -> tuple[int, int]:
    """Return the bounds of the stored timestamps of bars of sessions.

    They are in nanoseconds since 1970 UTC, the end exclusive.
    """
    if not len(sessions.days):
        return 0, 0
    if stored.is_intraday:
        return int(sessions.starts_ns[0]), int(sessions.starts_ns[-1])
    return int(sessions.days[0]) * DAY_NS, (int(sessions.days[-1]) + 1) * DAY_NS


_TimesAndRows = tuple[BarTimes, "slice | NDArray[np.bool_]"]
"""The times of bars within sessions, and the slice or mask of these among the stored rows."""


def in_sessions(times: BarTimes, stored: Interval, grid: SessionGrid) -> _TimesAndRows:
    """Select the bars within sessions, and cut their ends at the close.

    Args:
        times: The stored starts of bars, and their ends by the interval alone.
        stored: The interval of the bars.
        grid: The sessions.
    """
    return _within_hours(times, stored, grid) if stored.is_intraday else _of_days(times, stored, grid)


def _within_hours(times: BarTimes, stored: Interval, grid: SessionGrid) -> _TimesAndRows:
    """Select intraday bars on the grid of a segment, and cut their ends at its close."""
    # Bars are sorted and segments are few, so each segment is searched among the bars, not each bar among segments.
    first = np.searchsorted(times.timestamp, grid.segment_open_ns)
    after = np.searchsorted(times.timestamp, grid.segment_close_ns)
    late = np.searchsorted(times.timestamp, grid.segment_close_ns - stored.ns, side="right")
    if (late < after).any():
        times = BarTimes(times.timestamp, _cut(times.end, late, after, grid.segment_close_ns), times.count)
    off = off_grid(times.timestamp, stored, grid)
    if len(first) and (first[1:] == after[:-1]).all() and not off.any():
        begin, end = int(first[0]), int(after[-1])
        return times.window(begin, end), slice(begin, end)
    steps = np.zeros(len(times) + 1, np.int8)
    np.add.at(steps, first, 1)
    np.subtract.at(steps, after, 1)
    return _masked(times, (np.cumsum(steps[:-1]) > 0) & ~off)


def _cut(
    end: NDArray[np.int64], late: NDArray[np.intp], after: NDArray[np.intp], close_ns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return ``end`` with the close of segment k at rows ``late[k]`` to ``after[k]``."""
    cut = end.copy()
    for k in np.flatnonzero(late < after):
        cut[late[k] : after[k]] = close_ns[k]
    return cut


def _of_days(times: BarTimes, stored: Interval, grid: SessionGrid) -> _TimesAndRows:  # noqa: ARG001 - see _within_hours
    """Select daily bars of sessions, each from open to close."""
    day = times.timestamp // DAY_NS
    first = int(np.searchsorted(grid.days, day[0]))
    # The usual case is one bar for each session, where one search is enough.
    if np.array_equal(grid.days[first : first + len(day)], day):
        session = slice(first, first + len(day))
        return BarTimes(grid.open_ns[session], grid.close_ns[session], times.count), slice(None)
    place = np.minimum(np.searchsorted(grid.days, day), len(grid.days) - 1)
    return _masked(BarTimes(grid.open_ns[place], grid.close_ns[place], times.count), grid.days[place] == day)


def _masked(times: BarTimes, rows: NDArray[np.bool_]) -> _TimesAndRows:
    return BarTimes(times.timestamp[rows], times.end[rows], times.count[rows]), rows
