"""`Schedule`: the days and hours of one exchange as columns, whoever knows them, and the grid that they make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import repeat
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from openbell.timing.grid import ANCHOR_DAY, SessionGrid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

__all__ = ["NO_TIME", "Schedule", "Segments", "wall_clock_ns"]

NO_TIME = int(np.iinfo(np.int64).min)
"""Stands where there is no time: a day without a break."""

_DAY_S = 86_400

Segments: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], bool]"
"""Segments of one kind: open, close, session, and whether they are regular hours."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The sessions of an exchange; int64 columns with one entry per session, times in nanoseconds since 1970 UTC.

    Attributes:
        name: The calendar, by its name without aliases.
        timezone: Where the exchange is.
        first_day: The first day, in days since 1970-01-01, of which it is known whether it is a session.
        last_day: The last such day.
        days: Dates in days since 1970-01-01, ascending.
        open_ns: When trading begins.
        close_ns: When it ends.
        breaks: Start and end of each kind of break within the session, in order; `NO_TIME` where there is none.
    """

    name: str
    timezone: ZoneInfo
    first_day: int
    last_day: int
    days: NDArray[np.int64]
    open_ns: NDArray[np.int64]
    close_ns: NDArray[np.int64]
    breaks: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...] = ()

    def grid(self, extended: Iterable[Segments] = ()) -> SessionGrid:
        """All sessions as one grid: regular segments, split at the breaks, and those of the extended hours."""
        parts = [*self._regular_segments(), *extended]
        segment_open = np.concatenate([part[0] for part in parts])
        order = np.argsort(segment_open, kind="stable")
        return SessionGrid(
            days=self.days,
            open_ns=self.open_ns,
            close_ns=self.close_ns,
            segment_open_ns=segment_open[order],
            segment_close_ns=np.concatenate([part[1] for part in parts])[order],
            segment_session=np.concatenate([part[2] for part in parts])[order],
            segment_is_regular=np.concatenate([np.full(len(part[0]), part[3]) for part in parts])[order],
            first_ordinal=-int(np.searchsorted(self.days, ANCHOR_DAY)),
        )

    def _regular_segments(self) -> list[Segments]:
        session = np.arange(len(self.days), dtype=np.int64)
        parts: list[Segments] = []
        opens = self.open_ns
        for start, end in self.breaks:
            split = start != NO_TIME
            parts.append((opens[split], start[split], session[split], True))
            opens = np.where(split, end, opens)
        return [*parts, (opens, self.close_ns, session, True)]


def wall_clock_ns(days: Sequence[int] | NDArray[np.int64], clock_time: time, zone: ZoneInfo) -> NDArray[np.int64]:
    """When the wall clock in ``zone`` shows a time on each of the days, in nanoseconds since 1970 UTC.

    A time that the change to winter hours repeats is taken the first time round; one that the change to summer hours
    skips comes out later by what the clocks skip.
    """
    number = np.asarray(days, np.int64)
    # Chains of map: each step runs over all days without coming back to Python.
    clock_times = repeat(clock_time.replace(microsecond=0, tzinfo=None, fold=0))
    offsets = map(zone.utcoffset, map(datetime.combine, number.astype("datetime64[D]").tolist(), clock_times))
    seconds = map(timedelta.total_seconds, offsets)  # type: ignore[arg-type]  # a zone knows its offset at all times
    ahead = np.fromiter(seconds, np.float64, len(number)).astype(np.int64)
    since_midnight = (clock_time.hour * 60 + clock_time.minute) * 60 + clock_time.second
    return (number * _DAY_S + since_midnight - ahead) * 1_000_000_000
