"""Clock, calendar and trading-day arithmetic of one exchange."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import CalendarError
from openbell.model.interval import Interval, parse_interval
from openbell.timing.calendars import SessionHours, based_on, load_calendar
from openbell.timing.clock import Clock, WallClock
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

    from openbell.config.exchange import ExchangeConfig
    from openbell.timing.calendars import ExchangeCalendar
    from openbell.timing.grid import SessionGrid
    from openbell.timing.trading_session import TradingSession

__all__ = ["TimeManager"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_CACHED = 256
_MOST_CACHED_GRIDS = 32


class TimeManager:
    """Calendar, clock and trading-day arithmetic of one exchange.

    Days are the dates of sessions, by which the exchange counts; times are nanoseconds since 1970 UTC unless a method
    says otherwise. Everything is looked up in arrays that are made once per process and exchange, so that the methods
    may be called in loops and from any thread. Methods raise `CalendarError` for days that the calendar does not reach.

    Args:
        exchange: A calendar of exchange_calendars, such as ``XNYS``, ``XHKG``, ``CMES`` or ``24/7``; an alias such as
            ``US_EQUITY``; or own sessions, as a config describes them.
        session_hours: ``extended`` adds the pre-market and the post-market to the sessions.
        clock: The clock; the machine's unless given.

    Raises:
        UnknownNameError: There is no calendar of that name.
        ConfigError: Own sessions contradict themselves, or no extended hours are known for the exchange.
    """

    def __init__(
        self,
        exchange: str | ExchangeConfig = "XNYS",
        *,
        session_hours: SessionHours = "regular",
        clock: Clock | None = None,
    ) -> None:
        self._given = exchange
        self.session_hours: SessionHours = session_hours
        self.clock: Clock = clock if clock is not None else WallClock()
        self._use(load_calendar(exchange, session_hours))

    def _use(self, calendar: ExchangeCalendar) -> None:
        """Use a calendar for all look-ups from now on."""
        self.exchange = calendar.exchange
        self.timezone: ZoneInfo = calendar.timezone
        self._all = calendar.sessions
        self._settled_until = sys.maxsize if calendar.settled_until is None else calendar.settled_until
        # Single days are looked up by bisection of an array of Python, which costs a tenth of a search by NumPy.
        self._days = calendar.days
        self._first_day, self._last_day = self._days[0], self._days[-1]
        self._session_of_day = lru_cache(maxsize=_MOST_CACHED)(self._session)
        self._grid_between = lru_cache(maxsize=_MOST_CACHED_GRIDS)(self._all.between)
        # Cached, because the same days and times are looked up for each symbol.
        self._grid_of = lru_cache(maxsize=_MOST_CACHED_GRIDS)(self._grid_of_days)
        self._session_of = lru_cache(maxsize=_MOST_CACHED)(self._session_at)
        self._first_ns, self._last_ns = calendar.first_ns, calendar.last_ns
        unsettled = bisect_right(self._days, self._settled_until)
        self._settled_ns = sys.maxsize if unsettled == len(self._days) else int(self._last_ns[unsettled - 1])

    def _use_installed(self) -> None:
        """Switch to the calendar of the installed exchange_calendars, which may know more of recent days."""
        self._use(load_calendar(self._given, self.session_hours, latest=True))

    def with_session_hours(self, session_hours: SessionHours) -> TimeManager:
        """Return a time manager of the same exchange and clock with other session hours.

        Raises:
            ConfigError: Extended hours are requested, and none are known for the exchange.
        """
        return TimeManager(self._given, session_hours=session_hours, clock=self.clock)

    @property
    def based_on(self) -> str:
        """The exchange by its name without aliases, or the one that own sessions are based on."""
        return based_on(self._given)

    @property
    def sessions_of(self) -> str:
        """Identity of the calendar, for comparisons (the exchange's name, or own sessions as JSON)."""
        return self._given if isinstance(self._given, str) else self._given.model_dump_json(exclude_defaults=True)

    def __repr__(self) -> str:
        return f"TimeManager({self.exchange!r}, session_hours={self.session_hours!r})"

    # What time it is

    @property
    def now_ns(self) -> int:
        """Time of the clock, in nanoseconds since 1970 UTC."""
        return self.clock.now_ns

    def get_current_time(self) -> datetime:
        """Return the clock's time as an aware datetime in UTC."""
        return _EPOCH + timedelta(microseconds=self.now_ns // 1000)

    def to_local(self, ns: int) -> datetime:
        """Convert a time to the exchange's wall clock, time-zone aware, to the microsecond."""
        return (_EPOCH + timedelta(microseconds=int(ns) // 1000)).astimezone(self.timezone)

    def local_ns(self, day: date, clock_time: time) -> int:
        """Return when the exchange's wall clock shows ``clock_time`` on the date ``day``.

        A time that occurs twice, because clocks go back, is its first occurrence.
        """
        local = datetime.combine(day, clock_time.replace(tzinfo=None), tzinfo=self.timezone)
        return (local.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1) * 1000

    def day_of(self, ns: int) -> date:
        """Return the date of the session that a time belongs to.

        That is the session that trades at ``ns`` (a close belongs to the session that it ends, unless the next one
        opens at that time). Outside trading hours, it is the session of the exchange's date at ``ns``, or the next one
        when that date has none.
        """
        return self._session_of(int(ns))

    def _session_at(self, ns: int) -> date:
        if ns > self._settled_ns:
            self._use_installed()
        position = int(np.searchsorted(self._first_ns, ns, side="right")) - 1
        if position >= 0 and ns <= self._last_ns[position]:
            return date_of(self._days[position])
        return self.first_session_on_or_after(self.to_local(ns).date())

    # Which days are sessions

    @property
    def first_day(self) -> date:
        """First session that the calendar knows."""
        return date_of(self._first_day)

    @property
    def last_day(self) -> date:
        """Last session that the calendar knows."""
        return date_of(self._last_day)

    def sessions(self, first: date, last: date) -> list[date]:
        """List the sessions from ``first`` to ``last``, both inclusive."""
        begin, end = self._window(first, last)
        return [date_of(day) for day in self._days[begin:end]]

    def is_session(self, day: date) -> bool:
        """Return whether the exchange has a session of that date."""
        position = self._position(day)
        return position < len(self._days) and self._days[position] == day_number(day)

    def first_session_on_or_after(self, day: date) -> date:
        """Return the session of ``day``, or the next one."""
        return date_of(self._days[self._position(day)])

    def last_session_on_or_before(self, day: date) -> date:
        """Return the session of ``day``, or the one before."""
        number = self._checked(day)
        return date_of(self._days[bisect_right(self._days, number) - 1])

    def session_before(self, day: date, n: int = 1) -> date:
        """Return the session ``n`` sessions before ``day``.

        ``day`` need not be a session itself.

        Raises:
            CalendarError: The calendar does not reach that far back.
            ValueError: ``n`` is less than 1.
        """
        if n < 1:
            raise ValueError(f"n is {n}; it must be 1 or more. Use first_session_on_or_after for the day itself.")
        position = self._position(day) - n
        if position < 0:
            raise CalendarError(f"there are no {n} sessions before {day}: {self._bounds()}")
        return date_of(self._days[position])

    # What a session looks like

    def session(self, day: date) -> TradingSession:
        """Return the session of a date, with its times.

        Raises:
            CalendarError: The date has no session.
        """
        return self._session_of_day(day)

    def _session(self, day: date) -> TradingSession:
        i = self._position(day)
        if self._days[i] != day_number(day):
            following = date_of(self._days[i])
            raise CalendarError(f"{day} is not a session of {self.exchange}; the next one is {following}.")
        return self._all.session_at(i)

    def grid(self, first: date, last: date) -> SessionGrid:
        """Return the sessions from ``first`` to ``last``, both inclusive, as columns.

        The grid is empty when there is no session between.
        """
        return self._grid_of(first, last)

    def _grid_of_days(self, first: date, last: date) -> SessionGrid:
        return self._grid_between(*self._window(first, last))

    def widened(self, interval: str | Interval, first: date, last: date) -> tuple[date, date]:
        """Widen a window of days to whole bars of ``interval``, and return its first and last session.

        For ``1w`` these are the sessions of whole weeks; for ``1d`` and intraday intervals, those of the window itself.

        Raises:
            CalendarError: There is no session in the window.
        """
        interval = _interval(interval)
        begin, end = self._window(first, last)
        if begin == end:
            raise CalendarError(f"{self.exchange} has no session from {first} to {last}.")
        if not interval.is_intraday:
            groups = _groups(self._all, interval)
            begin = int(np.searchsorted(groups, groups[begin], side="left"))
            end = int(np.searchsorted(groups, groups[end - 1], side="right"))
        return date_of(self._days[begin]), date_of(self._days[end - 1])

    def expected_bar_times(self, interval: str | Interval, day: date) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return starts and ends of the bars expected in the regular hours of ``day``.

        For ``1w`` and ``<n>d`` it is the one bar that the session belongs to, from its first open to its last close.

        Raises:
            CalendarError: ``day`` is not a session.
        """
        if not self.is_session(day):
            self.session(day)
        bars = self.grid(day, day).expected_bars(_interval(interval))
        return bars.start_ns, bars.end_ns

    def first_session_for_bars(self, interval: str | Interval, bars: int, before: date) -> date:
        """Return the latest session from which on ``bars`` bars close before ``before``.

        It walks the calendar back over holidays and half days. Of ``1w`` and ``<n>d`` only whole bars count.

        Args:
            interval: The interval of the bars.
            bars: How many are needed; with 0 or less, the result is the first session on or after ``before``.
            before: The day whose history is wanted; need not be a session.

        Raises:
            CalendarError: The calendar does not reach that far back.
        """
        interval = _interval(interval)
        end = self._position(before)
        if bars <= 0:
            return date_of(self._days[end])
        begin = self._walk_back(interval, bars, end)
        if begin < 0:
            raise CalendarError(f"there are no {bars} bars of {interval} before {before}: {self._bounds()}")
        return date_of(self._days[begin])

    def _walk_back(self, interval: Interval, bars: int, end: int) -> int:
        """Return the index of the session where the last ``bars`` whole bars before ``end`` begin.

        The result is -1 when there are fewer bars.
        """
        if interval.is_intraday:
            total = self._all.bars_before(interval)
            return int(np.searchsorted(total, total[end] - bars, side="right")) - 1
        groups = _groups(self._all, interval)
        if end < len(groups) and end > 0 and groups[end - 1] == groups[end]:
            end = int(np.searchsorted(groups, groups[end], side="left"))
        starts = np.flatnonzero(np.diff(groups[:end], prepend=groups[0] - 1)) if end else np.empty(0, np.int64)
        return int(starts[-bars]) if bars <= len(starts) else -1

    def _window(self, first: date, last: date) -> tuple[int, int]:
        """Return the sessions from ``first`` to ``last`` as a range of indexes."""
        number, after = (
            self._checked(first),
            self._checked(last) + 1,
        )  # before the days are searched, because this may replace them
        begin, end = bisect_left(self._days, number), bisect_left(self._days, after)
        return begin, max(begin, end)

    def _position(self, day: date) -> int:
        """Return the index of the first session on or after ``day``."""
        number = self._checked(day)
        return bisect_left(self._days, number)

    def _checked(self, day: date) -> int:
        """Return ``day`` in days since 1970-01-01.

        For a day that is not settled, the time manager first switches to the installed exchange_calendars.

        Raises:
            CalendarError: The calendar does not reach it.
        """
        number = day_number(day)
        if number > self._settled_until:
            self._use_installed()
        if not self._first_day <= number <= self._last_day:
            raise CalendarError(f"{day} is outside the calendar: {self._bounds()} Choose days within it.")
        return number

    def _bounds(self) -> str:
        return f"{self.exchange} is known from {date_of(self._first_day)} to {date_of(self._last_day)}."


@lru_cache(maxsize=256)
def _groups(grid: SessionGrid, interval: Interval) -> NDArray[np.int64]:
    """Return per session the number of its ``<n>d`` or ``<n>w`` bar."""
    return grid.group_of_session(interval)


def _interval(interval: str | Interval) -> Interval:
    return interval if isinstance(interval, Interval) else parse_interval(interval)
