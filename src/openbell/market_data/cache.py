"""Bars kept in memory over a range of sessions, so that a part of it is a slice and costs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.model.bars import Bars, BarTimes
    from openbell.timing.grid import SessionGrid

__all__ = ["CachedBars", "SessionRange"]

_WINDOWS_KEPT = 64


@dataclass(frozen=True, slots=True, eq=False)
class SessionRange:
    """Consecutive sessions, shared by all series that cover them.

    Attributes:
        first_day: The range of dates, in days since 1970-01-01; likewise last_day, inclusive.
        days: Dates of the sessions in that range; ascending.
        starts_ns: When each session begins, extended hours included, and as a last entry when the last one ends;
            nanoseconds since 1970 UTC.
    """

    first_day: int
    last_day: int
    days: NDArray[np.int64]
    starts_ns: NDArray[np.int64]
    # Not by the range: ranges are known for longer than the times of bars should be in memory.
    _rows: WeakKeyDictionary[BarTimes, dict[tuple[int, int], tuple[int, int]]] = field(
        default_factory=WeakKeyDictionary, repr=False
    )

    def rows(self, times: BarTimes, first_day: int, last_day: int) -> tuple[int, int]:
        """The first row of the sessions from ``first_day`` to ``last_day``, and the row after the last.

        Worked out once for all series that have these times.
        """
        windows = self._rows.get(times)
        if windows is None:
            windows = self._rows[times] = {}
        known = windows.get((first_day, last_day))
        if known is None:
            if len(windows) >= _WINDOWS_KEPT:
                windows.clear()
            begin, end = self.days.searchsorted((first_day, last_day + 1))
            first, after = times.timestamp.searchsorted(self.starts_ns[[begin, max(begin, end)]])
            known = windows[first_day, last_day] = (int(first), int(after))
        return known

    @staticmethod
    def of(first_day: int, last_day: int, grid: SessionGrid) -> SessionRange:
        """The sessions of ``grid``, which are those from ``first_day`` to ``last_day``."""
        if not len(grid.days):
            return SessionRange(first_day, last_day, grid.days, np.zeros(1, np.int64))
        first_segment, _ = grid.segments_of_sessions()
        starts = np.append(grid.segment_open_ns[first_segment], grid.segment_close_ns[-1])
        return SessionRange(first_day, last_day, grid.days, starts)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class CachedBars:
    """The bars of one symbol and interval over consecutive sessions; immutable.

    Attributes:
        sessions: The range that the bars cover: all that is stored of it is here.
        bars: The bars. One of several sessions belongs to its first.
    """

    sessions: SessionRange
    bars: Bars

    @property
    def first_day(self) -> int:
        """The first date covered, in days since 1970-01-01."""
        return self.sessions.first_day

    @property
    def last_day(self) -> int:
        """The last date covered, inclusive."""
        return self.sessions.last_day

    def covers(self, first_day: int, last_day: int) -> bool:
        """Whether every bar of that range that is stored is here."""
        return self.first_day <= first_day and last_day <= self.last_day

    def between(self, first_day: int, last_day: int) -> Bars:
        """The bars of the sessions from ``first_day`` to ``last_day``, as views."""
        return self.bars.window(*self.sessions.rows(self.bars.times, first_day, last_day))
