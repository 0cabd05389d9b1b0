"""Reach of the history that a feed has of symbols, of which bars may be missing."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from openbell.errors import CalendarError
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from openbell.feeds.feed import HistoryRequest
    from openbell.market_data.today_bars import TodayBars
    from openbell.timing import TimeManager

__all__ = ["HistoryReach"]

_MOST_EMPTY = 250
"""So many sessions in a row without a bar, which is a year, and a feed counts as having no earlier ones."""

_LEAST_FURTHER = 5
"""So many sessions further back at the least when earlier bars are asked for the first time."""


class HistoryReach:
    """Says of which series bars are missing, and how much further back to ask for others in their place.

    Args:
        today: Says which day the session is of.
        time_manager: The calendar.
    """

    def __init__(self, today: TodayBars, time_manager: TimeManager) -> None:
        self._today = today
        self._time_manager = time_manager
        self._sparse: dict[str, set[str]] = defaultdict(set)
        self._ended: dict[str, set[str]] = defaultdict(set)
        self._bars_since: dict[tuple[str, str], date] = {}
        self._further: dict[tuple[str, str], int] = defaultdict(int)
        self._expected: dict[tuple[str, date, date], int] = {}

    def received(self, request: HistoryRequest, bars: int, *, until: date | None = None) -> None:
        """Note how many bars of earlier days have come.

        Args:
            request: What was asked for.
            bars: How many.
            until: The day before which they were asked for; the session's unless given.
        """
        symbol, interval, first = request.symbol, request.interval, request.first
        if bars:
            self._bars_since[symbol, interval] = first
        if bars < self._bars_expected(interval, first, until or self._today.day):
            self._sparse[symbol].add(interval)

    def _bars_expected(self, interval: str, first: date, until: date) -> int:
        """Return how many bars the calendar has from a day on, before another."""
        key = interval, first, until
        if key not in self._expected:
            grid = self._time_manager.grid(first, max(first, until - timedelta(days=1)))
            self._expected[key] = len(grid.expected_bars(parse_interval(interval))) if first < until else 0
        return self._expected[key]

    def is_unsure(self, symbol: str, intervals: Iterable[str]) -> None:
        """Note that bars of intervals may be missing, as after a day that was played."""
        self._sparse[symbol].update(intervals)

    def ends(self, symbol: str, interval: str) -> None:
        """Note that earlier bars than those that came cannot be had."""
        self._ended[symbol].add(interval)

    def is_sparse(self, symbol: str, interval: str, since: date | None) -> bool:
        """Return whether bars are missing in what was asked for since a day, and there may be earlier ones."""
        if since is None or interval not in self._sparse[symbol] or interval in self._ended[symbol]:
            return False
        return since > self._time_manager.first_day and self._empty_sessions(symbol, interval, since) < _MOST_EMPTY

    def day_before(self, symbol: str, interval: str, since: date, further_back: Callable[[date], date]) -> date:
        """Return from which day on bars are asked for next, before those since a day."""
        empty, tm = self._empty_sessions(symbol, interval, since), self._time_manager
        times = self._further[symbol, interval]
        self._further[symbol, interval] += 1
        try:
            # Each time twice as far or more. A stretch without bars may be long, and is not crossed week by week.
            least = max(_LEAST_FURTHER << times, min(4 * empty, _MOST_EMPTY - empty))
            return min(further_back(since), tm.session_before(since, least))
        except CalendarError:
            return tm.first_day

    def _empty_sessions(self, symbol: str, interval: str, since: date) -> int:
        """Return how many sessions since a day come before the stretch in which the first bars lie."""
        until = self._bars_since.get((symbol, interval), self._today.day)
        return len(self._time_manager.sessions(since, until - timedelta(days=1))) if since < until else 0

    def forget(self, symbol: str) -> None:
        """Forget a symbol."""
        self._sparse.pop(symbol, None)
        self._ended.pop(symbol, None)
        self._bars_since = {key: day for key, day in self._bars_since.items() if key[0] != symbol}
        self._further = defaultdict(int, {key: times for key, times in self._further.items() if key[0] != symbol})

    def clear(self) -> None:
        """Forget all symbols."""
        self._sparse.clear()
        self._ended.clear()
        self._bars_since.clear()
        self._further.clear()
