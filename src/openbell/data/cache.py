"""Bars kept in memory over a range of sessions, so that a part of it is a slice and costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.bars import Bars
    from openbell.timing.grid import SessionGrid

__all__ = ["CachedBars", "session_starts"]


@dataclass(frozen=True, slots=True)
class CachedBars:
    """The bars of one symbol and interval over consecutive sessions; immutable.

    Attributes:
        first_day: The range of dates that the bars cover, in days since 1970-01-01; likewise last_day, inclusive.
        days: Dates of the sessions in that range; ascending.
        rows: Per session the index of its first bar, and at the end the number of bars. A bar of several sessions
            belongs to its first.
        bars: The bars.
    """

    first_day: int
    last_day: int
    days: NDArray[np.int64]
    rows: NDArray[np.intp]
    bars: Bars

    @staticmethod
    def of(first_day: int, last_day: int, grid: SessionGrid, bars: Bars) -> CachedBars:
        """Bars that lie within the sessions of ``grid``, which are those from ``first_day`` to ``last_day``."""
        return CachedBars(first_day, last_day, grid.days, np.searchsorted(bars.timestamp, session_starts(grid)), bars)

    def covers(self, first_day: int, last_day: int) -> bool:
        """Whether every bar of that range that is stored is here."""
        return self.first_day <= first_day and last_day <= self.last_day

    def between(self, first_day: int, last_day: int) -> Bars:
        """The bars of the sessions from ``first_day`` to ``last_day``, as views."""
        begin, end = np.searchsorted(self.days, (first_day, last_day + 1))
        return self.bars[int(self.rows[begin]) : int(self.rows[max(begin, end)])]

    def since(self, first_day: int) -> CachedBars:
        """The part from a date on, as views."""
        begin = int(np.searchsorted(self.days, first_day))
        row = self.rows[begin]
        return CachedBars(first_day, self.last_day, self.days[begin:], self.rows[begin:] - row, self.bars[int(row) :])


def session_starts(grid: SessionGrid) -> NDArray[np.int64]:
    """When each session begins, extended hours included, and as a last entry when the last one ends."""
    if not len(grid.days):
        return np.zeros(1, np.int64)
    first_segment = np.searchsorted(grid.segment_session, np.arange(len(grid.days)))
    return np.append(grid.segment_open_ns[first_segment], grid.segment_close_ns[-1])
