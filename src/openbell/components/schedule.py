"""Schedules of scanners."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from openbell.config import ScheduleConfig
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["due_times", "spans_midnight_outside"]

_MIDNIGHT = time(0)


def due_times(schedules: Sequence[ScheduleConfig], session: TradingSession, time_manager: TimeManager) -> list[int]:
    """Return the times within a session at which a schedule is due.

    Each time of day comes once in a session. Where a session ends at the time of day at which it began, as at CMES and
    around the clock, that time is the session's open if the schedule starts with it, else its close.

    Returns:
        Nanoseconds since 1970 UTC, ascending and without repeats.
    """
    opens, closes = (time_manager.to_local(ns).time() for ns in (session.first_ns, session.last_ns))
    whole_day = opens == closes
    times: set[int] = set()
    for schedule in schedules:
        for start, end in _windows(schedule, session, time_manager):
            begin = session.first_ns + (whole_day and start < session.first_ns)
            last = session.last_ns - (whole_day and start == session.last_ns)
            times.update(t for t in range(start, end + 1, parse_interval(schedule.every).ns) if begin <= t <= last)
    return sorted(times)


def spans_midnight_outside(schedule: ScheduleConfig, session: TradingSession, time_manager: TimeManager) -> bool:
    """Return whether a schedule runs over midnight, and no midnight lies within the session."""
    if schedule.start <= schedule.end:
        return False
    midnights = (time_manager.local_ns(day, _MIDNIGHT) for day in _days(session, time_manager))
    return not any(session.first_ns <= midnight <= session.last_ns for midnight in midnights)


def _windows(schedule: ScheduleConfig, session: TradingSession, time_manager: TimeManager) -> Iterator[tuple[int, int]]:
    """Yield start and end of a schedule on each date that may reach into a session."""
    over_midnight = timedelta(days=schedule.end < schedule.start)
    for day in _days(session, time_manager):
        yield time_manager.local_ns(day, schedule.start), time_manager.local_ns(day + over_midnight, schedule.end)


def _days(session: TradingSession, time_manager: TimeManager) -> list[date]:
    """List the dates of a session on the wall clock, and the one before them."""
    first, last = (time_manager.to_local(ns).date() for ns in (session.first_ns, session.last_ns))
    return [first + timedelta(days=n) for n in range(-1, (last - first).days + 1)]
