"""Exchange calendars as NumPy columns: read from exchange_calendars once per process and exchange."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from openbell.errors import ConfigError, UnknownNameError
from openbell.timing.grid import ANCHOR_DAY, SessionGrid

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["ExchangeCalendar", "SessionHours", "calendar_names", "load_calendar"]

SessionHours = Literal["regular", "extended"]

_EARLIEST = "1990-01-01"
_HOUR_NS = 3_600_000_000_000
_NO_TIME = np.iinfo(np.int64).min  # what NaT is as an integer


@dataclass(frozen=True, slots=True)
class _ExtendedHours:
    """Local hours of the day between which an exchange trades around its regular session."""

    pre_open: int
    post_close: int
    regular_close: int
    post_close_on_early_days: int


# By the name without aliases: XNYS stands for XNAS, ARCX, BATS and the other US equity exchanges as well.
# Nasdaq and NYSE Arca trade 04:00 to 20:00 New York, and until 17:00 on days that close early.
_EXTENDED_HOURS = {"XNYS": _ExtendedHours(pre_open=4, post_close=20, regular_close=16, post_close_on_early_days=17)}


_Segments: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], bool]"
"""Segments of one kind: open, close, session, and whether they are regular hours."""


@dataclass(frozen=True, slots=True, eq=False)
class ExchangeCalendar:
    """All sessions of one exchange that are known.

    Attributes:
        exchange: The name it was asked for by.
        timezone: Where the exchange is.
        sessions: The sessions; days before the first and after the last of them are unknown.
    """

    exchange: str
    timezone: ZoneInfo
    sessions: SessionGrid


@dataclass(frozen=True, slots=True, eq=False)
class _Schedule:
    """What exchange_calendars says: ``open``, ``break_start``, ``break_end`` and ``close`` of each day's session."""

    name: str
    timezone: ZoneInfo
    days: NDArray[np.int64]
    times: dict[str, NDArray[np.int64]]


def calendar_names() -> tuple[str, ...]:
    """The names of all calendars, aliases included, sorted."""
    import exchange_calendars

    return tuple(sorted(exchange_calendars.get_calendar_names()))


@lru_cache(maxsize=32)
def load_calendar(exchange: str, session_hours: SessionHours = "regular") -> ExchangeCalendar:
    """The calendar of an exchange, from 1990 (or the first day that it is known) to a year ahead.

    Args:
        exchange: A name of exchange_calendars, such as ``XNYS``, ``XHKG``, ``CMES`` or ``24/7``.
        session_hours: ``extended`` adds the pre-market and the post-market as segments.

    Raises:
        UnknownNameError: There is no calendar of that name.
        ConfigError: Extended hours were asked for, and none are known for the exchange.
    """
    if session_hours not in ("regular", "extended"):
        raise ConfigError(f"session_hours is {session_hours!r}; it must be 'regular' or 'extended'.")
    schedule = _read_schedule(exchange)
    extra: list[_Segments] = []
    if session_hours == "extended":
        if schedule.name not in _EXTENDED_HOURS:
            raise ConfigError(
                f"session_hours is 'extended', but no extended hours are known for the exchange {exchange}. "
                f"They are known for {', '.join(_EXTENDED_HOURS)}. Use session_hours: regular."
            )
        extra = _extended_segments(schedule, _EXTENDED_HOURS[schedule.name])
    return ExchangeCalendar(exchange, schedule.timezone, _grid_of(schedule, extra))


@lru_cache(maxsize=32)
def _read_schedule(exchange: str) -> _Schedule:
    """The schedule of exchange_calendars as columns."""
    with warnings.catch_warnings():
        # exchange_calendars uses pandas in ways that the next pandas will not have; that is not our user's concern.
        warnings.simplefilter("ignore")
        calendar = _build_calendar(exchange)
        schedule = calendar.schedule
    times = {column: _ns_of(schedule[column]) for column in ("open", "break_start", "break_end", "close")}
    days = schedule.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    return _Schedule(calendar.name, ZoneInfo(str(calendar.tz)), days, times)


