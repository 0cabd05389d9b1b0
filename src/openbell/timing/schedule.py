"""Days and hours of one exchange as columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import repeat
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from openbell.timing.grid import ANCHOR_DAY, SessionGrid, day_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

__all__ = ["NO_TIME", "Schedule", "Segments", "wall_clock_ns", "wall_minutes"]

NO_TIME = int(np.iinfo(np.int64).min)
"""Placeholder where there is no time, as on a day without a break."""

_DAY_S = 86_400
_THURSDAY = 3
_USUAL_WEEKDAY = 0.1
"""The least share of a seventh of all sessions that a weekday must have to count as one that trades."""
_PROBE_EVERY = 8
"""Every how many days the offset from UTC is looked up."""
_FURTHEST_PROBES = 15
"""The most calendar days between two such days for the days between them to be taken as equal."""

Segments: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], bool]"
"""Open, close and session of segments of one kind, and whether they are regular hours."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The sessions of one exchange, as int64 columns with a row for each.

    Times are nanoseconds since 1970 UTC, days are counted since 1970-01-01.

    Attributes:
        name: The calendar, by its name without aliases.
        timezone: The time zone of the exchange.
        first_day: The first day of which it is known whether it is a session.
        last_day: The last such day.
        days: Dates, ascending.
        open_ns: When trading begins.
        close_ns: When it ends.
        breaks: Start and end of each kind of break within the session, in order; `NO_TIME` where there is none.
        settled_until: The last day that no other release of exchange_calendars is expected to change; None for all.
    """

    name: str
    timezone: ZoneInfo
    first_day: int
    last_day: int
    days: NDArray[np.int64]
    open_ns: NDArray[np.int64]
    close_ns: NDArray[np.int64]
    breaks: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...] = ()
    settled_until: int | None = None

    def through(self, last: int) -> Schedule:
        """Return the sessions up to a day, as views."""
        return self._rows(slice(0, int(np.searchsorted(self.days, last, side="right"))))

    def continued(self, other: Schedule) -> Schedule:
        """Return these sessions, followed by the later ones of another schedule with as many kinds of breaks."""
        more = other._rows(slice(int(np.searchsorted(other.days, self.last_day, side="right")), None))
        return replace(
            more,
            first_day=self.first_day,
            days=np.concatenate([self.days, more.days]),
            open_ns=np.concatenate([self.open_ns, more.open_ns]),
            close_ns=np.concatenate([self.close_ns, more.close_ns]),
            breaks=tuple(
                (np.concatenate([a, c]), np.concatenate([b, d]))
                for (a, b), (c, d) in zip(self.breaks, more.breaks, strict=True)
            ),
        )

    def _rows(self, rows: slice) -> Schedule:
        days = self.days[rows]
        return replace(
            self,
            first_day=int(days[0]),
            last_day=int(days[-1]),
            days=days,
            open_ns=self.open_ns[rows],
            close_ns=self.close_ns[rows],
            breaks=tuple((start[rows], end[rows]) for start, end in self.breaks),
        )

    def grid(self, extended: Iterable[Segments] = ()) -> SessionGrid:
        """Build the grid of all sessions, with regular hours split at the breaks."""
        kinds = [*self._regular_segments(), *extended]
        segment_open = np.concatenate([kind[0] for kind in kinds])
        order = np.argsort(segment_open, kind="stable")
        return SessionGrid(
            days=self.days,
            open_ns=self.open_ns,
            close_ns=self.close_ns,
            segment_open_ns=segment_open[order],
            segment_close_ns=np.concatenate([kind[1] for kind in kinds])[order],
            segment_session=np.concatenate([kind[2] for kind in kinds])[order],
            segment_is_regular=np.concatenate([np.full(len(kind[0]), kind[3]) for kind in kinds])[order],
            first_ordinal=-int(np.searchsorted(self.days, ANCHOR_DAY)),
            week_anchor=_week_anchor(self.days),
        )

    def _regular_segments(self) -> list[Segments]:
        session = np.arange(len(self.days), dtype=np.int64)
        kinds: list[Segments] = []
        opens = self.open_ns
        for start, end in self.breaks:
            split = start != NO_TIME
            kinds.append((opens[split], start[split], session[split], True))
            opens = np.where(split, end, opens)
        return [*kinds, (opens, self.close_ns, session, True)]


def _week_anchor(days: NDArray[np.int64]) -> int:
    """Return the first day of the exchange's week around `ANCHOR_DAY`.

    A week begins after the longest weekend of the calendar, and on Monday when every weekday trades. Of several
    weekends of that length, the one counts after which the earliest weekday follows, Monday being the first.
    """
    sessions = np.bincount((days - ANCHOR_DAY) % 7, minlength=7)
    # Single Saturdays that make up for a holiday do not shorten the weekend.
    trades = sessions * 7 >= len(days) * _USUAL_WEEKDAY
    free = [next((n for n in range(7) if trades[(weekday - 1 - n) % 7]), 0) for weekday in range(7)]
    begins = max((weekday for weekday in range(7) if trades[weekday]), key=lambda weekday: (free[weekday], -weekday))
    # Of Tuesday to Thursday, the one after the Monday; of Friday to Sunday, the one before it.
    return ANCHOR_DAY + (begins if begins <= _THURSDAY else begins - 7)


def wall_clock_ns(days: Sequence[int] | NDArray[np.int64], clock_time: time, zone: ZoneInfo) -> NDArray[np.int64]:
    """Return when the wall clock in a zone shows a time on each day.

    The result is in nanoseconds since 1970 UTC.
    A time that occurs twice, because clocks go back, is its first occurrence. One that does not occur, because clocks
    go forward, is moved later by what they skip.

    Args:
        days: Days since 1970-01-01, ascending.
        clock_time: The time, to the second.
        zone: The time zone.
    """
    number = np.asarray(days, np.int64)
    since_midnight = (clock_time.hour * 60 + clock_time.minute) * 60 + clock_time.second
    return (number * _DAY_S + since_midnight - _utc_offsets(number, clock_time, zone)) * 1_000_000_000


def wall_minutes(times_ns: NDArray[np.int64], days: NDArray[np.int64], zone: ZoneInfo) -> list[int | None]:
    """Convert times to whole minutes of the wall clock since each day began, None where there is no time.

    Args:
        times_ns: Nanoseconds since 1970 UTC, or `NO_TIME`.
        days: The day of each, since 1970-01-01.
        zone: The time zone.
    """
    return [
        None if ns == NO_TIME else _wall_minute(ns, day, zone)
        for ns, day in zip(times_ns.tolist(), days.tolist(), strict=True)
    ]


def _wall_minute(ns: int, day: int, zone: ZoneInfo) -> int:
    local = datetime.fromtimestamp(ns // 1_000_000_000, zone)
    return (day_number(local.date()) - day) * (_DAY_S // 60) + local.hour * 60 + local.minute


def _utc_offsets(days: NDArray[np.int64], clock_time: time, zone: ZoneInfo) -> NDArray[np.int64]:
    """Return the seconds by which the wall clock is ahead of UTC on each day."""
    # A look-up takes half a microsecond, so only some days are probed. No zone changes its clocks and changes them back
    # within two weeks: where two probes no further apart than that agree, so do the days between them.
    probes = np.append(np.arange(0, len(days) - 1, _PROBE_EVERY), len(days) - 1) if len(days) else np.arange(0)
    probed, rows = _offsets_of(days[probes], clock_time, zone), np.diff(probes, append=len(days))
    differ = (np.diff(probed, append=probed[-1:]) != 0) | (np.diff(days[probes], append=days[-1:]) > _FURTHEST_PROBES)
    offsets, changes = np.repeat(probed, rows), np.repeat(differ, rows)
    offsets[changes] = _offsets_of(days[changes], clock_time, zone)
    return offsets


def _offsets_of(days: NDArray[np.int64], clock_time: time, zone: ZoneInfo) -> NDArray[np.int64]:
    # Chained calls of map, which run over all days without returning to Python code.
    clock_times = repeat(clock_time.replace(microsecond=0, tzinfo=None, fold=0))
    offsets = map(zone.utcoffset, map(datetime.combine, days.astype("datetime64[D]").tolist(), clock_times))
    seconds = map(timedelta.total_seconds, offsets)  # type: ignore[arg-type]  # a zone knows its offset at all times
    return np.fromiter(seconds, np.float64, len(days)).astype(np.int64)
