"""State of the orders at a broker over the network, by its reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.execution.fill_records import fill_of
from openbell.execution.networked.outbox import Ask, Withdraw
from openbell.model.order import (
    DUST,
    FOREIGN,
    OPEN_STATUSES,
    Order,
    OrderStatus,
    OrderType,
    TimeInForce,
    order_with_fill,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from openbell.execution.desk import TradingDesk
    from openbell.execution.networked.outbox import Outgoing
    from openbell.model.broker_events import BrokerFill, BrokerNoAnswer, BrokerOrder, BrokerRefusal

__all__ = ["OrderAtBroker", "OrdersAtBroker"]

_REASONS = {
    OrderStatus.CANCELLED: "it was cancelled at the broker, not by this run",
    OrderStatus.EXPIRED: "the broker ended it with its last session",
}
_REPORTS_THAT_END = 2
"""Number of reports in a row that the broker does not have an order after which the order is ended."""


@dataclass(slots=True)
class OrderAtBroker:
    """An order that was given to the broker, or that the broker reported.

    Attributes:
        order: The order as it is now.
        group: The ids of all that were sent with it, itself among them.
        is_known: Whether the broker has reported it.
        version: Number of changes that were requested.
        fills: Number of its fills.
        cancels: Reason of the requested cancellation (empty when none was requested).
        in_vain: Number of reports in a row that the broker does not have it.
    """

    order: Order
    group: tuple[str, ...] = ()
    is_known: bool = False
    version: int = 0
    fills: int = 0
    cancels: str = ""
    in_vain: int = 0


class OrdersAtBroker:
    """Updates orders by the reports of a broker.

    Args:
        desk: The desk, with account and open orders.

    Attributes:
        by_id: All orders that the broker was given or reported, by their ids.
        outgoing: Messages to be sent, in order.
        notify: Called with texts that people should see.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._clock = desk.clock
        self.by_id: dict[str, OrderAtBroker] = {}
        self.outgoing: list[Outgoing] = []
        self.notify: Callable[[str], None] = lambda _: None

    def add(self, orders: tuple[Order, ...]) -> None:
        """Add orders that are sent to the broker together."""
        ids = tuple(order.id for order in orders)
        for order in orders:
            self.by_id[order.id] = OrderAtBroker(order, ids)

    def given(self) -> Iterator[Order]:
        """Iterate over all orders that the broker was given, or reported."""
        return (at.order for at in self.by_id.values())

    def has_open(self, is_meant: Callable[[OrderType, TimeInForce], bool]) -> bool:
        """Return whether an order is open whose type and time in force are meant."""
        return any(is_meant(order.type, order.tif) for order in self._desk.open_orders.by_id.values())

    def in_flight(self) -> Iterator[Ask]:
        """Iterate over status requests for orders that were sent and that the broker has not reported."""
        by_id, seen = self._desk.open_orders.by_id, set[tuple[str, ...]]()
        for order_id in list(by_id):
            at = self.by_id.get(order_id)
            if at is None or at.group in seen or (at.is_known and at.order.status is not OrderStatus.UNKNOWN):
                continue
            seen.add(at.group)
            yield self.question(self.group_of(at))

    def group_of(self, at: OrderAtBroker) -> tuple[Order, ...]:
        """Return an order and those that were sent with it, in their present states."""
        return tuple(self.by_id[order_id].order for order_id in at.group)

    def question(self, group: tuple[Order, ...]) -> Ask:
        """Return a status request for orders that were sent together."""
        return Ask(group, self.by_id[group[0].id].version)

    def knows(self, order_id: str) -> bool:
        """Return whether the broker has reported an order."""
        at = self.by_id.get(order_id)
        return at is not None and at.is_known

    def withdraw(self, order_id: str) -> None:
        """Cancel an order that has ended for the run and that the broker still has."""
        at = self.by_id.get(order_id)
        if at is not None and not at.order.is_open:
            self.notify(f"the broker has an order that ended for the run, and is asked to cancel it: {at.order.words}")
            self.outgoing.append(Withdraw(at.order))

    def ask(self, order_id: str) -> None:
        """Request the status of an order."""
        self.outgoing.append(self.question((self.by_id[order_id].order,)))

    def take_up(self, orders: Iterable[BrokerOrder], fills: Iterable[BrokerFill]) -> None:
        """Apply reported fills, then reported orders in their states after them."""
        known = list(orders)
        for reported in known:
            if reported.order_id not in self.by_id and (reported.filled or reported.status in OPEN_STATUSES):
                self.take_over(reported)
        for fill in fills:
            self._filled(fill)
        for reported in known:
            self._reported(reported)

    # What the broker reports of orders

    def _filled(self, fill: BrokerFill) -> None:
        """Apply a fill, unless it was reported before, or one before it is missing."""
        at = self.by_id.get(fill.order_id) or self._foreign_of(fill)
        at.is_known = True
        before = at.order.filled_quantity
        if abs(fill.total) <= abs(before) + DUST or abs(fill.total - fill.quantity - before) > DUST:
            return  # the report of the order makes up for a missing one by its total
        self._fill(at, fill.total, fill.price, fill.time_ns)

    def _reported(self, reported: BrokerOrder) -> None:
        """Update an order to its state at the broker."""
        at = self.by_id.get(reported.order_id)
        if at is None:
            return
        at.is_known, at.in_vain = True, 0
        known = at.order.filled_quantity
        if abs(reported.filled) > abs(known) + DUST and reported.average is not None:
            price = (reported.filled * reported.average - known * (at.order.average_fill_price or 0.0)) / (
                reported.filled - known
            )
            self._fill(at, reported.filled, price, reported.time_ns)
        order = at.order
        if order.status not in OPEN_STATUSES:
            return
        if reported.status not in OPEN_STATUSES:
            if reported.status is not OrderStatus.FILLED:  # its fill has set that
                self.end(at, reported.status, at.cancels or reported.reason or _REASONS.get(reported.status, ""))
            return
        status = OrderStatus.PARTIALLY_FILLED if order.filled_quantity else OrderStatus.ACCEPTED
        prices = {n: v for n in ("limit", "stop", "trail", "trail_percent") if (v := getattr(reported, n)) is not None}
        changes = {"status": status, "quantity": reported.quantity, **prices}
        if any(getattr(order, name) != value for name, value in changes.items()):
            self._change(at, **changes)

    def _fill(self, at: OrderAtBroker, total: float, price: float, time_ns: int) -> None:
        """Fill an order up to ``total`` units, the new ones among them at a price."""
        order, before = at.order, at.order.filled_quantity
        if abs(total) > abs(order.quantity) + DUST:  # of a foreign order only fills may be known
            order = order.changed(quantity=total)
        quantity = total - before
        average = (before * (order.average_fill_price or 0.0) + quantity * price) / total
        status = order.status
        if status in OPEN_STATUSES:
            whole = abs(order.quantity - total) < DUST
            status = OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED
        at.order = order = order_with_fill(order, total, average, status, self._clock.now_ns, self._desk.session.day)
        at.fills += 1
        self._desk.filled(fill_of(order, at.fills, quantity, price, time_ns))

    def refused(self, event: BrokerRefusal) -> None:
        """Handle the refusal of a request."""
        at = self.by_id.get(event.order_id)
        if at is None or at.order.status not in OPEN_STATUSES:
            return
        if event.request == "submit":
            at.is_known = True
            self.end(at, OrderStatus.REJECTED, event.reason)
            return
        what = "cancelled" if event.request == "cancel" else "replaced"
        at.cancels = ""
        self._change(at, reason=f"not {what}: {event.reason}")

    def silent(self, event: BrokerNoAnswer) -> None:
        """Handle a request whose outcome is unknown, by a status request."""
        at = self.by_id.get(event.order_id)
        if at is None or at.order.status not in OPEN_STATUSES:
            return
        if event.request == "submit" and not at.is_known:
            self._change(at, status=OrderStatus.UNKNOWN, reason=f"the broker did not answer: {event.reason}")
        self.outgoing.append(self.question(self.group_of(at) or (at.order,)))

    def missing(self, order_id: str) -> None:
        """Handle a report that the broker does not have an order, which ends it when it comes twice."""
        at = self.by_id.get(order_id)
        if at is None or at.order.status not in OPEN_STATUSES:
            return
        at.in_vain += 1
        if at.in_vain < _REPORTS_THAT_END:
            if at.is_known:
                self.ask(order_id)
            return
        if at.is_known:
            self.end(at, OrderStatus.CANCELLED, "the broker does not have it any more")
            self.notify(f"the broker has lost the order {order_id}, to {at.order.words}")
        else:
            self.end(at, OrderStatus.REJECTED, "it did not reach the broker, and is too old to be sent again")

    # Changes

    def _change(self, at: OrderAtBroker, **changes: object) -> None:
        now_ns, day = self._clock.now_ns, self._desk.session.day
        at.order = order = at.order.changed(updated_ns=now_ns, session_date=day, **changes)
        self._desk.order_changed(order)

    def end(self, at: OrderAtBroker, status: OrderStatus, reason: str) -> None:
        """End an order, and the legs that wait for it when it has had no fill."""
        self._change(at, status=status, reason=reason)
        if at.order.filled_quantity:
            return
        for leg in self._desk.open_orders.legs_of(at.order.id):
            self.end(self.by_id.get(leg.id) or OrderAtBroker(leg), status, f"its entry order {at.order.id} is {status}")

    # Foreign orders

    def take_over(self, reported: BrokerOrder, *, filled: float = 0.0) -> None:
        """Add an order that the run did not give.

        Args:
            reported: The order as the broker has it.
            filled: Units that had filled before the run looked at the account, signed.
        """
        average = reported.average if filled else None
        foreign = self._foreign(reported.order_id, reported.symbol, reported.quantity, reported.type, reported.tif)
        order = foreign.changed(
            limit=reported.limit,
            stop=reported.stop,
            trail=reported.trail,
            trail_percent=reported.trail_percent,
            extended=reported.extended,
            filled_quantity=filled,
            average_fill_price=average,
            status=OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.ACCEPTED,
        )
        self.by_id[reported.order_id] = OrderAtBroker(order, (order.id,), is_known=True)
        self.notify(f"an order that this run did not place was found at the broker and is now tracked: {order.words}")
        self._desk.order_changed(order)

    def _foreign_of(self, fill: BrokerFill) -> OrderAtBroker:
        """Add an order that the run did not give and of which only a fill is known."""
        order = self._foreign(fill.order_id, fill.symbol, fill.total, OrderType.MARKET, TimeInForce.DAY)
        at = self.by_id[fill.order_id] = OrderAtBroker(order, (order.id,), is_known=True)
        self.notify(f"an order that was {FOREIGN}, has filled: {order.words}")
        self._desk.order_changed(order)
        if abs(fill.total - fill.quantity) > DUST:  # fills before this one happened before the run
            at.order = order.changed(filled_quantity=fill.total - fill.quantity, average_fill_price=fill.price)
        return at

    def _foreign(self, order_id: str, symbol: str, quantity: float, kind: OrderType, tif: TimeInForce) -> Order:
        return Order(
            id=order_id,
            strategy="",
            symbol=symbol,
            quantity=quantity,
            type=kind,
            tif=tif,
            status=OrderStatus.ACCEPTED,
            created_ns=self._clock.now_ns,
            updated_ns=self._clock.now_ns,
            zone=self._desk.time_manager.timezone,
            session_date=self._desk.session.day,
            reason=FOREIGN,
        )
