"""Broker over the network, as the desk sees it.

Nothing here uses the network. Messages to be sent wait in `OrdersAtBroker.outgoing`, and what arrives is passed in as
events, so that the replay of a recorded run does the same as the live run.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from openbell.execution.networked.orders_at_broker import OrderAtBroker, OrdersAtBroker
from openbell.execution.networked.outbox import Amend, Send, Withdraw
from openbell.execution.networked.reconciliation import Reconciliation
from openbell.execution.simulated.simulated_broker import NEVER
from openbell.model.broker_events import (
    AccountSnapshot,
    BrokerAnswer,
    BrokerConnected,
    BrokerLost,
    BrokerMissing,
    BrokerNoAnswer,
    BrokerRefusal,
)
from openbell.model.order import OPEN_STATUSES, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from openbell.execution.desk import TradingDesk
    from openbell.execution.networked.outbox import Outgoing
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.broker_events import BrokerEvent
    from openbell.model.order import Order
    from openbell.timing.trading_session import TradingSession

__all__ = ["RealBroker"]


class RealBroker:
    """Broker whose answers may arrive at any later time.

    Args:
        desk: The desk, with account and open orders.

    Attributes:
        session: The times of the session.
        orders: The orders at the broker.
        books: Compares the account with the broker's.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._clock = desk.clock
        self.orders = OrdersAtBroker(desk)
        self._unsent: dict[str, Order] = {}
        self._events: deque[BrokerEvent] = deque()
        self._lost = ""
        self._requested_ns = 0
        self.books = Reconciliation(desk, self.orders, lambda: self.is_settled)
        self.session: TradingSession

    # Events

    @property
    def next_ns(self) -> int:
        """Time of the next event, which is now when one has arrived."""
        return self._clock.now_ns if self._events else NEVER

    def take(self, event: BrokerEvent) -> None:
        """Queue an event that has arrived."""
        self._events.append(event)

    def deliver_next(self) -> None:
        """Handle the next event."""
        event = self._events.popleft()
        match event:
            case BrokerAnswer():
                self.orders.take_up(event.orders, event.fills)
            case BrokerRefusal():
                self.orders.refused(event)
            case BrokerNoAnswer():
                self.orders.silent(event)
            case BrokerMissing():
                self.orders.missing(event.order_id)
            case AccountSnapshot():
                self.books.take(event)
            case BrokerLost():
                self._lost = f"no events arrive from the broker: {event.reason}"
                self.orders.notify(f"{self._lost}. New positions are refused until they come again.")
            case BrokerConnected():
                self._lost = ""

    def take_waiting(self) -> None:
        """Handle all events that have arrived before a session."""
        while self._events:
            self.deliver_next()

    @property
    def refusal(self) -> str:
        """Why no order at all is sent (empty when they are)."""
        return self.books.refusal

    @property
    def gate(self) -> str:
        """Why no position may be opened or grow (empty when it may)."""
        return self._lost

    @property
    def is_settled(self) -> bool:
        """Whether the broker has reported every order, so that its books can be compared."""
        return not self._unsent and not next(self.orders.in_flight(), None)

    # Sessions

    def begin_session(self, session: TradingSession) -> None:
        """Do nothing, because open orders stay at the broker."""

    def end_session(self) -> None:
        """Do nothing, because open orders stay at the broker."""

    def rematch(self, symbol: str, before: SymbolMarket | None) -> None:
        """Do nothing, because the broker fills orders by its own prices."""

    def markets_grew(self, from_ns: Mapping[str, int], late: Container[str]) -> None:
        """Do nothing, because the broker fills orders by its own prices."""

    # Requests

    def submit(self, order: Order) -> None:
        """Hold an order until it is sent, together with its legs."""
        self._begin_request()
        self._unsent[order.id] = order

    def cancel(self, order_id: str, reason: str) -> None:
        """Request the cancellation of an order."""
        self._begin_request()
        if self._unsent.pop(order_id, None) is not None:
            # The legs of an entry that was cancelled before are gone already.
            if (order := self._desk.open_orders.by_id.get(order_id)) is not None:
                self.orders.end(OrderAtBroker(order), OrderStatus.CANCELLED, reason)
        elif (at := self.orders.by_id.get(order_id)) is not None and not at.cancels:
            at.cancels = reason
            self.orders.outgoing.append(Withdraw(at.order))

    def replace(self, order: Order) -> None:
        """Request a change of an order."""
        self._begin_request()
        if order.id in self._unsent:
            self._unsent[order.id] = order
            self._desk.order_changed(order)
        elif (at := self.orders.by_id.get(order.id)) is not None:
            at.version += 1
            self.orders.outgoing.append(Amend(order, at.version))

    def _begin_request(self) -> None:
        """Bundle orders of earlier times, which count as sent even if `take_outgoing` was not called since."""
        if self._clock.now_ns > self._requested_ns:
            self._requested_ns = self._clock.now_ns
            self._bundle()

    def take_outgoing(self) -> list[Outgoing]:
        """Return the messages to be sent now, and clear the list."""
        self._bundle()
        taken, self.orders.outgoing = self.orders.outgoing, []
        return taken

    def go_on(self, now_ns: int, longest_ns: int) -> None:
        """Repeat messages that the broker may not have got before the run was killed.

        Orders that it has not reported are sent again, and it refuses those that it has. For orders that are older than
        ``longest_ns`` only the status is requested.
        """
        self.take_outgoing()
        for question in list(self.orders.in_flight()):
            is_young = now_ns - question.orders[0].created_ns <= longest_ns
            self.orders.outgoing.append(Send(question.orders) if is_young else question)
        groups: dict[tuple[str, ...], OrderAtBroker] = {}
        for at in self.orders.by_id.values():
            if at.order.status in OPEN_STATUSES and at.is_known:
                groups.setdefault(at.group, at)
        # The connection has to learn the ids that legs and changed orders have at the broker.
        asked = [at for group, at in groups.items() if len(group) > 1 or at.version]
        self.orders.outgoing += [self.orders.question(self.orders.group_of(at)) for at in asked]
        self.orders.outgoing += [
            Withdraw(at.order) for at in self.orders.by_id.values() if at.order.status in OPEN_STATUSES and at.cancels
        ]

    def _bundle(self) -> None:
        """Put the orders of this time into messages, each entry with its legs.

        Units that are tied up by an order to be cancelled are not free before the broker has reported its end, so that
        further orders of its symbol wait for that.
        """
        if not self._unsent:
            return
        by_id = self._desk.open_orders.by_id
        held = {by_id[at.order.id].symbol for at in map(self.orders.by_id.get, by_id) if at is not None and at.cancels}
        waiting = {key: order for key, order in self._unsent.items() if key in by_id}
        self._unsent = {key: order for key, order in waiting.items() if order.symbol in held}
        unsent = {key: order for key, order in waiting.items() if order.symbol not in held}
        for order in unsent.values():
            if order.parent is None or order.parent not in unsent:
                group = (order, *(leg for leg in unsent.values() if leg.parent == order.id))
                self.orders.add(group)
                self.orders.outgoing.append(Send(group))
