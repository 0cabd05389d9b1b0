"""Which requests to a source bring what a store lacks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.data.fetch.missing import missing_ranges
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from openbell.data.store import BarStore
    from openbell.timing.manager import TimeManager

__all__ = ["Request", "plan_requests"]

_DAY_NS = 86_400_000_000_000


class Request(NamedTuple):
    """One question to a source: the bars of a symbol over a range of sessions."""

    symbol: str
    interval: str
    first: date
    last: date

    def sessions_of(self, sessions: Sequence[date]) -> int:
        """How many of these sessions it is about."""
        return bisect_right(sessions, self.last) - bisect_left(sessions, self.first)


def plan_requests(
    store: BarStore,
    symbols: Sequence[str],
    interval: str,
    sessions: Sequence[date],
    time_manager: TimeManager,
    *,
    again: bool = False,
) -> list[Request]:
    """What the store lacks, as requests: a month of minutes each, or a run of days.

    A session is there when the store has a bar of its regular hours. With ``again``, nothing counts as there.

    Raises:
        DamagedFileError: A file of the store that tells what is there cannot be read.
    """
    if not sessions:
        return []
    requests: list[Request] = []
    for symbol in symbols:
        held = set() if again else _held_sessions(store, symbol, interval, sessions, time_manager)
        requests += (Request(symbol, interval, *r) for r in missing_ranges(sessions, held, by_month=interval != "1d"))
    return requests


def _held_sessions(
    store: BarStore, symbol: str, interval: str, sessions: Sequence[date], time_manager: TimeManager
) -> set[date]:
    """The sessions of which the store has bars."""
    if interval not in store.intervals(symbol):
        return set()
    grid = time_manager.grid(sessions[0], sessions[-1])
    begin, end = int(grid.days[0]) * _DAY_NS, (int(grid.days[-1]) + 1) * _DAY_NS
    if interval == "1d":
        times = store.read_rows([symbol], interval, begin, end).frame["timestamp"].to_physical().to_numpy()
        return {date_of(day) for day in (times // _DAY_NS).tolist()}
    rows = store.read_rows([symbol], interval, int(grid.open_ns[0]), int(grid.close_ns[-1]))
    times = rows.frame["timestamp"].to_physical().to_numpy()
    session = np.searchsorted(grid.open_ns, times, side="right") - 1
    within = times < grid.close_ns[session]
    return {date_of(day) for day in grid.days[np.unique(session[within])].tolist()}
