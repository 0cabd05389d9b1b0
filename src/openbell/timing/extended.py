"""Pre-market and post-market of the exchanges for which they are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from openbell.errors import ConfigError
from openbell.timing.custom import hours_of_days
from openbell.timing.schedule import NO_TIME, wall_clock_ns, wall_minutes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.config.exchange import ExtendedHoursConfig
    from openbell.timing.schedule import Schedule, Segments

__all__ = ["cut_to", "extended_segments", "segments_around", "segments_within"]


@dataclass(frozen=True, slots=True)
class _ExtendedHours:
    """Local times between which an exchange trades around its regular session."""

    pre_open: time
    post_close: time
    regular_close: time
    post_close_on_early_days: time


_AROUND = 5
"""Sessions on each side of a day with which its close is compared."""

# By the name without aliases: XNYS stands for XNAS, ARCX, BATS and the other US equity exchanges as well.
# Nasdaq and NYSE Arca trade 04:00 to 20:00 New York, and until 17:00 on days that close early.
_EXTENDED_HOURS = {"XNYS": _ExtendedHours(time(4), time(20), regular_close=time(16), post_close_on_early_days=time(17))}


def extended_segments(schedule: Schedule, exchange: str) -> list[Segments]:
    """Return the pre-market and post-market segments of a schedule.

    Args:
        schedule: The regular sessions.
        exchange: The exchange's name, for messages.

    Raises:
        ConfigError: No extended hours are known for the exchange.
    """
    hours = _EXTENDED_HOURS.get(schedule.name)
    if hours is None:
        raise ConfigError(
            f"session_hours is 'extended', but no extended hours are known for the exchange {exchange}. "
            f"They are known for {', '.join(_EXTENDED_HOURS)}. Use session_hours: regular, or write them under "
            "exchange: {extended: {open: ..., close: ...}}."
        )
    days, zone = schedule.days, schedule.timezone
    pre_open = wall_clock_ns(days, hours.pre_open, zone)
    closes_early = schedule.close_ns < wall_clock_ns(days, hours.regular_close, zone)
    post_close = wall_clock_ns(days, hours.post_close, zone)
    post_close[closes_early] = wall_clock_ns(days[closes_early], hours.post_close_on_early_days, zone)
    return _before_and_after(schedule, pre_open, post_close)


def segments_around(schedule: Schedule, hours: ExtendedHoursConfig) -> list[Segments]:
    """Return the pre-market and post-market segments that a config describes by times of day.

    A day closes early when it closes before one of the sessions around it does.
    """
    if hours.open is None or hours.close is None:
        raise ValueError("the hours name no times")
    days, zone = schedule.days, schedule.timezone
    begins, ends = hours_of_days(days, hours.open, hours.close, zone)
    closes = np.array(wall_minutes(schedule.close_ns, days, zone), np.int64)
    around = sliding_window_view(np.pad(closes, _AROUND, mode="edge"), 2 * _AROUND + 1)
    early = closes < around.max(axis=1)
    if hours.early_close is None:
        ends[early] = schedule.close_ns[early]
    else:
        _, ends[early] = hours_of_days(days[early], hours.open, hours.early_close, zone)
    return _before_and_after(schedule, begins, ends)


def cut_to(schedule: Schedule, whole: Schedule) -> Schedule:
    """Cut the regular sessions of a schedule to the sessions of another one with the same dates.

    A session of which nothing is left is removed. One whose date has no session in ``whole`` is not cut.
    """
    rows, there = _rows_of(schedule, whole)
    opens = np.where(there, np.maximum(schedule.open_ns, whole.open_ns[rows]), schedule.open_ns)
    closes = np.where(there, np.minimum(schedule.close_ns, whole.close_ns[rows]), schedule.close_ns)
    left = opens < closes
    return replace(
        schedule,
        days=schedule.days[left],
        open_ns=opens[left],
        close_ns=closes[left],
        breaks=tuple((start[left], end[left]) for start, end in schedule.breaks),
    )


def segments_within(schedule: Schedule, whole: Schedule) -> list[Segments]:
    """Return the segments of another schedule's sessions before and after the regular ones of the same date."""
    rows, there = _rows_of(schedule, whole)
    session = np.arange(len(schedule.days), dtype=np.int64)
    opens, kinds = whole.open_ns[rows], []
    for start, end in (*whole.breaks, (None, None)):
        paused = np.ones(len(rows), bool) if start is None else start[rows] != NO_TIME
        closes = whole.close_ns[rows] if start is None else start[rows]
        for begins, ends in (
            (opens, np.minimum(closes, schedule.open_ns)),
            (np.maximum(opens, schedule.close_ns), closes),
        ):
            some = there & paused & (begins < ends)
            kinds.append((begins[some], ends[some], session[some], False))
        opens = opens if end is None else np.where(paused, end[rows], opens)
    return kinds


def _rows_of(schedule: Schedule, whole: Schedule) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return for each session its date's row in another schedule, and whether the date has one there."""
    rows = np.searchsorted(whole.days, schedule.days).clip(max=len(whole.days) - 1)
    return rows, np.asarray(whole.days[rows] == schedule.days, np.bool_)


def _before_and_after(schedule: Schedule, begins: NDArray[np.int64], ends: NDArray[np.int64]) -> list[Segments]:
    session = np.arange(len(schedule.days), dtype=np.int64)
    before, after = begins < schedule.open_ns, ends > schedule.close_ns
    return [
        (begins[before], schedule.open_ns[before], session[before], False),
        (schedule.close_ns[after], ends[after], session[after], False),
    ]
