"""Own (custom) sessions, from hours alone or as changes to a known exchange."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from openbell.errors import ConfigError
from openbell.timing.grid import date_of, day_number
from openbell.timing.schedule import NO_TIME, Schedule, wall_clock_ns, wall_minutes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from openbell.config.exchange import ExchangeConfig

__all__ = ["custom_schedule", "hours_of_days"]

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_THURSDAY = 3  # the weekday of 1970-01-01
_DAY_MINUTES = 1440
_AROUND = 10
"""Sessions on each side of a day by which its usual hours are found."""


def custom_schedule(own: ExchangeConfig, like: Schedule | None, known: tuple[int, int]) -> Schedule:
    """Build the sessions that a config describes.

    Args:
        own: The config.
        like: The schedule of the exchange that they are based on, or None.
        known: The first and the last day (days since 1970-01-01) of sessions that are based on no exchange.

    Raises:
        ConfigError: No session is left, times of single days do not fit their sessions, or two sessions overlap.
    """
    days = _days(own, like, known)
    if not len(days):
        raise ConfigError(f"{own.name} has no session at all: weekdays, like and holidays leave no day.")
    first_day, last_day = (like.first_day, like.last_day) if like else known
    zone = ZoneInfo(own.timezone) if own.timezone else like.timezone if like else ZoneInfo("UTC")
    if own.open is not None and own.close is not None:
        opens, closes = hours_of_days(days, own.open, own.close, zone)
        settled_until = like.settled_until if like else None
        schedule = Schedule(own.name, zone, first_day, last_day, days, opens, closes, settled_until=settled_until)
    elif like is not None:
        # The name stays that of the exchange, whose extended hours then hold as well.
        schedule = replace(_with_days(like, days), timezone=zone)
    usual = schedule if like is None or own.open is not None else like
    schedule = _with_times_of_days(schedule, own, usual)
    schedule = _with_special_hours(schedule, own)
    if own.breaks is not None:
        schedule = replace(schedule, breaks=tuple(_pause(schedule, pause.start, pause.end) for pause in own.breaks))
    schedule = _cut_at_breaks(_with_special_breaks(schedule, own))
    if (wrong := np.flatnonzero(schedule.open_ns[1:] < schedule.close_ns[:-1])).size:
        before, after = (date_of(schedule.days[wrong[0] + n]) for n in (0, 1))
        raise ConfigError(f"{own.name}: the session of {after} begins before that of {before} ends. Correct the hours.")
    return schedule


def _with_days(like: Schedule, days: NDArray[np.int64]) -> Schedule:
    """Return the sessions of an exchange on given days, with its usual hours where it has none."""
    known = np.isin(days, like.days)
    rows = np.searchsorted(like.days, days[known])
    columns = [like.open_ns, like.close_ns, *(column for pair in like.breaks for column in pair)]
    taken = [np.full(len(days), NO_TIME, np.int64) for _ in columns]
    for column, source in zip(taken, columns, strict=True):
        column[known] = source[rows]
    for row in np.flatnonzero(~known):
        for column, at in zip(taken, _usual_times(like, int(days[row])), strict=True):
            column[row] = at
    opens, closes, *edges = taken
    return replace(
        like, days=days, open_ns=opens, close_ns=closes, breaks=tuple(zip(edges[::2], edges[1::2], strict=True))
    )


def _usual_times(like: Schedule, day: int) -> list[int]:
    """Return open, close and breaks of a session on a day, as most sessions around it have them."""
    near = int(np.searchsorted(like.days, day))
    rows = slice(max(0, near - _AROUND), near + _AROUND)
    columns = [like.open_ns, like.close_ns, *(column for pair in like.breaks for column in pair)]
    kinds = zip(*(wall_minutes(column[rows], like.days[rows], like.timezone) for column in columns), strict=True)
    usual, _ = Counter(kinds).most_common(1)[0]
    return [NO_TIME if minute is None else _at_minute(day, minute, like.timezone) for minute in usual]


def _at_minute(day: int, minute: int, zone: ZoneInfo) -> int:
    shift, of_day = divmod(minute, _DAY_MINUTES)
    return int(wall_clock_ns([day + shift], time(*divmod(of_day, 60)), zone)[0])


def _days(own: ExchangeConfig, like: Schedule | None, known: tuple[int, int]) -> NDArray[np.int64]:
    """Return the dates of all sessions, in days since 1970-01-01."""
    days = like.days if like else np.arange(known[0], known[1] + 1, dtype=np.int64)
    weekdays = own.weekdays or (_WEEKDAYS[:5] if like is None else _WEEKDAYS)
    first, last = (like.first_day, like.last_day) if like else known
    keep = np.isin((days + _THURSDAY) % 7, [_WEEKDAYS.index(day) for day in weekdays])
    for text in own.holidays:
        keep &= ~_matches(days, text)
    extra = [day_number(day) for day in (*own.extra_sessions, *own.special_sessions)]
    if outside := [date_of(day) for day in extra if not first <= day <= last]:
        key = "extra_sessions" if outside[0] in own.extra_sessions else "special_sessions"
        raise ConfigError(
            f"{own.name}: {key} has {', '.join(map(str, outside))}, but its calendar is known from {date_of(first)} to "
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


def hours_of_days(
    days: NDArray[np.int64], opens: time, closes: time, zone: ZoneInfo
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return open and close of each day.

    Midnight as a close is the end of the day; an open that is not before the close is on the evening before.
    """
    at_midnight = closes.hour == closes.minute == closes.second == 0
    on_the_eve = not at_midnight and opens >= closes
    return (
        wall_clock_ns(days - 1 if on_the_eve else days, opens, zone),
        wall_clock_ns(days + 1 if at_midnight else days, closes, zone),
    )


