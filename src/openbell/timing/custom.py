"""Sessions of the user's own, from hours alone or as changes to a known exchange."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from openbell.errors import ConfigError
from openbell.timing.grid import date_of, day_number
from openbell.timing.schedule import NO_TIME, Schedule, wall_clock_ns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import time

    from numpy.typing import NDArray

    from openbell.config.exchange import ExchangeConfig

__all__ = ["custom_schedule"]

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_THURSDAY = 3  # what 1970-01-01 was


def custom_schedule(own: ExchangeConfig, like: Schedule | None, known: tuple[int, int]) -> Schedule:
    """Build the sessions that a config describes.

    Args:
        own: The config.
        like: The schedule of the exchange that it is based on, if it is.
        known: The first and the last day (days since 1970-01-01) of a calendar that is based on none.

    Raises:
        ConfigError: No session is left; or times of single days do not suit their sessions.
    """
    days = _days(own, like, known)
    if not len(days):
        raise ConfigError(f"{own.name} has no session at all: weekdays, like and holidays leave no day.")
    first_day, last_day = (like.first_day, like.last_day) if like else known
    zone = ZoneInfo(own.timezone) if own.timezone else like.timezone if like else ZoneInfo("UTC")
    if own.open is not None and own.close is not None:
        opens, closes = _own_hours(days, own.open, own.close, zone)
        settled_until = like.settled_until if like else None
        schedule = Schedule(own.name, zone, first_day, last_day, days, opens, closes, settled_until=settled_until)
    elif like is not None:
        rows = np.searchsorted(like.days, days)
        breaks = tuple((start[rows], end[rows]) for start, end in like.breaks)
        # Its name stays that of the exchange, whose extended hours hold, too.
        schedule = replace(
            like, timezone=zone, days=days, open_ns=like.open_ns[rows], close_ns=like.close_ns[rows], breaks=breaks
        )
    schedule = _with_times_of_days(schedule, own)
    if own.breaks is not None:
        schedule = replace(schedule, breaks=tuple(_pause(schedule, pause.start, pause.end) for pause in own.breaks))
    return _cut_at_breaks(schedule)


def _days(own: ExchangeConfig, like: Schedule | None, known: tuple[int, int]) -> NDArray[np.int64]:
    """Return the dates of all sessions, in days since 1970-01-01."""
    days = like.days if like else np.arange(known[0], known[1] + 1, dtype=np.int64)
    weekdays = own.weekdays or (_WEEKDAYS[:5] if like is None else _WEEKDAYS)
    first, last = (like.first_day, like.last_day) if like else known
    keep = np.isin((days + _THURSDAY) % 7, [_WEEKDAYS.index(day) for day in weekdays])
    for text in own.holidays:
        keep &= ~_matches(days, text)
    extra = [day_number(day) for day in own.extra_sessions]
    if outside := [str(date_of(day)) for day in extra if not first <= day <= last]:
        raise ConfigError(
            f"{own.name}: extra_sessions has {', '.join(outside)}, but its calendar is known from {date_of(first)} to "
            f"{date_of(last)} only. Take it out."
        )
    return np.union1d(days[keep], np.array(extra, np.int64)).astype(np.int64)


def _matches(days: NDArray[np.int64], text: str) -> NDArray[np.bool_]:
    """Return a mask of the days meant by ``2024-12-24``, or by ``12-24`` in every year."""
    if len(text) == len("2024-12-24"):
        return np.asarray(days == day_number(date.fromisoformat(text)), np.bool_)
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    month, day = months.astype(np.int64) % 12 + 1, (dates - months).astype(np.int64) + 1
    return np.asarray(month * 100 + day == int(text.replace("-", "")), np.bool_)


def _own_hours(
    days: NDArray[np.int64], opens: time, closes: time, zone: ZoneInfo
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return open and close of each day.

    Midnight as a close is the end of the day; an open that is not before the close lies on the eve.
    """
    at_midnight = closes.hour == closes.minute == closes.second == 0
    on_the_eve = not at_midnight and opens >= closes
    return (
        wall_clock_ns(days - 1 if on_the_eve else days, opens, zone),
        wall_clock_ns(days + 1 if at_midnight else days, closes, zone),
    )