def _build_calendar(exchange: str) -> Any:
    """The calendar from exchange_calendars, reaching as far back as 1990 or as it is known."""
    import exchange_calendars

    if exchange not in calendar_names():
        raise UnknownNameError("calendar", str(exchange), calendar_names())
    try:
        try:
            return exchange_calendars.get_calendar(exchange, start=_EARLIEST)
        except ValueError:
            # Known only from a later day on.
            earliest = type(exchange_calendars.get_calendar(exchange)).bound_min()
            return exchange_calendars.get_calendar(exchange, start=earliest)
    except Exception as error:
        # A few calendars of exchange_calendars do not work with every release of pandas, and fail in many ways.
        raise ConfigError(
            f"exchange_calendars {exchange_calendars.__version__} cannot build the calendar {exchange} here "
            f"({type(error).__name__}: {shorten(str(error), 100)}). "
            "Choose another exchange, or install releases of exchange_calendars and pandas that work together."
        ) from error


def _ns_of(times: pd.Series[pd.Timestamp]) -> NDArray[np.int64]:
    """Times of a pandas column as nanoseconds since 1970 UTC, `_NO_TIME` where there is none."""
    column = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    return np.asarray(column.astype("datetime64[ns]").astype(np.int64), np.int64)


def _grid_of(schedule: _Schedule, extra: list[_Segments]) -> SessionGrid:
    """The whole calendar as one grid: regular segments split at the lunch break, and those of the extended hours."""
    opens, closes = schedule.times["open"], schedule.times["close"]
    break_start, break_end = schedule.times["break_start"], schedule.times["break_end"]
    session = np.arange(len(schedule.days), dtype=np.int64)
    split = (break_start != _NO_TIME) & (break_end != _NO_TIME)
    parts: list[_Segments] = [
        (opens, np.where(split, break_start, closes), session, True),
        (break_end[split], closes[split], session[split], True),
        *extra,
    ]
    segment_open = np.concatenate([part[0] for part in parts])
    order = np.argsort(segment_open, kind="stable")
    return SessionGrid(
        days=schedule.days,
        open_ns=opens,
        close_ns=closes,
        segment_open_ns=segment_open[order],
        segment_close_ns=np.concatenate([part[1] for part in parts])[order],
        segment_session=np.concatenate([part[2] for part in parts])[order],
        segment_is_regular=np.concatenate([np.full(len(part[0]), part[3]) for part in parts])[order],
        first_ordinal=-int(np.searchsorted(schedule.days, ANCHOR_DAY)),
    )


def _extended_segments(schedule: _Schedule, hours: _ExtendedHours) -> list[_Segments]:
    """The pre-market and the post-market of every session that has them."""
    opens, closes = schedule.times["open"], schedule.times["close"]
    session = np.arange(len(schedule.days), dtype=np.int64)
    pre_open = _local_hour_ns(schedule, hours.pre_open)
    closes_early = closes < _local_hour_ns(schedule, hours.regular_close)
    post_close = np.where(
        closes_early,
        _local_hour_ns(schedule, hours.post_close_on_early_days),
        _local_hour_ns(schedule, hours.post_close),
    )
    before, after = pre_open < opens, post_close > closes
    return [
        (pre_open[before], opens[before], session[before], False),
        (closes[after], post_close[after], session[after], False),
    ]


def _local_hour_ns(schedule: _Schedule, hour: int) -> NDArray[np.int64]:
    """Per session, an hour of its date on the exchange's wall clock, as nanoseconds since 1970 UTC."""
    import pandas as pd

    local = pd.DatetimeIndex((schedule.days * 24 + hour) * _HOUR_NS).tz_localize(str(schedule.timezone))
    return np.asarray(local.tz_convert(None).to_numpy().astype("datetime64[ns]").astype(np.int64), np.int64)
