"""`Answered`: of which of the sessions that were asked for a source had bars, and of which it had none."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from openbell.vendors.plan import sessions_with_bars
from openbell.vendors.unavailable import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import polars as pl

    from openbell.store.store import BarStore
    from openbell.timing.manager import TimeManager
    from openbell.vendors.plan import Request

__all__ = ["Answered"]


class Answered:
    """Collects what a source's answers say about sessions.

    Args:
        sessions: Those that are wanted, ascending.
        time_manager: Their calendar.

    Attributes:
        having: By symbol the sessions with bars.
        lacking: By symbol those that were asked for and have none.
    """

    def __init__(self, sessions: Sequence[date], time_manager: TimeManager) -> None:
        self._sessions = sessions
        self._time_manager = time_manager
        self.having: dict[str, set[date]] = defaultdict(set)
        self.lacking: dict[str, set[date]] = defaultdict(set)

    def note(self, request: Request, answer: Mapping[str, pl.DataFrame]) -> None:
        """Take in a complete answer: frames with a column ``timestamp`` by symbol."""
        asked = set(request.among(self._sessions))
        grid = self._time_manager.grid(request.first, request.last)
        for symbol, frame in answer.items():
            times = frame["timestamp"].drop_nulls().sort().to_physical().to_numpy()
            found = sessions_with_bars(times, request.interval, grid)
            self.having[symbol] |= found & asked
            self.lacking[symbol] |= asked - found

    def remember(self, store: BarStore, source: str, interval: str) -> None:
        """Have it remembered what there are no bars of; nothing of a symbol without any, which may be a slip."""
        known = [symbol for symbol in self.lacking if interval in store.intervals(symbol)]
        if known:
            Unavailable(store.path).remember(
                source,
                interval,
                none=[(symbol, day) for symbol in known for day in self.lacking[symbol]],
                some=[(symbol, day) for symbol in known for day in self.having[symbol]],
                today=self._time_manager.to_local(self._time_manager.now_ns).date(),
            )
