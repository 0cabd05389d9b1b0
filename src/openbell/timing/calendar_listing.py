"""Overview of the calendars, and the days of one of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from openbell.timing.calendar_aliases import OWN_CALENDARS
from openbell.timing.calendar_lookup import whole_directory
from openbell.timing.calendar_table import Hours
from openbell.timing.calendars import calendar_names, canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from openbell.timing.time_manager import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["CalendarSummary", "SessionLine", "lines_of_days", "list_calendars"]

_AROUND = timedelta(days=182)
"""The time before and after the listed days by which usual hours and weekdays are found."""


@dataclass(frozen=True, slots=True)
class CalendarSummary:
    """A calendar as of today.

    Attributes:
        name: Its name.
        aliases: Other names that stand for it, sorted.
        timezone: By its name in the tz database.
        hours: The usual segments as pairs of local times; ``24:00`` is midnight at the end of the day.
        opens_on_eve: Whether a session opens on the evening before its date.
    """

    name: str
    aliases: tuple[str, ...]
    timezone: str
    hours: tuple[tuple[str, str], ...]
    opens_on_eve: bool


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A day of a calendar.

    Attributes:
        day: The date.
        session: Its session; None when there is none although that weekday usually has one.
        note: What is unusual: "closed", "closes early", "opens late"; empty on a usual day.
    """

    day: date
    session: TradingSession | None
    note: str


def list_calendars() -> list[CalendarSummary]:
    """List all calendars, sorted by name."""
    aliases: dict[str, list[str]] = {}
    for alias in calendar_names():
        if (name := canonical_name(alias)) != alias:
            aliases.setdefault(name, []).append(alias)
    known = {name: hours for name, hours in whole_directory().hours.items() if hours is not None}
    known |= {name: _own(name) for name in OWN_CALENDARS}
    return [CalendarSummary(name, tuple(aliases.get(name, ())), *hours) for name, hours in sorted(known.items())]


def lines_of_days(time_manager: TimeManager, first: date, last: date) -> list[SessionLine]:
    """List the sessions from ``first`` to ``last``, and the closed days that usually have a session."""
    tm = time_manager
    sessions = set(tm.sessions(first, last))  # first, because its error names days outside the calendar
    around = tm.sessions(max(tm.first_day, first - _AROUND), min(tm.last_day, last + _AROUND))
    (opens, _), (closes, _) = (
        _usual(edges) for edges in zip(*(_local(tm, tm.session(d)) for d in around), strict=True)
    )
    weekdays = {weekday for weekday, n in Counter(day.weekday() for day in around).items() if n > len(around) / 20}
    lines = []
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        if day in sessions:
            session = tm.session(day)
            local_open, local_close = _local(tm, session)
            notes = ["opens late"] * (local_open > opens) + ["closes early"] * (local_close < closes)
            lines.append(SessionLine(day, session, ", ".join(notes)))
        elif day.weekday() in weekdays:
            lines.append(SessionLine(day, None, "closed"))
    return lines


def _local(tm: TimeManager, session: TradingSession) -> tuple[timedelta, timedelta]:
    """Return open and close by the wall clock, as the time since midnight of the session's date."""
    edges = (tm.to_local(ns).replace(tzinfo=None) for ns in (session.open_ns, session.close_ns))
    opens, closes = (
        timedelta(days=(at.date() - session.day).days, hours=at.hour, minutes=at.minute, seconds=at.second)
        for at in edges
    )
    return opens, closes


def _usual(times: Iterable[timedelta]) -> tuple[timedelta, int]:
    return Counter(times).most_common(1)[0]


def _own(name: str) -> Hours:
    own = OWN_CALENDARS[name]
    return Hours(own["timezone"], ((own["open"], own["close"]),), own["open"] >= own["close"])