def _with_times_of_days(schedule: Schedule, own: ExchangeConfig) -> Schedule:
    """Apply late opens and early closes to a schedule."""
    opens, closes = schedule.open_ns.copy(), schedule.close_ns.copy()
    for key, times, column in (("late_opens", own.late_opens, opens), ("early_closes", own.early_closes, closes)):
        for rows, at in _times_of_days(schedule, times, f"{own.name}: {key}"):
            column[rows] = at
    if (wrong := np.flatnonzero(opens >= closes)).size:
        raise ConfigError(
            f"{own.name} opens late and closes early on {date_of(schedule.days[wrong[0]])}: nothing is left between."
        )
    return replace(schedule, open_ns=opens, close_ns=closes)


def _times_of_days(
    schedule: Schedule, times: Mapping[str, time], key: str
) -> list[tuple[NDArray[np.intp], NDArray[np.int64]]]:
    """Return, for each entry, the sessions that it names and their times.

    Raises:
        ConfigError: A day is no session, or its time does not lie in the session.
    """
    found = []
    # Days of every year first, so that entries of single days prevail.
    for text in sorted(times, key=len):
        rows = np.flatnonzero(_matches(schedule.days, text))
        if not len(rows) and len(text) == len("2024-12-24"):
            raise ConfigError(f"{key} names {text}, which is not a session. Take it out, or add it to extra_sessions.")
        at = _within(schedule, rows, times[text])
        if (at == NO_TIME).any():
            day = date_of(schedule.days[rows[at == NO_TIME][0]])
            raise ConfigError(f"{key} has {times[text]:%H:%M} for {text}, when no session trades ({day}). Correct it.")
        found.append((rows, at))
    return found


def _within(schedule: Schedule, rows: Sequence[int] | NDArray[np.intp], clock_time: time) -> NDArray[np.int64]:
    """Return when the wall clock shows a time between open and close of sessions, or `NO_TIME`."""
    found = np.full(len(rows), NO_TIME, np.int64)
    opens, closes, days = schedule.open_ns[rows], schedule.close_ns[rows], schedule.days[rows]
    # A session may begin on the evening before its date, and end at midnight or, at some exchanges, later.
    for shift in (1, 0, -1):
        at = wall_clock_ns(days + shift, clock_time, schedule.timezone)
        found = np.where((opens < at) & (at < closes), at, found)
    return found


def _pause(schedule: Schedule, start: time, end: time) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return starts and ends of a break of every session, cut to its hours."""
    rows = np.arange(len(schedule.days))
    starts, ends = _within(schedule, rows, start), _within(schedule, rows, end)
    begun, over = starts != NO_TIME, ends != NO_TIME
    starts = np.where(begun | ~over, starts, schedule.open_ns)
    return starts, np.where(over | ~begun, ends, schedule.close_ns)


def _cut_at_breaks(schedule: Schedule) -> Schedule:
    """Move opens and closes that lie in a break to its edge."""
    opens, closes = schedule.open_ns, schedule.close_ns
    for start, end in schedule.breaks:
        there = start != NO_TIME
        opens = np.where(there & (start <= opens) & (opens < end), end, opens)
        closes = np.where(there & (start < closes) & (closes <= end), start, closes)
    breaks = []
    for start, end in schedule.breaks:
        inside = (start != NO_TIME) & (opens < start) & (end < closes)
        breaks.append((np.where(inside, start, NO_TIME), np.where(inside, end, NO_TIME)))
    return replace(schedule, open_ns=opens, close_ns=closes, breaks=tuple(breaks))
