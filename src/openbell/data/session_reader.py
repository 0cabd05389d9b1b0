"""Stored bars as the bars of sessions: within trading hours, with the close of each by the calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.bars import Bars
from openbell.data.aggregate import rows_in_segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from openbell.data.cache import SessionRange
    from openbell.data.manifest import Manifest
    from openbell.data.store import BarStore
    from openbell.interval import Interval
    from openbell.timing.grid import SessionGrid

__all__ = ["read_sessions", "rows_between"]

_DAY_NS = 86_400_000_000_000


def read_sessions(
    store: BarStore, symbols: Sequence[str], stored: Interval, grid: SessionGrid, sessions: SessionRange
) -> Iterator[tuple[str, Bars]]:
    """The stored bars of each symbol that lie within the sessions of ``grid``, with one read for all symbols.

    Bars outside the grid's segments, and daily bars of dates that are no session, are left out. A daily bar's timestamp
    becomes the open of its session.

    Raises:
        DamagedFileError: A file cannot be read.
    """
    begin_ns, end_ns = _reach_ns(stored, sessions)
    rows = store.read_rows(symbols, str(stored), begin_ns, end_ns)
    raw = rows.frame["timestamp"].to_physical().to_numpy()
    inside, timestamp, end = (_intraday if stored.is_intraday else _daily)(raw, stored, grid)
    values = {name: rows.frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume")}
    bars = Bars(timestamp=timestamp, end=end, **values, count=np.ones(len(raw), np.int32))
    if not inside.all():
        bars = bars.take(inside)
    kept = np.concatenate([[0], np.cumsum(inside)])
    found = {symbol: bars[int(kept[first]) : int(kept[last])] for symbol, first, last in rows.runs}
    for symbol in symbols:
        yield symbol, found.get(symbol, Bars.empty())


def rows_between(manifest: Manifest, symbols: Sequence[str], base: str, first_day: int, last_day: int) -> float:
    """About how many bars the store has in a range of dates (days since 1970-01-01)."""
    begin, end = first_day * _DAY_NS, (last_day + 1) * _DAY_NS
    total = 0.0
    for symbol in symbols:
        for file in manifest.files.get((symbol, base), ()):
            common = min(end, file.last_ns + 1) - max(begin, file.first_ns)
            if common > 0:
                total += file.rows * common / (file.last_ns + 1 - file.first_ns)
    return total


def _reach_ns(stored: Interval, sessions: SessionRange) -> tuple[int, int]:
    """From when to when (exclusive) the timestamps of stored bars of these sessions are."""
    if not len(sessions.days):
        return 0, 0
    if stored.is_intraday:
        return int(sessions.starts_ns[0]), int(sessions.starts_ns[-1])
    return int(sessions.days[0]) * _DAY_NS, (int(sessions.days[-1]) + 1) * _DAY_NS


_Rows = tuple["NDArray[np.bool_]", "NDArray[np.int64]", "NDArray[np.int64]"]


def _intraday(raw: NDArray[np.int64], stored: Interval, grid: SessionGrid) -> _Rows:
    """(which rows are within the hours, start, end) of intraday bars."""
    inside, segment = rows_in_segments(raw, grid)
    if not len(grid.days):
        return inside, raw, raw
    return inside, raw, np.minimum(raw + stored.ns, grid.segment_close_ns[segment])


def _daily(raw: NDArray[np.int64], stored: Interval, grid: SessionGrid) -> _Rows:  # noqa: ARG001 - the twin of _intraday
    """(which rows are sessions, open, close) of daily bars."""
    if not len(grid.days):
        return np.zeros(len(raw), np.bool_), raw, raw
    # A table from date to session: faster than a search, and small.
    first_day = int(grid.days[0])
    session_of = np.full(int(grid.days[-1]) - first_day + 1, -1, np.int64)
    session_of[grid.days - first_day] = np.arange(len(grid.days))
    session = session_of[raw // _DAY_NS - first_day]
    return session >= 0, grid.open_ns[session], grid.close_ns[session]
