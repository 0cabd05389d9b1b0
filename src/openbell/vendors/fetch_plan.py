"""The plan of requests to a source for the sessions that a store is missing."""

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
"""The most daily bars of a request, few enough to lose little by an interruption, enough to fill pages."""


class FetchRequest(NamedTuple):
    """A request for the bars of some symbols over a range of sessions.

    Attributes:
        symbols: The symbols.
        interval: The interval of the bars.
        first: The date of the first session.
        last: The date of the last session, inclusive.
    """

    symbols: tuple[str, ...]
    interval: str
    first: date
    last: date

    def sessions_of(self, sessions: Sequence[date]) -> int:
        """Return the number of the given sessions that the request covers."""
        return len(self.among(sessions))

    def among(self, sessions: Sequence[date]) -> Sequence[date]:
        """Return the given sessions, in ascending order, that the request covers."""
        return sessions[bisect_left(sessions, self.first) : bisect_right(sessions, self.last)]

    def halves(self) -> tuple[FetchRequest, FetchRequest]:
        """Split the request into two with half of the symbols each."""
        middle = len(self.symbols) // 2
        return self._replace(symbols=self.symbols[:middle]), self._replace(symbols=self.symbols[middle:])


class FetchPlan(NamedTuple):
    """The requests to send, and the numbers of sessions that need no request.

    Attributes:
        requests: The requests.
        held: The number of sessions that the store has, each symbol counted.
        unavailable: The number of sessions that the source has no bars of, each symbol counted.
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

    A request is for a month of a symbol's 1m bars, or for a range of daily bars of several symbols. The store has a
    session when it has a bar of its regular hours that is not a built one.

    Args:
        store: The store.
        symbols: The wanted symbols.
        interval: "1m" or "1d".
        sessions: The wanted sessions, ascending.
        time_manager: The calendar of the sessions.
        again: Whether to request even sessions that the store has.
        unavailable: By symbol, sessions that the source has no bars of; ignored for a symbol that the store does not
            have.

    Raises:
        DamagedFileError: A file that records what the store has cannot be read.
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
    """Return the sessions that have a bar of regular hours, or a daily bar.

    Args:
        times: Starts of bars in ascending time, nanoseconds since 1970 UTC; for daily bars their date at 00:00 UTC.
        interval: The interval of the bars.
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
    """Return the sessions that the store has bars of, not counting built ones."""
    if interval not in store.intervals(symbol):
        return set()
    grid = time_manager.grid(sessions[0], sessions[-1])
    begin, end = int(grid.days[0]) * DAY_NS, (int(grid.days[-1]) + 1) * DAY_NS
    if interval != "1d":
        begin, end = int(grid.open_ns[0]), int(grid.close_ns[-1])
    rows = store.read_rows([symbol], interval, begin, end)
    times = rows.columns["timestamp"]
    return sessions_with_bars(np.delete(times, rows.built[0]), interval, grid)
