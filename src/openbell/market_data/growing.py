"""Growth of cached series by the bars of a running session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.series import CachedSeries
from openbell.market_data.stored_history import in_sessions
from openbell.model.bars import Bars, BarTimes
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from openbell.market_data.series import SharedTimes
    from openbell.market_data.today import TodayBars
    from openbell.model.interval import Interval
    from openbell.timing.manager import TimeManager

__all__ = ["LatestBars"]


class LatestBars:
    """The bars of a running session as a cache needs them, one object of times for all symbols with equal ones.

    Args:
        today: What has come.
        time_manager: Sessions and hours.
        times: The times that series share.
    """

    def __init__(self, today: TodayBars, time_manager: TimeManager, times: SharedTimes) -> None:
        self._today = today
        self._time_manager = time_manager
        self._times = times
        self._known: dict[tuple[str, bytes], tuple[BarTimes, slice | np.ndarray[tuple[int], np.dtype[np.bool_]]]] = {}

    @property
    def day(self) -> int:
        """The session's day, in days since 1970-01-01."""
        return day_number(self._today.day)

    def of(self, symbol: str, stored: Interval) -> CachedSeries:
        """Return what has come of a symbol in one interval, as a series of the session's day."""
        day = self.day
        sessions = self._times.sessions(day, day)
        columns = self._today.columns(symbol, str(stored))
        if columns is None:
            return CachedSeries(sessions, Bars.empty())
        key = str(stored), columns.start_ns.tobytes()
        known = self._known.get(key)
        if known is None:
            grid = self._time_manager.grid(date_of(day), date_of(day))
            count = np.ones(len(columns.start_ns), np.int32)
            known = in_sessions(BarTimes(columns.start_ns, columns.start_ns + stored.ns, count), stored, grid)
            self._known[key] = known
        times, inside = known
        return CachedSeries(sessions, Bars.of(times, *(column[inside] for column in columns.prices)))

    def continued(self, series: CachedSeries, symbol: str, stored: Interval) -> CachedSeries:
        """Return a series up to the day before, with the bars of the session after it."""
        day = self.day
        if not series.covers(day, day):
            return series
        history, now = series.between(series.first_day, day - 1), self.of(symbol, stored)
        if not len(history):
            return self._times.series(series.sessions, now.bars)
        return self._times.joined(CachedSeries(self._times.sessions(series.first_day, day - 1), history), now)
