"""The sessions that a source was asked for, sorted into those with bars and those without."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from openbell.vendors.fetch_plan import sessions_with_bars
from openbell.vendors.unavailable_sessions import UnavailableSessions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import polars as pl

    from openbell.store.store import BarStore
    from openbell.timing.time_manager import TimeManager
    from openbell.vendors.fetch_plan import FetchRequest

__all__ = ["AnsweredSessions"]


class AnsweredSessions:
    """Collects which sessions a source has bars of.

    Args:
        sessions: Those that are wanted, ascending.
        time_manager: Their calendar.

    Attributes:
        with_bars: By symbol the sessions with bars.
        without: By symbol those that were asked for and have none.
    """

    def __init__(self, sessions: Sequence[date], time_manager: TimeManager) -> None:
        self._sessions = sessions
        self._time_manager = time_manager
        self.with_bars: dict[str, set[date]] = defaultdict(set)
        self.without: dict[str, set[date]] = defaultdict(set)

    def note(self, request: FetchRequest, answer: Mapping[str, pl.DataFrame]) -> None:
        """Take in a complete answer, frames with a column ``timestamp`` by symbol."""
        asked = set(request.among(self._sessions))
        grid = self._time_manager.grid(request.first, request.last)
        for symbol, frame in answer.items():
            times = frame["timestamp"].drop_nulls().sort().to_physical().to_numpy()
            found = sessions_with_bars(times, request.interval, grid)
            self.with_bars[symbol] |= found & asked
            self.without[symbol] |= asked - found

    def remember(self, store: BarStore, source: str, interval: str) -> None:
        """Remember the sessions without bars in the store.

        Those of an unknown symbol, which may be a slip, are left out.
        """
        known = [symbol for symbol in self.without if interval in store.intervals(symbol)]
        if known:
            UnavailableSessions(store.path).remember(
                source,
                interval,
                none=[(symbol, day) for symbol in known for day in self.without[symbol]],
                some=[(symbol, day) for symbol in known for day in self.with_bars[symbol]],
                today=self._time_manager.to_local(self._time_manager.now_ns).date(),
            )
