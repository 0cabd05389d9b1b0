"""Calendars by name or from a config, each built once per process."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from openbell.errors import ConfigError, UnknownNameError
from openbell.timing.calendar_aliases import ALIASES, OWN_CALENDARS
from openbell.timing.calendar_lookup import (
    directory,
    exchange_schedule,
    table_is_of_installed_release,
    whole_directory,
)
from openbell.timing.clock import today_utc
from openbell.timing.custom import custom_schedule
from openbell.timing.exchange_calendars_package import EARLIEST
from openbell.timing.extended import cut_to, extended_segments, segments_around, segments_within
from openbell.timing.globex import globex_schedule
from openbell.timing.grid import SessionGrid, day_number

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    import numpy as np
    from numpy.typing import NDArray

    from openbell.config.exchange import ExchangeConfig
    from openbell.timing.calendar_lookup import CalendarNames
    from openbell.timing.schedule import Schedule, Segments

__all__ = ["ExchangeCalendar", "SessionHours", "based_on", "calendar_names", "canonical_name", "load_calendar"]

SessionHours = Literal["regular", "extended"]

_DAYS_AHEAD = 365


@dataclass(frozen=True, slots=True, eq=False)
class ExchangeCalendar:
    """All sessions of one exchange that are known.

    Attributes:
        exchange: The name by which it was requested, or that of own sessions.
        timezone: The time zone of the exchange.
        sessions: The sessions; days before the first and after the last of them are unknown.
        days: Their dates in days since 1970-01-01.
        first_ns: When trading begins in each session, extended hours included; nanoseconds since 1970 UTC.
        last_ns: When trading ends in each session, extended hours included; nanoseconds since 1970 UTC.
        settled_until: The last day, since 1970-01-01, that no other release of exchange_calendars is expected to
            change; None for all.
    """

    exchange: str
    timezone: ZoneInfo
    sessions: SessionGrid
    days: array[int]
    first_ns: NDArray[np.int64]
    last_ns: NDArray[np.int64]
    settled_until: int | None


def calendar_names() -> tuple[str, ...]:
    """Return the names of all calendars, aliases included, sorted."""
    return _names_of(whole_directory())


def _names_of(known: CalendarNames) -> tuple[str, ...]:
    return tuple(sorted({*known.hours, *known.aliases, *ALIASES, *OWN_CALENDARS}))


def canonical_name(exchange: str) -> str:
    """Return the name without aliases, such as ``XNYS`` for ``US_EQUITY`` and for ``NASDAQ``.

    Raises:
        UnknownNameError: There is no calendar of that name.
    """
    known = directory()
    if exchange not in _names_of(known):
        known = whole_directory()
        if exchange not in (names := _names_of(known)):
            raise UnknownNameError("calendar", str(exchange), names)
    name = ALIASES.get(exchange, exchange)
    return known.aliases.get(name, name)


def based_on(exchange: str | ExchangeConfig) -> str:
    """Return the name without aliases of a calendar, or of the one that own sessions are based on.

    Own sessions with hours of their own are based on the exchange of their extended hours, if they name one; if not,
    the result is their own name.

    Raises:
        UnknownNameError: There is no calendar of that name.
    """
    if isinstance(exchange, str):
        return canonical_name(exchange)
    like = exchange.like or (exchange.extended and exchange.extended.like)
    return canonical_name(like) if like else exchange.name


@lru_cache(maxsize=32)
def load_calendar(
    exchange: str | ExchangeConfig, session_hours: SessionHours = "regular", *, latest: bool = False
) -> ExchangeCalendar:
    """Load the calendar of an exchange up to a year ahead.

    It begins in 1990, or on the first day that is known.

    Args:
        exchange: A name of exchange_calendars, such as ``XNYS``, ``XHKG``, ``CMES`` or ``24/7``; an alias such as
            ``US_EQUITY``; or own sessions, as a config describes them.
        session_hours: ``extended`` adds the pre-market and the post-market as segments.
        latest: Whether days after ``settled_until`` must come from the installed exchange_calendars.

    Raises:
        UnknownNameError: There is no calendar of that name.
        ConfigError: Own sessions contradict themselves, or no extended hours are known for the exchange.
    """
    if session_hours not in ("regular", "extended"):
        raise ConfigError(f"session_hours is {session_hours!r}; it must be 'regular' or 'extended'.")
    if latest and table_is_of_installed_release():
        return replace(load_calendar(exchange, session_hours), settled_until=None)
    schedule = _schedule_of(exchange, latest=latest)
    name = exchange if isinstance(exchange, str) else exchange.name
    grid = schedule.grid(_extended(exchange, schedule, latest=latest) if session_hours == "extended" else [])
    first_ns, last_ns = grid.segment_open_ns, grid.segment_close_ns
    if len(first_ns) != len(grid):  # not one segment for each session
        first_segment, after_segment = grid.segments_of_sessions()
        first_ns, last_ns = first_ns[first_segment], last_ns[after_segment - 1]
    return ExchangeCalendar(
        exchange=name,
        timezone=schedule.timezone,
        sessions=grid,
        days=array("q", grid.days.tobytes()),
        first_ns=first_ns,
        last_ns=last_ns,
        settled_until=schedule.settled_until,
    )


def _extended(exchange: str | ExchangeConfig, schedule: Schedule, *, latest: bool) -> list[Segments]:
    """Return the pre-market and post-market of an exchange, as a config describes them or as they are known."""
    if isinstance(exchange, str) or exchange.extended is None:
        return extended_segments(schedule, exchange if isinstance(exchange, str) else exchange.name)
    if exchange.extended.like is None:
        return segments_around(schedule, exchange.extended)
    return segments_within(schedule, _schedule_of(exchange.extended.like, latest=latest))


def _schedule_of(exchange: str | ExchangeConfig, *, latest: bool) -> Schedule:
    """Return the schedule of a known exchange, or the one that a config describes."""
    if isinstance(exchange, str):
        name = canonical_name(exchange)
        if name == "CME_GLOBEX":
            return globex_schedule(*(_schedule_of(other, latest=latest) for other in ("CMES", "XNYS")))
        if name not in OWN_CALENDARS:
            return exchange_schedule(name, _in_a_year(), latest=latest)
        from openbell.config.exchange import ExchangeConfig

        own = ExchangeConfig.model_validate(dict(OWN_CALENDARS[name]))
    else:
        own = exchange
        if own.name in _names_of(directory()):
            raise ConfigError(
                f"the name {own.name!r} belongs to a calendar that is known. Choose another name, and say "
                f"like: {own.name} if yours is based on it."
            )
    like = _schedule_of(own.like, latest=latest) if own.like else None
    schedule = custom_schedule(own, like, (day_number(EARLIEST), day_number(today_utc()) + _DAYS_AHEAD))
    if own.extended and own.extended.like:
        return cut_to(schedule, _schedule_of(own.extended.like, latest=latest))
    return schedule


def _in_a_year() -> date:
    today = today_utc()
    try:
        return today.replace(year=today.year + 1)
    except ValueError:  # the 29th of February
        return today.replace(year=today.year + 1, day=28)
