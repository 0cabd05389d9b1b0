"""The requests to a source that bring what is missing in a store."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.model.interval import DAY_NS
from openbell.timing.grid import date_of
from openbell.vendors.missing_sessions import DateRange, missing_ranges

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from openbell.store.store import BarStore
    from openbell.timing.grid import SessionGrid
    from openbell.timing.time_manager import TimeManager

__all__ = ["FetchPlan", "FetchRequest", "plan_requests", "sessions_with_bars"]

_SYMBOLS_AT_ONCE = 200
_BARS_AT_ONCE = 20_000
"""Of daily bars: so few that little is lost when a request is interrupted, and so many that pages are full."""


class FetchRequest(NamedTuple):
    """A request for the bars of some symbols over a range of sessions."""

    symbols: tuple[str, ...]
    interval: str
    first: date
    last: date

    def sessions_of(self, sessions: Sequence[date]) -> int:
        """Return how many of these sessions it is about, of each symbol."""
        return len(self.among(sessions))

    def among(self, sessions: Sequence[date]) -> Sequence[date]:
        """Return those of these sessions that it is about."""
        return sessions[bisect_left(sessions, self.first) : bisect_right(sessions, self.last)]

    def halves(self) -> tuple[FetchRequest, FetchRequest]:
        """Split it into two of fewer symbols each."""
        middle = len(self.symbols) // 2
        return self._replace(symbols=self.symbols[:middle]), self._replace(symbols=self.symbols[middle:])


class FetchPlan(NamedTuple):
    """The requests that are to be sent.

    Attributes:
        requests: The requests.
        held: Sessions of a symbol that need not be asked for, because the store has them.
        unavailable: Likewise, because they are not to be had.
    """

    requests: list[FetchRequest]
    held: int
    unavailable: int


def plan_requests(
    store: BarStore,
    symbols: Sequence[str],
    interval: str,
    sessions: Sequence[date],
    time_manager: TimeManager,
    *,
    again: bool = False,
    unavailable: Mapping[str, Collection[date]] | None = None,
) -> FetchPlan:
    """Plan requests for the sessions that are missing in the store.

    Each is about a month of a symbol's minutes, or a range of days of several symbols. A session is there when the
    store has a bar of its regular hours. With ``again``, nothing counts as there. ``unavailable`` has by symbol what is
    not to be had; of a symbol without any bars it does not count.

    Raises:
        DamagedFileError: A file of the store that says what is there cannot be read.
    """
    plan = FetchPlan([], 0, 0)
    wanted: dict[DateRange, list[str]] = {}
    for symbol in symbols if sessions else ():
        held = set() if again else _held_sessions(store, symbol, interval, sessions, time_manager)
        gone: set[date] = set()
        if unavailable and interval in store.intervals(symbol):
            gone = set(sessions).intersection(unavailable.get(symbol, ())) - held
        plan = plan._replace(held=plan.held + len(held), unavailable=plan.unavailable + len(gone))
        for missing in missing_ranges(sessions, held | gone, by_month=interval != "1d"):
            wanted.setdefault(missing, []).append(symbol)
    for missing, group in wanted.items():
        asked = FetchRequest((), interval, *missing)
        size = 1 if interval != "1d" else max(1, min(_SYMBOLS_AT_ONCE, _BARS_AT_ONCE // asked.sessions_of(sessions)))
        plan.requests.extend(asked._replace(symbols=tuple(group[i : i + size])) for i in range(0, len(group), size))
    return plan


def sessions_with_bars(times: NDArray[np.int64], interval: str, grid: SessionGrid) -> set[date]:
    """Return the sessions of which there is a bar of regular hours, or a daily one.

    Args:
        times: Starts of bars in ascending time, nanoseconds since 1970 UTC; of daily bars their date at 00:00 UTC.
        interval: Their interval.
        grid: The sessions.
    """
    if interval == "1d":
        days = np.intersect1d(times // DAY_NS, grid.days)
        return {date_of(day) for day in days.tolist()}
    session = np.searchsorted(grid.open_ns, times, side="right") - 1
    within = (session >= 0) & (times < grid.close_ns[session])
    return {date_of(day) for day in grid.days[np.unique(session[within])].tolist()}


def _held_sessions(
    store: BarStore, symbol: str, interval: str, sessions: Sequence[date], time_manager: TimeManager
) -> set[date]:
    """Return the sessions of which the store has bars of a vendor, not only built ones."""
    if interval not in store.intervals(symbol):
        return set()
    grid = time_manager.grid(sessions[0], sessions[-1])
    begin, end = int(grid.days[0]) * DAY_NS, (int(grid.days[-1]) + 1) * DAY_NS
    if interval != "1d":
        begin, end = int(grid.open_ns[0]), int(grid.close_ns[-1])
    rows = store.read_rows([symbol], interval, begin, end)
    times = rows.columns["timestamp"]
    return sessions_with_bars(np.delete(times, rows.built[0]), interval, grid)
