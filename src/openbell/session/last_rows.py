"""Rows of the last sessions or bars of a series."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, NoReturn, Protocol

from openbell.errors import ConfigError, DataError
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from datetime import date

    from openbell.market_data.completeness import Completeness
    from openbell.model.bars import BarTimes
    from openbell.session.series import BarIntervalData
    from openbell.timing.grid import ExpectedBars
    from openbell.timing.time_manager import TimeManager

__all__ = ["Reach", "last_rows"]


class Reach(Protocol):
    """Calendar of a series, and the time from which the series has all stored bars."""

    @property
    def time_manager(self) -> TimeManager:
        """The calendar."""

    @property
    def day(self) -> date:
        """The session's day."""

    @property
    def whole_from_ns(self) -> int:
        """Time from which the series has all stored bars, nanoseconds since 1970 UTC."""

    @property
    def stored_from(self) -> date | None:
        """The session in which the store's bars begin (None before any has closed)."""

    def at(self, times: BarTimes) -> Reach:
        """Return the reach of the series after it has grown to ``times``."""

    def quality(self) -> tuple[Completeness, ExpectedBars]:
        """Return the completeness of the history, and the bars expected today."""

    def expected_of_base(self) -> ExpectedBars:
        """Return the expected bars of the base interval, from the first bar of the series on."""


def last_rows(series: BarIntervalData, reach: Reach | None, sessions: int | None, bars: int | None) -> slice:
    """Return the rows of the last sessions before today, or of the last closed bars.

    Raises:
        TypeError: Neither or both numbers are given.
        ConfigError: The number is not a whole one of 1 or more, or sessions are asked of bars that span several.
        DataError: The series does not reach back far enough, or sessions are asked of one made by hand.
    """
    if (sessions is None) == (bars is None):
        raise TypeError("last takes one argument by name: last(sessions=2) or last(bars=100)")
    if sessions is None:
        return _last_bars(series, _checked_number(series, "bars", bars))
    return _last_sessions(series, reach, _checked_number(series, "sessions", sessions))


def _checked_number(series: BarIntervalData, name: str, number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, Integral) or number < 1:
        of = f"{series.symbol} {series.interval}"
        raise ConfigError(f"{of}: last({name}={number!r}) takes a whole number, 1 or more.")
    return int(number)


def _last_bars(series: BarIntervalData, bars: int) -> slice:
    closed = series.cursor
    if closed < bars:
        remedy = f"Ask for more history: context.add_bar({series.symbol!r}, {series.interval!r}, bars={bars})."
        asked = f"{series.symbol} {series.interval}: the last {bars:,} bars are asked for"
        raise DataError(f"{asked}, and {closed:,} are there. {remedy}")
    return slice(closed - bars, closed)


def _last_sessions(series: BarIntervalData, reach: Reach | None, sessions: int) -> slice:
    interval = parse_interval(series.interval)
    if not interval.is_intraday and str(interval) != "1d":
        raise ConfigError(f"{series.symbol}: a {interval} bar is of several sessions; ask for bars, last(bars=...).")
    if reach is None:
        raise DataError(f"{series.symbol} {interval}: the series was made by hand, and knows no sessions.")
    tm = reach.time_manager
    first = tm.session_before(reach.day, sessions)
    start_ns = tm.session(first).first_ns
    if start_ns < reach.whole_from_ns:
        _refuse(series, reach, sessions, first)
    return slice(int(series.timestamp[: series.today_row].searchsorted(start_ns)), series.today_row)


def _refuse(series: BarIntervalData, reach: Reach, sessions: int, first: date) -> NoReturn:
    tm, begins = reach.time_manager, reach.stored_from
    remedy = f"Ask for them: context.add_bar({series.symbol!r}, {series.interval!r}, days={sessions})."
    whole = f"the series is whole from {tm.to_local(reach.whole_from_ns):%Y-%m-%d %H:%M} on"
    if begins is None:
        whole, remedy = f"the store has no bars of it before {reach.day}", ""
    elif reach.whole_from_ns <= tm.session(tm.first_session_on_or_after(begins)).first_ns:
        whole, remedy = f"the store's bars begin {begins}", ""
    asked = f"the last {sessions:,} sessions begin {first}" if sessions > 1 else f"the last session is {first}"
    raise DataError(f"{series.symbol} {series.interval}: {asked}, and {whole}. {remedy}".rstrip())
