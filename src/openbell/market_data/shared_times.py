"""`SharedTimes`: one object for equal times, however many series have them; what follows from it is worked out once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary

from openbell.market_data.aggregate import aggregated, grouped
from openbell.market_data.cache import CachedBars, SessionRange
from openbell.model.bars import TIME_COLUMNS, Bars, BarTimes
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from openbell.market_data.aggregate import Grouping
    from openbell.model.interval import Interval
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
        # What was made of times that are still there: of the same ones, and of the ones that follow.
        self._copies: WeakKeyDictionary[BarTimes, BarTimes] = WeakKeyDictionary()
        self._followed: WeakKeyDictionary[BarTimes, WeakKeyDictionary[BarTimes, BarTimes]] = WeakKeyDictionary()
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
        known = self._copies.get(times)
        if known is None:
            key = len(times), int(times.timestamp[0]), int(times.timestamp[-1])
            known = self._known.get(key)
            if known is None or not known.equal(times):
                known = self._known[key] = _on_their_own(times)
            if known is not times:
                self._copies[times] = known
        return CachedBars(sessions, bars.at(known))

    def joined(self, earlier: CachedBars, later: CachedBars) -> CachedBars:
        """Two series that touch as one; of the same times the times are joined once."""
        sessions = self.sessions(earlier.first_day, later.last_day)
        parts = earlier.bars, later.bars
        if not all(map(len, parts)):
            return self.cached(sessions, Bars.concat(parts))
        followed = self._followed.get(parts[0].times)
        if followed is None:
            followed = self._followed[parts[0].times] = WeakKeyDictionary()
        times = followed.get(parts[1].times)
        if times is None:
            times = followed[parts[1].times] = BarTimes.concat(part.times for part in parts)
        return self.cached(sessions, Bars.concat(parts, times))

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


def _on_their_own(times: BarTimes) -> BarTimes:
    """Times that are no part of larger columns, which would stay in memory with them."""
    columns = [getattr(times, name) for name in TIME_COLUMNS]
    return times if all(c.base is None for c in columns) else BarTimes(*(c.copy() for c in columns))
