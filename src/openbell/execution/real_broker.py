"""Broker over the network, as the desk sees it.

Nothing here speaks to anybody. What is to be sent waits in `RealBroker.outgoing`, and what has come is handed in as
events, so that a run that is played again by its record does the same as when it was live.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.execution.broker_books import BooksKeeper
from openbell.execution.fill_records import fill_of
from openbell.execution.outgoing import Amend, Ask, Send, Withdraw
from openbell.execution.simulated_broker import NEVER
from openbell.model.broker_events import (
    BrokerAnswer,
    BrokerBack,
    BrokerBooks,
    BrokerLost,
    BrokerMissing,
    BrokerRefusal,
    BrokerSilence,
)
from openbell.model.order import FOREIGN, OPEN_STATUSES, OrderStatus, OrderType, TimeInForce, new_order, order_with_fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from openbell.execution.desk import TradingDesk
    from openbell.execution.outgoing import Outgoing
    from openbell.model.broker_events import BrokerEvent, BrokerFill, BrokerOrder
    from openbell.model.order import Order
    from openbell.timing.grid import TradingSession

__all__ = ["RealBroker"]

_DUST = 1e-9
_REASONS = {
    OrderStatus.CANCELLED: "it was cancelled at the broker, not by this run",
    OrderStatus.EXPIRED: "the broker ended it with its last session",
}
_IN_VAIN = 2
"""So often must a broker say that it does not have an order before that is believed."""


@dataclass(slots=True)
class AtBroker:
    """An order that was given to the broker, or that the broker told of.

    Attributes:
        order: The order as it is now.
        group: The ids of all that were sent with it, itself among them.
        is_known: Whether the broker has said anything of it.
        version: How often it was to be changed.
        fills: How many fills it has had.
        cancels: Why it is to be cancelled (empty when it is not).
        in_vain: How often in a row the broker said that it does not have it.
    """

    order: Order
    group: tuple[str, ...] = ()
    is_known: bool = False
    version: int = 0
    fills: int = 0
    cancels: str = ""
    in_vain: int = 0


class RealBroker:
    """Orders at a broker whose answers come when they come.

    Args:
        desk: The desk, with book and account.

    Attributes:
        session: The times of the session.
        outgoing: What is to be sent, in order.
        tell: Called with what people should know.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._clock = desk.clock
        self._orders: dict[str, AtBroker] = {}
        self._unsent: dict[str, Order] = {}
        self._events: deque[BrokerEvent] = deque()
        self._lost = ""
        self._requested_ns = 0
        self.books = BooksKeeper(desk, self)
        self.outgoing: list[Outgoing] = []
        self.tell: Callable[[str], None] = lambda _: None
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
                self.take_up(event.orders, event.fills)
            case BrokerRefusal():
                self._refused(event)
            case BrokerSilence():
                self._silent(event)
            case BrokerMissing():
                self._missing(event.order_id)
            case BrokerBooks():
                self.books.take(event)
            case BrokerLost():
                self._lost = f"the broker's events do not come: {event.reason}"
                self.tell(f"{self._lost}. New positions are refused until they come again.")
            case BrokerBack():
                self._lost = ""

    def take_waiting(self) -> None:
        """Take up all events that have come before a session."""
        while self._events:
            self.deliver_next()

    def take_up(self, orders: Iterable[BrokerOrder], fills: Iterable[BrokerFill]) -> None:
        """Take up fills, and then orders as they are after them."""
        known = list(orders)
        for told in known:
            if told.order_id not in self._orders and (told.filled or told.status in OPEN_STATUSES):
                self.take_over(told)
        for fill in fills:
            self._filled(fill)
        for told in known:
            self._told(told)

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
        return not self._unsent and not next(self.in_flight(), None)

    def has_open(self, is_meant: Callable[[OrderType, TimeInForce], bool]) -> bool:
        """Return whether orders of some kinds are open."""
        return any(is_meant(order.type, order.tif) for order in self._desk.book.open.values())

    def in_flight(self) -> Iterator[Ask]:
        """Iterate over questions about the orders that were sent and that the broker has not told of."""
        book, seen = self._desk.book.open, set[tuple[str, ...]]()
        for order_id in list(book):
            at = self._orders.get(order_id)
            if at is None or at.group in seen or (at.is_known and at.order.status is not OrderStatus.UNKNOWN):
                continue
            seen.add(at.group)
            yield self._question(self._group_of(at))

    # Sessions

    def begin_session(self, session: TradingSession) -> None:
        """Begin a session, in which orders of the one before go on at the broker."""

    def end_session(self) -> None:
        """End a session."""

    def rematch(self, symbol: str) -> None:
        """Leave orders to the broker, which has bars of its own."""

    def markets_grew(self, from_ns: Mapping[str, int]) -> None:
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
            self._end(AtBroker(self._desk.book.open[order_id]), OrderStatus.CANCELLED, reason)
        elif (at := self._orders.get(order_id)) is not None and not at.cancels:
            at.cancels = reason
            self.outgoing.append(Withdraw(at.order))

    def replace(self, order: Order) -> None:
        """Ask for an order to be changed."""
        self._begin_request()
        if order.id in self._unsent:
            self._unsent[order.id] = order
            self._desk.order_changed(order)
        elif (at := self._orders.get(order.id)) is not None:
            at.version += 1
            self.outgoing.append(Amend(order, at.version))

    def _begin_request(self) -> None:
        """Take what was given at earlier times for sent, whether or not somebody has taken it since."""
        if self._clock.now_ns > self._requested_ns:
            self._requested_ns = self._clock.now_ns
            self._bundle()

    def given(self) -> Iterator[Order]:
        """Iterate over all orders that the broker was given, or told of."""
        return (at.order for at in self._orders.values())

    def take_outgoing(self) -> list[Outgoing]:
        """Return what is to be sent now, which is the caller's from now on."""
        self._bundle()
        taken, self.outgoing = self.outgoing, []
        return taken

    def go_on(self, now_ns: int, longest_ns: int) -> None:
        """Say again what the broker may not have heard, because the run was killed.

        Orders that it has not told of are sent once more, which it refuses itself where it has them; those that are
        older than some time are only asked for.
        """
        self.take_outgoing()
        for question in list(self.in_flight()):
            is_young = now_ns - question.orders[0].created_ns <= longest_ns
            self.outgoing.append(Send(question.orders) if is_young else question)
        groups: dict[tuple[str, ...], AtBroker] = {}
        for at in self._orders.values():
            if at.order.status in OPEN_STATUSES and at.is_known:
                groups.setdefault(at.group, at)
        # Of legs that have ids of the broker's, and of orders that were changed, the link has to learn.
        asked = [at for group, at in groups.items() if len(group) > 1 or at.version]
        self.outgoing += [self._question(self._group_of(at)) for at in asked]
        self.outgoing += [
            Withdraw(at.order) for at in self._orders.values() if at.order.status in OPEN_STATUSES and at.cancels
        ]

    def _bundle(self) -> None:
        """Let the orders of this moment be sent, each entry with its legs.

        Units that an order to be cancelled ties up are not free before the broker has told of its end, so that further
        orders of its symbol wait for that.
        """
        held = {at.order.symbol for at in self._orders.values() if at.cancels and at.order.status in OPEN_STATUSES}
        unsent = {key: order for key, order in self._unsent.items() if order.symbol not in held}
        self._unsent = {key: order for key, order in self._unsent.items() if order.symbol in held}
        for order in unsent.values():
            if order.parent is not None and order.parent in unsent:
                continue
            group = (order, *(leg for leg in unsent.values() if leg.parent == order.id))
            ids = tuple(one.id for one in group)
            for one in group:
                self._orders[one.id] = AtBroker(one, ids)
            self.outgoing.append(Send(group))

    def _group_of(self, at: AtBroker) -> tuple[Order, ...]:
        return tuple(self._orders[order_id].order for order_id in at.group)

    def _question(self, group: tuple[Order, ...]) -> Ask:
        return Ask(group, self._orders[group[0].id].version)

    def knows(self, order_id: str) -> bool:
        """Return whether the broker has told of an order."""
        at = self._orders.get(order_id)
        return at is not None and at.is_known

    def withdraw(self, order_id: str) -> None:
        """Cancel an order at the broker that the run takes for ended."""
        at = self._orders.get(order_id)
        if at is not None and not at.order.is_open:
            self.tell(f"the broker has an order that ended for the run, and is asked to cancel it: {at.order!r}")
            self.outgoing.append(Withdraw(at.order))

    def ask(self, order_id: str) -> None:
        """Ask how an order stands."""
        self.outgoing.append(self._question((self._orders[order_id].order,)))

    # What the broker tells of orders

    def _filled(self, fill: BrokerFill) -> None:
        """Take up a fill, unless it was told before, or one before it is lacking."""
        at = self._orders.get(fill.order_id) or self._foreign_of(fill)
        at.is_known = True
        before = at.order.filled_quantity
        if abs(fill.total) <= abs(before) + _DUST or abs(fill.total - fill.quantity - before) > _DUST:
            return  # of one that is lacking the order itself tells the sum
        self._fill(at, fill.total, fill.price, fill.time_ns)

    def _told(self, told: BrokerOrder) -> None:
        """Take up an order as the broker has it."""
        at = self._orders.get(told.order_id)
        if at is None:
            return
        at.is_known, at.in_vain = True, 0
        known = at.order.filled_quantity
        if abs(told.filled) > abs(known) + _DUST and told.average is not None:
            price = (told.filled * told.average - known * (at.order.average_fill_price or 0.0)) / (told.filled - known)
            self._fill(at, told.filled, price, told.time_ns)
        order = at.order
        if order.status not in OPEN_STATUSES:
            return
        if told.status not in OPEN_STATUSES:
            if told.status is not OrderStatus.FILLED:  # a fill says that by itself
                self._end(at, told.status, at.cancels or told.reason or _REASONS.get(told.status, ""))
            return
        status = OrderStatus.PARTIALLY_FILLED if order.filled_quantity else OrderStatus.ACCEPTED
        prices = {n: v for n in ("limit", "stop", "trail", "trail_percent") if (v := getattr(told, n)) is not None}
        changes = {"status": status, "quantity": told.quantity, **prices}
        if any(getattr(order, name) != value for name, value in changes.items()):
            self._change(at, **changes)

    def _fill(self, at: AtBroker, total: float, price: float, time_ns: int) -> None:
        """Let an order be filled up to some units, the last of them at a price."""
        order, before = at.order, at.order.filled_quantity
        if abs(total) > abs(order.quantity) + _DUST:  # of an order of others only its fills may be known
            order = order.changed(quantity=total)
        quantity = total - before
        average = (before * (order.average_fill_price or 0.0) + quantity * price) / total
        status = order.status
        if status in OPEN_STATUSES:
            whole = abs(order.quantity - total) < _DUST
            status = OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED
        at.order = order = order_with_fill(order, total, average, status, self._clock.now_ns, self.session.day)
        at.fills += 1
        self._desk.filled(fill_of(order, at.fills, quantity, price, time_ns))

    def _refused(self, event: BrokerRefusal) -> None:
        """Take up that the broker refuses a request."""
        at = self._orders.get(event.order_id)
        if at is None or at.order.status not in OPEN_STATUSES:
            return
        if event.request == "submit":
            at.is_known = True
            self._end(at, OrderStatus.REJECTED, event.reason)
            return
        what = "cancelled" if event.request == "cancel" else "replaced"
        at.cancels = ""
        self._change(at, reason=f"not {what}: {event.reason}")

    def _silent(self, event: BrokerSilence) -> None:
        """Take up that nobody knows what became of a request, and ask."""
        at = self._orders.get(event.order_id)
        if at is None or at.order.status not in OPEN_STATUSES:
            return
        if event.request == "submit" and not at.is_known:
            self._change(at, status=OrderStatus.UNKNOWN, reason=f"its answer did not come: {event.reason}")
        self.outgoing.append(self._question(self._group_of(at) or (at.order,)))

    def _missing(self, order_id: str) -> None:
        """Take up that the broker does not have an order, and believe it the second time."""
        at = self._orders.get(order_id)
        if at is None or at.order.status not in OPEN_STATUSES:
            return
        at.in_vain += 1
        if at.in_vain < _IN_VAIN:
            if at.is_known:
                self.ask(order_id)
            return
        if at.is_known:
            self._end(at, OrderStatus.CANCELLED, "the broker does not have it any more")
            self.tell(f"the broker has lost the order {order_id}: {at.order!r}")
        else:
            self._end(at, OrderStatus.REJECTED, "it did not reach the broker, and is too old to be sent again")

    # Changes

    def _change(self, at: AtBroker, **changes: object) -> None:
        at.order = order = at.order.changed(updated_ns=self._clock.now_ns, session_date=self.session.day, **changes)
        self._desk.order_changed(order)

    def _end(self, at: AtBroker, status: OrderStatus, reason: str) -> None:
        """End an order, and the legs that wait for it when it has had no fill."""
        self._change(at, status=status, reason=reason)
        if at.order.filled_quantity:
            return
        for leg in self._desk.book.legs_of(at.order.id):
            self._unsent.pop(leg.id, None)
            self._end(self._orders.get(leg.id) or AtBroker(leg), status, f"its entry order {at.order.id} is {status}")

    # Orders of others

    def take_over(self, told: BrokerOrder, *, filled: float = 0.0) -> None:
        """Take up an order that the run did not give.

        Args:
            told: The order as the broker has it.
            filled: Units that had filled before the run looked at the account, signed.
        """
        average = told.average if filled else None
        order = self._foreign(told.order_id, told.symbol, told.quantity, told.type, told.tif).changed(
            limit=told.limit,
            stop=told.stop,
            trail=told.trail,
            trail_percent=told.trail_percent,
            extended=told.extended,
            filled_quantity=filled,
            average_fill_price=average,
            status=OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.ACCEPTED,
        )
        self._orders[told.order_id] = AtBroker(order, (order.id,), is_known=True)
        self.tell(f"an order that was {FOREIGN}, is taken over: {order!r}")
        self._desk.order_changed(order)

    def _foreign_of(self, fill: BrokerFill) -> AtBroker:
        """Take up an order of others of which nothing but a fill is known."""
        order = self._foreign(fill.order_id, fill.symbol, fill.total, OrderType.MARKET, TimeInForce.DAY)
        at = self._orders[fill.order_id] = AtBroker(order, (order.id,), is_known=True)
        self.tell(f"an order that was {FOREIGN}, has filled: {order!r}")
        self._desk.order_changed(order)
        if abs(fill.total - fill.quantity) > _DUST:  # its first fills are those of before
            at.order = order.changed(filled_quantity=fill.total - fill.quantity, average_fill_price=fill.price)
        return at

    def _foreign(self, order_id: str, symbol: str, quantity: float, kind: OrderType, tif: TimeInForce) -> Order:
        return new_order(
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
            session_date=self.session.day,
            reason=FOREIGN,
        )
