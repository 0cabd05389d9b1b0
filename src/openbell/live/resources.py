"""Parts of a live run that last over its sessions."""

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
        supply: Its bars, for as many symbols as are needed.
        today: The bars of the running session.
        record: The record of what came.
        connection: The connection to the feed.
        lag: The delay of a session that is slower than its bars.
        health: What strategies hear of both.
        monitor: What others see of the run.
        grace_ns: So long is a bar waited for after its time.
        wait_ns: So long may an addition wait for its bars.
        longest_wait_ns: So long after its end may a session wait for a feed that is down.
        past: What a run that goes on has recorded before.
        stop_file: The run stops when this file is there.
        messages: What people should know, in the order in which it happened.
        closes: Called when positions are closed, because the run is to stop.
        ended: Called when no further session is played.
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
        """Return where the clock of a session stands when it begins, after its open if it begins late."""
        if (past := self.past.days.get(session.day)) is not None:
            return past.start_ns
        late_ns = (self.feed.arrivals.now_ns - self.grace_ns) // _SECOND_NS * _SECOND_NS
        return min(max(session.first_ns, late_ns), session.last_ns)

    def say(self, text: str) -> None:
        """Tell people something, with the time outside of the session clock."""
        now_ns = self.feed.arrivals.now_ns
        self.messages.append((now_ns, text))
        get_logger().warning(text)
        self.monitor.happened("feed", text)

    def take_turn(self, *, may_flatten: bool = False) -> bool:
        """Look up between batches and while the session waits, for those who stop it or look at it.

        Args:
            may_flatten: Whether positions can be closed now, if that is asked for.

        Returns:
            Whether all positions are to be closed before the run stops.

        Raises:
            Stopped: Somebody has stopped the run.
        """
        asked = stop_asked(self.stop_file)
        if asked and not (may_flatten and asked == FLATTEN):
            raise Stopped
        self.monitor.turn()
        return bool(asked)
