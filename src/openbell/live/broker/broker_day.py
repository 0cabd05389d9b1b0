"""The broker's part in one session of a live run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.execution.networked.real_broker import RealBroker
from openbell.model.order import OrderType, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openbell.execution.desk import TradingDesk
    from openbell.live.resources import LiveResources
    from openbell.model.broker_events import BrokerEvent

__all__ = ["BrokerDay", "broker_of", "hand_over"]

_SECOND_NS = 1_000_000_000
_CLOSING_NS = 30 * _SECOND_NS
"""So long after the last bar does a session wait for the orders that end with it."""


def broker_of(desk: TradingDesk | None) -> RealBroker | None:
    """Return the broker over the network that a desk trades with, None when there is none."""
    return desk.broker if desk is not None and isinstance(desk.broker, RealBroker) else None


def hand_over(desk: TradingDesk | None, events: Iterable[BrokerEvent]) -> None:
    """Let a desk's broker take what it has reported, if it is one over the network."""
    if (broker := broker_of(desk)) is not None:
        for event in events:
            broker.take(event)


class BrokerDay:
    """Traffic of one session with its broker.

    A session that trades with none has nothing to do.

    Args:
        resources: Settings of the run.
    """

    def __init__(self, resources: LiveResources) -> None:
        self._broker_traffic = resources.broker_traffic
        self._resources = resources
        self._broker: RealBroker | None = None

    def begin(self, desk: TradingDesk | None) -> None:
        """Begin with the desk of the session."""
        self._broker = broker_of(desk)

    def open(self, desk: TradingDesk, take_turn: Callable[[], object]) -> list[BrokerEvent]:
        """Wait for the books before a session, and let the account be as the broker has it.

        Returns:
            What the broker reported.
        """
        self.begin(desk)
        self.go_on()
        while self.holds(self._resources.feed.arrivals.now_ns):
            take_turn()
        events = self._taken()
        self._resources.record.opens(events)
        return events

    def go_on(self) -> None:
        """Go on at the broker from where the session stands."""
        if self._broker is not None and self._broker_traffic is not None:
            self._broker.orders.notify = self._resources.say
            self._broker_traffic.begin(self._broker, self._resources.feed.arrivals.now_ns, self._resources.lag.limit_ns)

    @property
    def has_news(self) -> bool:
        """Whether the broker has reported something."""
        return self._broker_traffic is not None and bool(self._broker_traffic.events)

    def take(self, time_ns: int) -> None:
        """Take up what the broker has reported."""
        if self._broker is not None and (events := self._taken()):
            self._resources.record.broker(time_ns, events)
            for event in events:
                self._broker.take(event)

    def _taken(self) -> list[BrokerEvent]:
        events: list[BrokerEvent] = []
        if self._broker_traffic is not None:
            events, self._broker_traffic.events = self._broker_traffic.events, events
        return events

    def send(self) -> None:
        """Send what the session has for the broker."""
        if self._broker_traffic is not None and self._broker is not None:
            self._broker_traffic.send(self._broker, self._resources.feed.arrivals.now_ns)

    def act(self, now_ns: int) -> None:
        """Do what is due by the time outside of the session clock."""
        if self._broker_traffic is not None:
            self._broker_traffic.act(self._broker, now_ns)

    def holds(self, now_ns: int) -> bool:
        """Return whether bars wait for the broker's books."""
        return self._broker_traffic is not None and self._broker_traffic.holds(now_ns)

    def next_ns(self, now_ns: int) -> int | None:
        """Return when `act` has something to do next, None when nothing is known."""
        return None if self._broker_traffic is None else self._broker_traffic.next_ns(self._broker, now_ns)

    def waits_for_end(self, since_ns: int) -> bool:
        """Return whether orders that end with the session are open, a moment after it.

        Args:
            since_ns: When its last bar was played, by the time outside of the session clock.
        """
        broker, now_ns = self._broker, self._resources.feed.arrivals.now_ns
        if broker is None or self._broker_traffic is None or now_ns >= since_ns + _CLOSING_NS:
            return False
        return self._broker_traffic.is_connected and (
            not broker.is_settled or broker.orders.has_open(_ends_with_session)
        )


def _ends_with_session(kind: OrderType, tif: TimeInForce) -> bool:
    return kind is OrderType.MARKET_ON_CLOSE or (tif is TimeInForce.DAY and kind is not OrderType.MARKET_ON_OPEN)
