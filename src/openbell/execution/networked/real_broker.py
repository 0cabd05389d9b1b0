"""Broker over the network, as the desk sees it.

Nothing here speaks to anybody. What is to be sent waits in `OrdersAtBroker.outgoing`, and what has come is handed in as
events, so that a run that is played again by its record does the same as when it was live.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from openbell.execution.networked.orders_at_broker import OrderAtBroker, OrdersAtBroker
from openbell.execution.networked.outbox import Amend, Send, Withdraw
from openbell.execution.networked.reconciliation import Reconciliation
from openbell.execution.simulated.simulated_broker import NEVER
from openbell.model.broker_events import (
    BrokerAnswer,
    BrokerBack,
    BrokerBooks,
    BrokerLost,
    BrokerMissing,
    BrokerRefusal,
    BrokerSilence,
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
    """Orders at a broker whose answers come when they come.

    Args:
        desk: The desk, with account and open orders.

    Attributes:
        session: The times of the session.
        orders: The orders that are there.
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
        """Time at which something becomes known next, which is now when an event has come."""
        return self._clock.now_ns if self._events else NEVER

    def take(self, event: BrokerEvent) -> None:
        """Take an event, which becomes known now."""
        self._events.append(event)

    def deliver_next(self) -> None:
        """Take up the next event."""
        event = self._events.popleft()
        match event:
            case BrokerAnswer():
                self.orders.take_up(event.orders, event.fills)
            case BrokerRefusal():
                self.orders.refused(event)
            case BrokerSilence():
                self.orders.silent(event)
            case BrokerMissing():
                self.orders.missing(event.order_id)
            case BrokerBooks():
                self.books.take(event)
            case BrokerLost():
                self._lost = f"the broker's events do not come: {event.reason}"
                self.orders.notify(f"{self._lost}. New positions are refused until they come again.")
            case BrokerBack():
                self._lost = ""

    def take_waiting(self) -> None:
        """Take up all events that have come before a session."""
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
        """Whether the broker has told of every order, so that its books can be compared."""
        return not self._unsent and not next(self.orders.in_flight(), None)

    # Sessions

    def begin_session(self, session: TradingSession) -> None:
        """Begin a session, in which orders of the one before go on at the broker."""

    def end_session(self) -> None:
        """End a session."""

    def rematch(self, symbol: str, before: SymbolMarket | None) -> None:
        """Leave orders to the broker, which has bars of its own."""

    def markets_grew(self, from_ns: Mapping[str, int], late: Container[str]) -> None:
        """Leave orders to the broker, which has bars of its own."""

    # Requests

    def submit(self, order: Order) -> None:
        """Let an order wait until it is sent, together with those that hang on it."""
        self._begin_request()
        self._unsent[order.id] = order

    def cancel(self, order_id: str, reason: str) -> None:
        """Ask for an order to be cancelled."""
        self._begin_request()
        if self._unsent.pop(order_id, None) is not None:
            self.orders.end(OrderAtBroker(self._desk.open_orders.by_id[order_id]), OrderStatus.CANCELLED, reason)
        elif (at := self.orders.by_id.get(order_id)) is not None and not at.cancels:
            at.cancels = reason
            self.orders.outgoing.append(Withdraw(at.order))

    def replace(self, order: Order) -> None:
        """Ask for an order to be changed."""
        self._begin_request()
        if order.id in self._unsent:
            self._unsent[order.id] = order
            self._desk.order_changed(order)
        elif (at := self.orders.by_id.get(order.id)) is not None:
            at.version += 1
            self.orders.outgoing.append(Amend(order, at.version))

    def _begin_request(self) -> None:
        """Take what was given at earlier times for sent, whether or not somebody has taken it since."""
        if self._clock.now_ns > self._requested_ns:
            self._requested_ns = self._clock.now_ns
            self._bundle()

    def take_outgoing(self) -> list[Outgoing]:
        """Return what is to be sent now, which is the caller's from now on."""
        self._bundle()
        taken, self.orders.outgoing = self.orders.outgoing, []
        return taken

    def go_on(self, now_ns: int, longest_ns: int) -> None:
        """Say again what the broker may not have heard, because the run was killed.

        Orders that it has not told of are sent once more, which it refuses itself where it has them; those that are
        older than some time are only asked for.
        """
        self.take_outgoing()
        for question in list(self.orders.in_flight()):
            is_young = now_ns - question.orders[0].created_ns <= longest_ns
            self.orders.outgoing.append(Send(question.orders) if is_young else question)
        groups: dict[tuple[str, ...], OrderAtBroker] = {}
        for at in self.orders.by_id.values():
            if at.order.status in OPEN_STATUSES and at.is_known:
                groups.setdefault(at.group, at)
        # Of legs that have ids of the broker's, and of orders that were changed, the link has to learn.
        asked = [at for group, at in groups.items() if len(group) > 1 or at.version]
        self.orders.outgoing += [self.orders.question(self.orders.group_of(at)) for at in asked]
        self.orders.outgoing += [
            Withdraw(at.order) for at in self.orders.by_id.values() if at.order.status in OPEN_STATUSES and at.cancels
        ]

    def _bundle(self) -> None:
        """Let the orders of this moment be sent, each entry with its legs.

        Units that an order to be cancelled ties up are not free before the broker has told of its end, so that further
        orders of its symbol wait for that.
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
