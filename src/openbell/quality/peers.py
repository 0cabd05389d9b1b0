"""Counts of the bars that the symbols with the most bars have.

They show whether a bar is missing for all symbols or only for one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from openbell.quality.calendar_fit import bars_on_closed_days

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from openbell.model.interval import Interval
    from openbell.quality.series import Series
    from openbell.timing.grid import SessionGrid

__all__ = ["MOST_PEERS", "Peers"]

MOST_PEERS = 12
"""The number of symbols of an interval, those with the most bars, that each series is compared with."""


class Peers:
    """Counts of the symbols that have each expected bar.

    Args:
        grid: The sessions.
        interval: The interval.
    """

    def __init__(self, grid: SessionGrid, interval: Interval) -> None:
        self._counts = np.zeros(len(grid.expected_bars(interval)), np.uint8)
        self._active = np.zeros(len(grid), np.uint8)
        self._members: set[str] = set()
        self._closed: Counter[int] = Counter()

    @property
    def members(self) -> Collection[str]:
        """The symbols that have been added."""
        return self._members

    def add(self, series: Series) -> None:
        """Count the bars of one more symbol."""
        self._members.add(series.symbol)
        self._counts[series.first_slot : series.first_slot + len(series.present)] += series.present
        self._active[series.sessions()] += 1
        self._closed.update(np.unique(bars_on_closed_days(series)[1]).tolist())

    def others_at(self, series: Series) -> NDArray[np.int64]:
        """Return the number of other symbols with a bar, per expected bar (int64)."""
        counts = self._counts[series.first_slot : series.first_slot + len(series.present)].astype(np.int64)
        return counts - series.present if series.symbol in self._members else counts

    def others_on_closed(self, series: Series, day: int) -> tuple[int, int]:
        """Count the other symbols with bars on a day, and all other symbols.

        The day is in days since 1970-01-01.
        """
        own = series.symbol in self._members
        return self._closed[day] - own, len(self._members) - own

    def others_active(self, series: Series) -> NDArray[np.int64]:
        """Return the number of other symbols with a bar, per session (int64)."""
        active = self._active.astype(np.int64)
        if series.symbol in self._members:
            active[series.sessions()] -= 1
        return active
