"""Exchange of events and requests between one live session and its broker."""

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
"""How long a session waits, after its last bar, for reports of the orders that end with it."""


def broker_of(desk: TradingDesk | None) -> RealBroker | None:
    """Return the broker over the network that a desk trades with, None when there is none."""
    return desk.broker if desk is not None and isinstance(desk.broker, RealBroker) else None


def hand_over(desk: TradingDesk | None, events: Iterable[BrokerEvent]) -> None:
    """Pass events to a desk's broker, if it is one over the network."""
    if (broker := broker_of(desk)) is not None:
        for event in events:
            broker.take(event)


class BrokerDay:
    """Exchange of events and requests between one session and its broker.

    Without a broker over the network, all methods do nothing.

    Args:
        resources: Settings of the run.
    """

    def __init__(self, resources: LiveResources) -> None:
        self._broker_traffic = resources.broker_traffic
        self._resources = resources
        self._broker: RealBroker | None = None

    def begin(self, desk: TradingDesk | None) -> None:
        """Set the desk of the session."""
        self._broker = broker_of(desk)

    def open(self, desk: TradingDesk, take_turn: Callable[[], object]) -> list[BrokerEvent]:
        """Wait before a session until the broker's books have come.

        Args:
            desk: The desk of the session.
            take_turn: Waits for the next arrival and handles it.

        Returns:
            The events that the broker reported, for the account to be set by them.
        """
        self.begin(desk)
        self.go_on()
        while self.holds(self._resources.feed.arrivals.now_ns):
            take_turn()
        events = self._taken()
        self._resources.record.opens(events)
        return events

    def go_on(self) -> None:
        """Connect the broker's traffic to the session, and send again what the broker may not have received."""
        if self._broker is not None and self._broker_traffic is not None:
            self._broker.orders.notify = self._resources.say
            self._broker_traffic.begin(self._broker, self._resources.feed.arrivals.now_ns, self._resources.lag.limit_ns)

    @property
    def has_news(self) -> bool:
        """Whether the broker has reported events that were not passed on."""
        return self._broker_traffic is not None and bool(self._broker_traffic.events)

    def take(self, time_ns: int) -> None:
        """Record the events that the broker has reported, and pass them to the session's broker."""
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
        """Send the session's requests to the broker."""
        if self._broker_traffic is not None and self._broker is not None:
            self._broker_traffic.send(self._broker, self._resources.feed.arrivals.now_ns)

    def act(self, now_ns: int) -> None:
        """Reconnect, reconcile and repeat requests, as far as due at a time outside of the session clock."""
        if self._broker_traffic is not None:
            self._broker_traffic.act(self._broker, now_ns)

    def holds(self, now_ns: int) -> bool:
        """Return whether bars wait for the broker's books."""
        return self._broker_traffic is not None and self._broker_traffic.holds(now_ns)

    def next_ns(self, now_ns: int) -> int | None:
        """Return when `act` is due next, None when that is not known."""
        return None if self._broker_traffic is None else self._broker_traffic.next_ns(self._broker, now_ns)

    def waits_for_end(self, since_ns: int) -> bool:
        """Return whether to wait for orders that end with the session and are still open at the broker.

        Args:
            since_ns: When the session's last bar was played, by the time outside of the session clock.
        """
        broker, now_ns = self._broker, self._resources.feed.arrivals.now_ns
        if broker is None or self._broker_traffic is None or now_ns >= since_ns + _CLOSING_NS:
            return False
        return self._broker_traffic.is_connected and (
            not broker.is_settled or broker.orders.has_open(_ends_with_session)
        )


def _ends_with_session(kind: OrderType, tif: TimeInForce) -> bool:
    return kind is OrderType.MARKET_ON_CLOSE or (tif is TimeInForce.DAY and kind is not OrderType.MARKET_ON_OPEN)
