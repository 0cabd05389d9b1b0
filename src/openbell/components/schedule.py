"""When a scanner is due in a session."""

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
    """The times within a session that some schedule names, once each; ascending nanoseconds since 1970 UTC.

    A session that opens on the evening before has the times of that date, too.
    """
    times: set[int] = set()
    for day in {time_manager.to_local(session.first_ns).date(), session.day}:
        for schedule in schedules:
            start, end = (time_manager.local_ns(day, clock) for clock in (schedule.start, schedule.end))
            times.update(range(start, end + 1, parse_interval(schedule.every).ns))
    return sorted(t for t in times if session.first_ns <= t <= session.last_ns)
