"""Calendars by name or from a config, as NumPy columns; each is built once per process."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import numpy as np

from openbell.errors import ConfigError, UnknownNameError
from openbell.timing.aliases import ALIASES, OWN_CALENDARS
from openbell.timing.clock import today_utc
from openbell.timing.custom import custom_schedule
from openbell.timing.extended import extended_segments
from openbell.timing.grid import SessionGrid, day_number
from openbell.timing.schedule import Schedule

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from openbell.config.exchange import ExchangeConfig

__all__ = ["ExchangeCalendar", "SessionHours", "calendar_names", "canonical_name", "load_calendar"]

SessionHours = Literal["regular", "extended"]

_EARLIEST = "1990-01-01"
_DAYS_AHEAD = 365


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


@lru_cache(maxsize=1)
def calendar_names() -> tuple[str, ...]:
    """The names of all calendars, aliases included, sorted."""
    import exchange_calendars

    return tuple(sorted({*exchange_calendars.get_calendar_names(), *ALIASES, *OWN_CALENDARS}))


def canonical_name(exchange: str) -> str:
    """The name without aliases: ``XNYS`` for ``US_EQUITY`` and for ``NASDAQ``.

    Raises:
        UnknownNameError: There is no calendar of that name.
    """
    from exchange_calendars import resolve_alias

    if exchange not in calendar_names():
        raise UnknownNameError("calendar", str(exchange), calendar_names())
    name = ALIASES.get(exchange, exchange)
    return name if name in OWN_CALENDARS else str(resolve_alias(name))


@lru_cache(maxsize=32)
def load_calendar(exchange: str | ExchangeConfig, session_hours: SessionHours = "regular") -> ExchangeCalendar:
    """The calendar of an exchange, from 1990 (or the first day that it is known) to a year ahead.

    Args:
        exchange: A name of exchange_calendars, such as ``XNYS``, ``XHKG``, ``CMES`` or ``24/7``; an alias such as
            ``US_EQUITY``; or own sessions, as a config says them.
        session_hours: ``extended`` adds the pre-market and the post-market as segments.

    Raises:
        UnknownNameError: There is no calendar of that name.
        ConfigError: Own sessions contradict themselves, or extended hours were asked for, and none are known.
    """
    if session_hours not in ("regular", "extended"):
        raise ConfigError(f"session_hours is {session_hours!r}; it must be 'regular' or 'extended'.")
    schedule = _schedule_of(exchange)
    name = exchange if isinstance(exchange, str) else exchange.name
    extended = extended_segments(schedule, name) if session_hours == "extended" else []
    return ExchangeCalendar(name, schedule.timezone, schedule.grid(extended))


@lru_cache(maxsize=32)
def _schedule_of(exchange: str | ExchangeConfig) -> Schedule:
    """The schedule of exchange_calendars, or the one that a config says."""
    if isinstance(exchange, str):
        name = canonical_name(exchange)
        if name not in OWN_CALENDARS:
            return _read_schedule(name)
        from openbell.config.exchange import ExchangeConfig

        own = ExchangeConfig.model_validate(dict(OWN_CALENDARS[name]))
    else:
        own = exchange
        if own.name in calendar_names():
            raise ConfigError(
                f"the name {own.name!r} belongs to a calendar that is known. Choose another name, and say "
                f"like: {own.name} if yours is based on it."
            )
    like = _schedule_of(own.like) if own.like else None
    today = day_number(today_utc())
    return custom_schedule(own, like, (int(np.datetime64(_EARLIEST).astype(np.int64)), today + _DAYS_AHEAD))


def _read_schedule(name: str) -> Schedule:
    """The schedule of exchange_calendars as columns."""
    with warnings.catch_warnings():
        # exchange_calendars uses pandas in ways that the next pandas will not have; that is not our user's concern.
        warnings.simplefilter("ignore")
        calendar = _build_calendar(name)
        schedule = calendar.schedule
    opens, break_start, break_end, closes = (
        _ns_of(schedule[column]) for column in ("open", "break_start", "break_end", "close")
    )
    days = schedule.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    return Schedule(
        name=calendar.name,
        timezone=ZoneInfo(str(calendar.tz)),
        first_day=int(days[0]),
        last_day=int(days[-1]),
        days=days,
        open_ns=opens,
        close_ns=closes,
        breaks=((break_start, break_end),),
    )


def _build_calendar(name: str) -> Any:
    """The calendar from exchange_calendars, reaching as far back as 1990 or as it is known."""
    import exchange_calendars

    try:
        try:
            return exchange_calendars.get_calendar(name, start=_EARLIEST)
        except ValueError:
            # Known only from a later day on.
            earliest = type(exchange_calendars.get_calendar(name)).bound_min()
            return exchange_calendars.get_calendar(name, start=earliest)
    except Exception as error:
        # A few calendars of exchange_calendars do not work with every release of pandas, and fail in many ways.
        raise ConfigError(
            f"exchange_calendars {exchange_calendars.__version__} cannot build the calendar {name} here "
            f"({type(error).__name__}: {shorten(str(error), 100)}). "
            "Choose another exchange, or install releases of exchange_calendars and pandas that work together."
        ) from error


def _ns_of(times: pd.Series[pd.Timestamp]) -> NDArray[np.int64]:
    """Times of a pandas column as nanoseconds since 1970 UTC, `NO_TIME` where there is none (NaT is that integer)."""
    column = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    return np.asarray(column.astype("datetime64[ns]").astype(np.int64), np.int64)
