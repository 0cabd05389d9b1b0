"""Equity-index futures as they trade on CME Globex."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from openbell.timing.grid import day_number
from openbell.timing.schedule import NO_TIME, Schedule, wall_clock_ns

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["globex_schedule"]

_NEW_YORK = ZoneInfo("America/New_York")
_QUARTER_NS = 15 * 60 * 1_000_000_000

_MAINTENANCE = day_number(date(2012, 11, 19))
"""From this trade date on a session ends at 16:15, with a halt from 15:15 to 15:30."""
_EARLIER_CLOSE = day_number(date(2015, 9, 21))
"""From this trade date on a session ends at 16:00."""
_NO_HALT = day_number(date(2021, 6, 28))
"""From this trade date on a session has no halt."""
_HOLIDAYS_UNTIL_NOON = day_number(date(2014, 5, 1))
"""From this date on a session on a holiday of the NYSE ends at 12:00; before, at 10:30."""
_JUNETEENTH = day_number(date(2022, 6, 1))
"""From this date on Juneteenth is one of these holidays."""

_MORNINGS = {
    date(2010, 4, 2): time(8, 15),  # Good Fridays on which the jobs report came
    date(2012, 4, 6): time(8, 15),
    date(2015, 4, 3): time(8, 15),
    date(2021, 4, 2): time(8, 15),
    date(2023, 4, 7): time(8, 15),
    date(2018, 12, 5): time(8, 30),  # days of mourning
    date(2025, 1, 9): time(8, 30),
}
"""Sessions that end in the morning of days on which the NYSE is closed."""


def globex_schedule(cmes: Schedule, nyse: Schedule) -> Schedule:
    """Build the sessions of equity-index futures.

    Args:
        cmes: The general calendar of CME, whose sessions end at 17:00, or at 12:00 on holidays.
        nyse: The calendar of the NYSE, on whose holidays and early closes the futures close early.
    """
    schedule = _with_mornings(cmes)
    days, zone = schedule.days, schedule.timezone
    closes = _usual_closes(schedule)
    halt = (days >= _MAINTENANCE) & (days < _NO_HALT)

    on_holidays = ~np.isin(days, nyse.days) & np.isin(days, cmes.days)
    early_at_cmes = on_holidays & (schedule.close_ns < wall_clock_ns(days, time(16), zone))
    juneteenth = on_holidays & (days >= _JUNETEENTH) & _is_in_june(days)
    closes = np.where(early_at_cmes | juneteenth, wall_clock_ns(days, time(12), zone), closes)
    before = early_at_cmes & (days < _HOLIDAYS_UNTIL_NOON)
    closes = np.where(before, wall_clock_ns(days, time(10, 30), zone), closes)

    early = nyse.close_ns == wall_clock_ns(nyse.days, time(13), _NEW_YORK)
    rows = np.searchsorted(nyse.days, days).clip(max=len(nyse.days) - 1)
    with_nyse = (nyse.days[rows] == days) & early[rows]
    closes = np.where(with_nyse, nyse.close_ns[rows] + _QUARTER_NS, closes)
    for day, at in _MORNINGS.items():
        closes[days == day_number(day)] = wall_clock_ns([day_number(day)], at, zone)[0]

    starts, ends = (wall_clock_ns(days, at, zone) for at in (time(15, 15), time(15, 30)))
    halt &= ends < closes
    breaks = ((np.where(halt, starts, NO_TIME), np.where(halt, ends, NO_TIME)),)
    return replace(schedule, name="CME_GLOBEX", close_ns=closes, breaks=breaks)


def _with_mornings(cmes: Schedule) -> Schedule:
    """Add the sessions of `_MORNINGS`, where the calendar reaches them."""
    numbers = [day_number(day) for day in _MORNINGS]
    added = [day for day in numbers if cmes.first_day <= day <= cmes.last_day and day not in cmes.days]
    days = np.union1d(cmes.days, np.array(added, np.int64)).astype(np.int64)
    known = np.isin(days, cmes.days)
    opens = wall_clock_ns(days - 1, time(17), cmes.timezone)
    closes = wall_clock_ns(days, time(17), cmes.timezone)
    opens[known], closes[known] = cmes.open_ns, cmes.close_ns
    return replace(cmes, days=days, open_ns=opens, close_ns=closes, breaks=())


def _usual_closes(schedule: Schedule) -> NDArray[np.int64]:
    """Return the closes of the sessions, with those of full sessions moved to their usual time."""
    days, zone = schedule.days, schedule.timezone
    full = schedule.close_ns > wall_clock_ns(days, time(16), zone)
    closes = schedule.close_ns
    for since, at in ((_MAINTENANCE, time(16, 15)), (_EARLIER_CLOSE, time(16))):
        closes = np.where(full & (days >= since), wall_clock_ns(days, at, zone), closes)
    return closes


def _is_in_june(days: NDArray[np.int64]) -> NDArray[np.bool_]:
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months % 12 == 5, np.bool_)
