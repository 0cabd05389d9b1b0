"""Parts of a live run that all of its sessions share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openbell.live.record.recorded_past import Past
from openbell.live.stop_request import FLATTEN, Stopped, stop_asked
from openbell.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openbell.feeds.feed import Feed
    from openbell.live.broker.broker_traffic import BrokerTraffic
    from openbell.live.incoming.bar_supply import Supply
    from openbell.live.incoming.feed_connection import Connection
    from openbell.live.record.feed_record import FeedRecord
    from openbell.live.session_loop.lag import Lag, SessionHealth
    from openbell.live.status.monitor import Monitor
    from openbell.market_data.today_bars import TodayBars
    from openbell.timing.trading_session import TradingSession

__all__ = ["LiveResources"]

_SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class LiveResources:
    """Feed, bars and settings of a live run.

    Attributes:
        feed: The feed.
        supply: The subscriptions and requests of history.
        today: The bars of the running session.
        record: The record of everything that arrived.
        connection: The connection to the feed.
        lag: The delay of the session behind its bars.
        health: The health that is reported to strategies, of feed and lag together.
        monitor: The status of the run for people and programs outside of it.
        grace_ns: How long a bar is waited for after its close, in nanoseconds.
        wait_ns: How long an addition may wait for its bars, in nanoseconds.
        longest_wait_ns: How long after its end a session may wait for a feed that is down, in nanoseconds.
        past: The record of a resumed run; empty for a new run.
        stop_file: The run stops when this file is there.
        messages: The messages to the user, each with its time outside of the session clock.
        closes: Called before all positions are closed, because the run is to stop.
        ended: Called after the last session.
        broker_traffic: The traffic with a broker over the network, None without one.
    """

    feed: Feed
    supply: Supply
    today: TodayBars
    record: FeedRecord
    connection: Connection
    lag: Lag
    health: SessionHealth
    monitor: Monitor
    grace_ns: int = 2 * _SECOND_NS
    wait_ns: int = 30 * _SECOND_NS
    longest_wait_ns: int = 300 * _SECOND_NS
    past: Past = field(default_factory=Past)
    stop_file: Path | None = None
    messages: list[tuple[int, str]] = field(default_factory=list)
    closes: Callable[[], None] = lambda: None
    ended: Callable[[], None] = lambda: None
    broker_traffic: BrokerTraffic | None = None

    def start_ns(self, session: TradingSession) -> int:
        """Return the clock of a session when it begins, later than its open if it is joined late."""
        if (past := self.past.days.get(session.day)) is not None:
            return past.start_ns
        late_ns = (self.feed.arrivals.now_ns - self.grace_ns) // _SECOND_NS * _SECOND_NS
        return min(max(session.first_ns, late_ns), session.last_ns)

    def say(self, text: str) -> None:
        """Report a message to the user, with the time outside of the session clock."""
        now_ns = self.feed.arrivals.now_ns
        self.messages.append((now_ns, text))
        get_logger().warning(text)
        self.monitor.happened("feed", text)

    def take_turn(self, *, may_flatten: bool = False) -> bool:
        """Check the stop file and update the monitor, between batches and while the session waits.

        Args:
            may_flatten: Whether a request to close all positions can be met now.

        Returns:
            Whether all positions are to be closed before the run stops.

        Raises:
            Stopped: The run is to stop, without closing positions first.
        """
        asked = stop_asked(self.stop_file)
        if asked and not (may_flatten and asked == FLATTEN):
            raise Stopped
        self.monitor.turn()
        return bool(asked)
