"""`SharedTimes`: one object for equal times, however many series have them; what follows from it is worked out once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary

from openbell.bars import BarTimes
from openbell.data.aggregate import aggregated, grouped
from openbell.data.cache import CachedBars, SessionRange
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from openbell.bars import Bars
    from openbell.data.aggregate import Grouping
    from openbell.interval import Interval
    from openbell.timing.manager import TimeManager

__all__ = ["SharedTimes"]

_RANGES_KEPT = 16


class SharedTimes:
    """The times of the series of one store and calendar: most symbols trade in the same minutes.

    Args:
        time_manager: Sessions and hours.
    """

    def __init__(self, time_manager: TimeManager) -> None:
        self._time_manager = time_manager
        self._ranges: dict[tuple[int, int], SessionRange] = {}
        # By count, first and last bar: the times that came last.
        self._known: WeakValueDictionary[tuple[int, int, int], BarTimes] = WeakValueDictionary()
        self._groupings: WeakKeyDictionary[BarTimes, dict[tuple[Interval, Interval, int, int], Grouping]]
        self._groupings = WeakKeyDictionary()

    def sessions(self, first_day: int, last_day: int) -> SessionRange:
        """The sessions of a range of dates, in days since 1970-01-01, both inclusive."""
        known = self._ranges.get((first_day, last_day))
        if known is None:
            if len(self._ranges) >= _RANGES_KEPT:
                self._ranges.clear()
            grid = self._time_manager.grid(date_of(first_day), date_of(last_day))
            known = self._ranges[first_day, last_day] = SessionRange.of(first_day, last_day, grid)
        return known

    def cached(self, sessions: SessionRange, bars: Bars) -> CachedBars:
        """Bars to keep, at the times of others where these are the same."""
        if not len(bars):
            return CachedBars(sessions, bars)
        times = bars.times
        key = len(times), int(times.timestamp[0]), int(times.timestamp[-1])
        known = self._known.get(key)
        if known is None or not known.equal(times):
            # A copy, because these may be a part of much larger columns, which would stay in memory with them.
            known = self._known[key] = BarTimes(times.timestamp.copy(), times.end.copy(), times.count.copy())
        return CachedBars(sessions, bars.at(known))

    def aggregated(
        self, bars: Bars, sessions: SessionRange, interval: Interval, *, base: Interval, min_completeness: float
    ) -> Bars:
        """As `aggregate`; bars of equal times give bars of equal times."""
        groupings = self._groupings.setdefault(bars.times, {})
        key = interval, base, sessions.first_day, sessions.last_day
        known = groupings.get(key)
        if known is None:
            grid = self._time_manager.grid(date_of(sessions.first_day), date_of(sessions.last_day))
            known = grouped(bars.times, grid, interval, base=base, min_completeness=min_completeness)
            groupings[key] = known
        return aggregated(bars, known)
