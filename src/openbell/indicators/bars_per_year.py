"""Number of bars in a year of a calendar, for values that are given per year."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from openbell.model.interval import Interval
    from openbell.timing.grid import SessionGrid

__all__ = ["bars_per_year"]

_DAYS_PER_YEAR = 365.2425
_COUNTED = day_number(date(2005, 1, 1)), day_number(date(2025, 1, 1))
"""Sessions are counted in these years, so that the number is the same whenever a run takes place."""


def bars_per_year(grid: SessionGrid, interval: Interval) -> float:
    """Return the bars in a year, as rounded sessions in a year times bars in a usual session.

    On XNYS that is 252 of ``1d``, 252 x 78 of ``5m`` and 52 of ``1w``; on ``24/7`` 365 of ``1d``. Extended hours count
    when the grid has them.
    """
    return _bars_per_year(grid.whole or grid, interval)


@lru_cache(maxsize=64)
def _bars_per_year(grid: SessionGrid, interval: Interval) -> float:
    if interval.unit == "w":
        return round(_DAYS_PER_YEAR / 7) / interval.count
    sessions = _sessions_per_year(grid)
    return sessions * _bars_of_usual_session(grid, interval) if interval.is_intraday else sessions / interval.count


def _sessions_per_year(grid: SessionGrid) -> int:
    counted = grid.days[(grid.days >= _COUNTED[0]) & (grid.days < _COUNTED[1])]
    days = counted if len(counted) >= _DAYS_PER_YEAR else grid.days
    if len(days) < 2:
        return 252
    return round((len(days) - 1) / int(days[-1] - days[0]) * _DAYS_PER_YEAR)


def _bars_of_usual_session(grid: SessionGrid, interval: Interval) -> int:
    length = grid.segment_close_ns - grid.segment_open_ns
    bars = np.bincount(grid.segment_session, -(-length // interval.ns))
    numbers, sessions = np.unique(bars, return_counts=True)
    return int(numbers[np.argmax(sessions)])