def _with_times_of_days(schedule: Schedule, own: ExchangeConfig, usual: Schedule) -> Schedule:
    """Apply late opens and early closes to a schedule.

    They replace those that the exchange on which the sessions are based has on the same day.

    Args:
        schedule: The sessions.
        own: The config.
        usual: The sessions that give the usual hours, within which the times must lie.
    """
    opens, closes = schedule.open_ns.copy(), schedule.close_ns.copy()
    for key, times, column in (("late_opens", own.late_opens, opens), ("early_closes", own.early_closes, closes)):
        for rows, at in _times_of_days(schedule, times, f"{own.name}: {key}", usual):
            column[rows] = at
    if (wrong := np.flatnonzero(opens >= closes)).size:
        raise ConfigError(
            f"{own.name} opens late and closes early on {date_of(schedule.days[wrong[0]])}: nothing is left between."
        )
    return replace(schedule, open_ns=opens, close_ns=closes)


def _times_of_days(
    schedule: Schedule, times: Mapping[str, time], key: str, usual: Schedule
) -> list[tuple[NDArray[np.intp], NDArray[np.int64]]]:
    """Return, for each entry, the sessions that it names and their times.

    Raises:
        ConfigError: A day is not a session, or its time does not lie in the session's usual hours.
    """
    found = []
    # Days of every year first, so that entries of single days prevail.
    for text in sorted(times, key=len):
        rows = np.flatnonzero(_matches(schedule.days, text))
        if not len(rows) and len(text) == len("2024-12-24"):
            raise ConfigError(f"{key} names {text}, which is not a session. Take it out, or add it to extra_sessions.")
        at = _within(schedule, rows, times[text])
        if (outside := np.flatnonzero(at == NO_TIME)).size:
            usually = _at_usual_hours(schedule, rows[outside], usual)
            at[outside] = _within(usually, np.arange(len(outside)), times[text])
        if (at == NO_TIME).any():
            day = date_of(schedule.days[rows[at == NO_TIME][0]])
            raise ConfigError(
                f"{key} has {times[text]:%H:%M} for {text}, when no session trades ({day}). Correct it, or write other "
                "hours of single days under special_sessions."
            )
        found.append((rows, at))
    return found


