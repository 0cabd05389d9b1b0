"""Rounds of a live session.

A round is a time at which bars of the finest intraday interval of the feed close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.live.incoming.missing_last_bars import MissingLastBars
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

    from openbell.live.incoming.waiting_bars import WaitingBars
    from openbell.live.resources import LiveResources
    from openbell.model.feed_events import FeedBar
    from openbell.timing.trading_session import TradingSession

__all__ = ["Rounds"]


class Rounds:
    """Judges the connection by the bars of each round, and decides how long a round is waited for.

    Args:
        session: The session's times.
        resources: Feed, bars and settings of the run.
        waiting_bars: The bars that have come and wait for their time.
        zone: The exchange's time zone.
    """

    def __init__(
        self, session: TradingSession, resources: LiveResources, waiting_bars: WaitingBars, zone: tzinfo
    ) -> None:
        self._session = session
        self._resources = resources
        self._waiting_bars = waiting_bars
        self._last_bars = MissingLastBars(session, resources, zone)

    @property
    def _finest(self) -> str:
        """Finest intraday interval of the feed, empty when it has none."""
        return next((name for name in self._resources.feed.intervals if parse_interval(name).is_intraday), "")

    def came(self, time_ns: int) -> None:
        """Note that a round has brought a bar."""
        self._last_bars.came(time_ns)

    def came_late(self, bar: FeedBar) -> None:
        """Note a bar that came after its time was played."""
        if bar.interval == self._finest:
            self._last_bars.came(self._waiting_bars.end_of(bar))

    def fetched(self, bars: Iterable[FeedBar]) -> None:
        """Note bars of the session that came as history."""
        finest = self._finest
        for bar in bars:
            if bar.interval == finest:
                self._resources.connection.fetched(bar.symbol, self._waiting_bars.end_of(bar))

    def is_ripe(self, due: set[tuple[str, str]], time_ns: int, *, is_late: bool) -> bool:
        """Return whether a time can be played, because its bars have come or the wait for them is over.

        Args:
            due: The symbols and intervals of which a bar closes then.
            time_ns: The time, nanoseconds since 1970 UTC.
            is_late: Whether the time to wait for the bars is over.
        """
        if self._waiting_bars.has_all(due, time_ns):
            return True
        if is_late and self._waiting_bars.take_set_aside(due, time_ns):
            self._resources.supply.fetch_since(time_ns)
            return False
        return is_late and not (self._misses_all(due, time_ns) and self._last_bars.are_missing(time_ns))

    def _misses_all(self, due: set[tuple[str, str]], time_ns: int) -> bool:
        """Return whether bars of the finest interval are due at a time, and none has come."""
        finest = self._finest
        return any(name == finest for _, name in due) and not self._waiting_bars.has_any(finest, time_ns)

    def judge(self, bars: Sequence[FeedBar], time_ns: int, expected: Mapping[str, Sequence[str]]) -> None:
        """Judge the connection by the bars that came for a time.

        Args:
            bars: The bars.
            time_ns: The time, nanoseconds since 1970 UTC.
            expected: The symbols whose bars are expected, by interval.
        """
        finest = self._finest
        if not finest or not self._waiting_bars.is_due(finest, time_ns):
            return
        self._resources.connection.expect(expected.get(finest, ()))
        came = {bar.symbol for bar in bars if bar.interval == finest and self._waiting_bars.end_of(bar) == time_ns}
        if came:
            self._last_bars.came(time_ns)
        is_regular = self._session.open_ns < time_ns <= self._session.close_ns
        phase = "" if is_regular else "before" if time_ns <= self._session.open_ns else "after"
        self._resources.connection.round_ended(time_ns, came, self._resources.feed.arrivals.now_ns, phase)
