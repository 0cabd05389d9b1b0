"""Calendars by name or from a config, as NumPy columns; each is built once per process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from openbell.errors import ConfigError, UnknownNameError
from openbell.timing.aliases import ALIASES, OWN_CALENDARS
from openbell.timing.clock import today_utc
from openbell.timing.custom import custom_schedule
from openbell.timing.exchanges import EARLIEST, directory, exchange_schedule
from openbell.timing.extended import extended_segments
from openbell.timing.grid import SessionGrid, day_number

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from openbell.config.exchange import ExchangeConfig
    from openbell.timing.schedule import Schedule

__all__ = ["ExchangeCalendar", "SessionHours", "calendar_names", "canonical_name", "load_calendar"]

SessionHours = Literal["regular", "extended"]

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
    known = directory()
    return tuple(sorted({*known.hours, *known.aliases, *ALIASES, *OWN_CALENDARS}))


def canonical_name(exchange: str) -> str:
    """The name without aliases: ``XNYS`` for ``US_EQUITY`` and for ``NASDAQ``.

    Raises:
        UnknownNameError: There is no calendar of that name.
    """
    if exchange not in calendar_names():
        raise UnknownNameError("calendar", str(exchange), calendar_names())
    name = ALIASES.get(exchange, exchange)
    return directory().aliases.get(name, name)


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
            return exchange_schedule(name, directory().hours.get(name), _in_a_year())
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
    return custom_schedule(own, like, (day_number(EARLIEST), day_number(today_utc()) + _DAYS_AHEAD))


def _in_a_year() -> date:
    today = today_utc()
    try:
        return today.replace(year=today.year + 1)
    except ValueError:  # the 29th of February
        return today.replace(year=today.year + 1, day=28)
