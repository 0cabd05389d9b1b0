"""Schedules of scanners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openbell.config import ScheduleConfig
    from openbell.timing import TimeManager
    from openbell.timing.grid import TradingSession

__all__ = ["due_times"]


def due_times(schedules: Sequence[ScheduleConfig], session: TradingSession, time_manager: TimeManager) -> list[int]:
    """Return the times within a session that some schedule names.

    A session that opens on the evening before its date has the times of that evening, too.

    Returns:
        Nanoseconds since 1970 UTC, ascending and without repeats.
    """
    times: set[int] = set()
    for day in {time_manager.to_local(session.first_ns).date(), session.day}:
        for schedule in schedules:
            start, end = (time_manager.local_ns(day, clock) for clock in (schedule.start, schedule.end))
            times.update(range(start, end + 1, parse_interval(schedule.every).ns))
    return sorted(t for t in times if session.first_ns <= t <= session.last_ns)
