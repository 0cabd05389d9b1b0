"""Sessions that were requested from a source, divided into those with bars and those without."""

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
    """Collects the sessions that a source has bars of, and those that it has none of.

    Args:
        sessions: The wanted sessions, ascending.
        time_manager: The calendar of the sessions.

    Attributes:
        with_bars: By symbol, the requested sessions with bars.
        without: By symbol, the requested sessions without bars.
    """

    def __init__(self, sessions: Sequence[date], time_manager: TimeManager) -> None:
        self._sessions = sessions
        self._time_manager = time_manager
        self.with_bars: dict[str, set[date]] = defaultdict(set)
        self.without: dict[str, set[date]] = defaultdict(set)

    def note(self, request: FetchRequest, answer: Mapping[str, pl.DataFrame]) -> None:
        """Record the complete answer to a request, frames with a column ``timestamp`` by symbol."""
        requested = set(request.among(self._sessions))
        grid = self._time_manager.grid(request.first, request.last)
        for symbol, frame in answer.items():
            times = frame["timestamp"].drop_nulls().sort().to_physical().to_numpy()
            found = sessions_with_bars(times, request.interval, grid)
            self.with_bars[symbol] |= found & requested
            self.without[symbol] |= requested - found

    def remember(self, store: BarStore, source: str, interval: str) -> None:
        """Record in the store which sessions the source has no bars of.

        Symbols that the store does not have are left out, because they may be typing errors.
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
