"""Grid of the sessions, on which a bar begins a whole number of intervals after an open of trading."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import DamagedFileError
from openbell.market_data.aggregate import rows_in_segments
from openbell.model.interval import BASE_INTERVALS, DAY_NS
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openbell.model.interval import Interval
    from openbell.store.data_file import FileEntry
    from openbell.store.store import BarStore
    from openbell.timing.grid import SessionGrid
    from openbell.timing.time_manager import TimeManager

__all__ = ["follows_sessions", "off_grid"]

_SAMPLE_NS = 31 * DAY_NS
_MINUTE_NS = 60_000_000_000


def off_grid(starts: NDArray[np.int64], interval: Interval, grid: SessionGrid) -> NDArray[np.bool_]:
    """Mark the bars within trading that begin between two bars of a session.

    Such a bar would end after the bar that it is counted in, and show its close too early.

    Args:
        starts: When intraday bars begin, nanoseconds since 1970 UTC.
        interval: Their interval.
        grid: The sessions.
    """
    if str(interval) == "1s" or (str(interval) == "1m" and not (starts % _MINUTE_NS).any()):
        return np.zeros(len(starts), np.bool_)  # seconds and full minutes fit, for trading begins at such
    inside, segment = rows_in_segments(starts, grid)
    if not inside.any():
        return inside
    marked: NDArray[np.bool_] = inside & ((starts - grid.segment_open_ns[segment]) % interval.ns != 0)
    return marked


def follows_sessions(
    store: BarStore, files: Sequence[FileEntry], symbol: str, interval: Interval, time_manager: TimeManager
) -> bool:
    """Return whether a stored series lies on the grid of the sessions by and large, so that others are made of it.

    Bars on clock hours do not where trading opens at half past.

    Args:
        store: The store.
        files: The files of the series, in order of time.
        symbol: The symbol that it is stored under.
        interval: Its interval.
        time_manager: The calendar.
    """
    if not interval.is_intraday or str(interval) in BASE_INTERVALS or not files:
        return True
    ends = np.array([time for file in files for time in (file.first_ns, file.last_ns)], np.int64)
    share = _share_on_grid(ends, interval, time_manager)
    if share is not None and share in (0, 1):
        return share == 1
    # Bars are read where no end of a file lies in regular hours, or ends disagree. The middle of these shares counts.
    sample = [] if share is None else [share]
    for begin_ns in {files[at].first_ns for at in (0, len(files) // 2, -1)}:
        try:
            rows = store.read_rows([symbol], str(interval), begin_ns, begin_ns + _SAMPLE_NS)
        except DamagedFileError:
            continue
        if (one := _share_on_grid(rows.columns["timestamp"], interval, time_manager)) is not None:
            sample.append(one)
    return bool(sample) and float(np.median(sample)) > 1 / 2


def _share_on_grid(starts: NDArray[np.int64], interval: Interval, time_manager: TimeManager) -> float | None:
    """Return the share of bars on the grid among those within regular hours, None without any."""
    week = timedelta(days=7)
    first = max(date_of(int(starts[0]) // DAY_NS) - week, time_manager.first_day)
    last = min(date_of(int(starts[-1]) // DAY_NS) + week, time_manager.last_day)
    if first > last:
        return None
    grid = time_manager.grid(first, last)
    counted, segment = rows_in_segments(starts, grid, regular_only=True)
    if not counted.any():
        return None
    on = (starts - grid.segment_open_ns[segment]) % interval.ns == 0
    return float(on[counted].mean())
