"""Growth of cached series by the bars of a running session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from openbell.market_data.series import CachedSeries
from openbell.market_data.stored_history import in_sessions
from openbell.model.bars import PRICE_COLUMNS, Bars, BarTimes
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.market_data.series import SharedTimes
    from openbell.market_data.today_bars import TodayBars, TodayColumns
    from openbell.model.interval import Interval
    from openbell.timing.time_manager import TimeManager

__all__ = ["LatestBars"]

_TimesAndRows: TypeAlias = "tuple[BarTimes, slice | NDArray[np.bool_]]"

_ROOM = 64
"""The number of further bars that a series gets room for when its room is full."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class _Growing(CachedSeries):
    """A series that ends with the bars of today so far, and has room for more.

    The bars are views of the first part of the room, which is never written again.

    Attributes:
        room: Open, high, low, close and volume; a row each.
        edition: `TodayColumns.edition` of the bars of today; another object means that earlier bars have changed.
        count: The number of today's bars that had arrived when the series was made.
    """

    room: NDArray[np.float64]
    edition: object
    count: int


class LatestBars:
    """The bars of a running session as series.

    Symbols with equal times share one object of times.

    Args:
        today: The bars that have arrived.
        time_manager: Sessions and hours.
        times: The times that series share.
    """

    def __init__(self, today: TodayBars, time_manager: TimeManager, times: SharedTimes) -> None:
        self._today = today
        self._time_manager = time_manager
        self._times = times
        self._known: dict[tuple[str, bytes], _TimesAndRows] = {}
        # By earlier times and the starts of new bars: the times of both, and a mask of the new bars within sessions.
        self._longer: dict[tuple[BarTimes, bytes], _TimesAndRows] = {}
        self._starts: dict[Interval, NDArray[np.int64]] = {}

    @property
    def day(self) -> int:
        """The session's day, in days since 1970-01-01."""
        return day_number(self._today.day)

    def of(self, symbol: str, stored: Interval) -> CachedSeries:
        """Return the arrived bars of a symbol and interval as a series."""
        day = self.day
        sessions = self._times.sessions(day, day)
        columns = self._today.columns(symbol, str(stored))
        if columns is None:
            return CachedSeries(sessions, Bars.empty())
        times, inside = self._in_sessions(columns.start_ns, stored)
        return CachedSeries(sessions, Bars.of(times, *(column[inside] for column in columns.prices)))

    def continued(self, series: CachedSeries, symbol: str, stored: Interval) -> CachedSeries:
        """Return the series with the bars of the running session that have arrived by now.

        A series that does not cover the session's day is returned as it is.
        """
        day = self.day
        if not series.covers(day, day):
            return series
        columns = self._today.columns(symbol, str(stored))
        if isinstance(series, _Growing) and columns is not None and columns.edition is series.edition:
            times, inside = self._with_new(series.bars.times, columns.start_ns[series.count :], stored)
            return _longer(series, times, columns.prices[:, series.count :][:, inside], len(columns.start_ns))
        history, now = series.between(series.first_day, day - 1), self.of(symbol, stored)
        if len(history):
            earlier = CachedSeries(self._times.sessions(series.first_day, day - 1), history)
            whole = self._times.joined(earlier, now)
        else:
            whole = self._times.series(series.sessions, now.bars)
        return whole if columns is None else _with_room(whole, columns, self._bars_left(columns.start_ns, stored))

    def _bars_left(self, start_ns: NDArray[np.int64], stored: Interval) -> int:
        """Return the number of bars that may still arrive on the session's day by the calendar."""
        if not stored.is_intraday:
            return 1
        if stored not in self._starts:
            grid = self._time_manager.grid(date_of(self.day), date_of(self.day))
            self._starts[stored] = grid.possible_bars(stored).start_ns
        starts = self._starts[stored]
        return len(starts) - int(starts.searchsorted(start_ns[-1], side="right"))

    def _in_sessions(self, start_ns: NDArray[np.int64], stored: Interval) -> _TimesAndRows:
        """Return the times within the session, and a mask or slice of these bars."""
        key = str(stored), start_ns.tobytes()
        known = self._known.get(key)
        if known is None:
            grid = self._time_manager.grid(date_of(self.day), date_of(self.day))
            count = np.ones(len(start_ns), np.int32)
            known = self._known[key] = in_sessions(BarTimes(start_ns, start_ns + stored.ns, count), stored, grid)
        return known

    def _with_new(self, times: BarTimes, start_ns: NDArray[np.int64], stored: Interval) -> _TimesAndRows:
        """Return times extended by those of new bars within the session.

        The second value is a mask or slice of these among the new bars.
        """
        key = times, start_ns.tobytes()
        known = self._longer.get(key)
        if known is None:
            new, inside = self._in_sessions(start_ns, stored)
            known = self._longer[key] = self._times.shared(BarTimes.concat((times, new))), inside
        return known


def _with_room(series: CachedSeries, columns: TodayColumns, left: int) -> _Growing:
    """Copy a series that ends with today's bars, with room for ``left`` further ones."""
    bars, rows = series.bars, len(series.bars)
    room = np.empty((len(PRICE_COLUMNS), rows + left))
    for row, name in zip(room, PRICE_COLUMNS, strict=True):
        row[:rows] = getattr(bars, name)
    whole = Bars.of(bars.times, *room[:, :rows])
    return _Growing(series.sessions, whole, room, columns.edition, len(columns.start_ns))


def _longer(series: _Growing, times: BarTimes, new: NDArray[np.float64], count: int) -> _Growing:
    """Return a series with new bars after it, in the same room if they fit."""
    room, before, rows = series.room, len(series.bars), len(times)
    if rows > room.shape[1]:
        room = np.empty((len(PRICE_COLUMNS), rows + _ROOM))
        room[:, :before] = series.room[:, :before]
    room[:, before:rows] = new
    return _Growing(series.sessions, Bars.of(times, *room[:, :rows]), room, series.edition, count)