def _at_usual_hours(schedule: Schedule, rows: NDArray[np.intp], usual: Schedule) -> Schedule:
    """Return sessions of a schedule, opening or closing as usual where they open late or close early."""
    times = np.array([_usual_times(usual, int(day))[:2] for day in schedule.days[rows]], np.int64)
    opens, closes = schedule.open_ns[rows], schedule.close_ns[rows]
    # Wider by a nanosecond, because the usual time itself may be written, too, of a session that is not early or late.
    return replace(
        schedule,
        days=schedule.days[rows],
        open_ns=np.where(times[:, 0] < opens, times[:, 0] - 1, opens),
        close_ns=np.where(times[:, 1] > closes, times[:, 1] + 1, closes),
        breaks=(),
    )


def _with_special_hours(schedule: Schedule, own: ExchangeConfig) -> Schedule:
    """Give the special sessions their hours."""
    opens, closes = schedule.open_ns.copy(), schedule.close_ns.copy()
    zone = schedule.timezone
    for day, special in own.special_sessions.items():
        row = int(np.searchsorted(schedule.days, day_number(day)))
        local_open, local_close = (
            datetime.fromtimestamp(int(ns) // 1_000_000_000, zone).time() for ns in (opens[row], closes[row])
        )
        begins, ends = special.open or local_open, local_close if special.close is None else special.close
        (first,), (last,) = hours_of_days(schedule.days[row : row + 1], begins, ends, zone)
        # An open or close that is left out stays. The other one is then taken within the session's present hours, if
        # these reach it.
        if special.open is None:
            first, last = opens[row], _within_or(schedule, row, ends, last)
        elif special.close is None:
            first, last = _within_or(schedule, row, begins, first), closes[row]
        opens[row], closes[row] = first, last
    return replace(schedule, open_ns=opens, close_ns=closes)


def _within_or(schedule: Schedule, row: int, clock_time: time, otherwise: np.int64) -> np.int64:
    """Return when a session reaches a time of day, or ``otherwise`` when it does not."""
    (found,) = _within(schedule, [row], clock_time)
    return otherwise if found == NO_TIME else found


def _with_special_breaks(schedule: Schedule, own: ExchangeConfig) -> Schedule:
    """Give the special sessions their breaks, where they name some."""
    named = {day: special.breaks for day, special in own.special_sessions.items() if special.breaks is not None}
    empty = np.full(len(schedule.days), NO_TIME, np.int64)
    missing = max(map(len, named.values()), default=0) - len(schedule.breaks)
    breaks = [(start.copy(), end.copy()) for start, end in (*schedule.breaks, *[(empty, empty)] * missing)]
    for day, pauses in named.items():
        row = int(np.searchsorted(schedule.days, day_number(day)))
        for starts, ends in breaks:
            starts[row] = ends[row] = NO_TIME
        reached = schedule.open_ns[row]
        for (starts, ends), pause in zip(breaks, pauses, strict=False):
            (starts[row],), (ends[row],) = (_within(schedule, [row], at) for at in (pause.start, pause.end))
            if not reached < starts[row] < ends[row]:
                raise ConfigError(
                    f"{own.name}: special_sessions: the break from {pause.start:%H:%M} to {pause.end:%H:%M} does not "
                    f"lie in the session of {day}, after the break before it. Correct it."
                )
            reached = ends[row]
    return replace(schedule, breaks=tuple(breaks))


def _within(schedule: Schedule, rows: Sequence[int] | NDArray[np.intp], clock_time: time) -> NDArray[np.int64]:
    """Return for each row when its session reaches a time of day between open and close, or `NO_TIME`."""
    found = np.full(len(rows), NO_TIME, np.int64)
    opens, closes, days = schedule.open_ns[rows], schedule.close_ns[rows], schedule.days[rows]
    # A session may begin on the evening before its date, and end at midnight or, at some exchanges, later.
    for shift in (1, 0, -1):
        at = wall_clock_ns(days + shift, clock_time, schedule.timezone)
        found = np.where((opens < at) & (at < closes), at, found)
    return found


def _pause(schedule: Schedule, start: time, end: time) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return starts and ends of a break in every session, cut to the session's hours."""
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
