"""Orders that rest at the simulated broker, with plain limit orders apart from others."""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign
from typing import TYPE_CHECKING

from openbell.execution.simulated.fill_prices import UNTOUCHED, RestingState
from openbell.execution.simulated.plain_limits import PlainLimits
from openbell.model.order import OrderType

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.execution.simulated.matching import Match
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.order import Order

__all__ = ["RestingOrder", "RestingOrders"]


@dataclass(slots=True)
class RestingOrder:
    """An order at the broker.

    Attributes:
        order: The order as it is now.
        from_ns: It fills in bars that begin then or later; nanoseconds since 1970 UTC.
        version: Number of its matches, by which events of older ones in the heap are passed over.
        next_session: Whether it was placed too late for the session, and is the next one's.
        planned: Its quantity when its entry has filled as a whole.
        position: The quantity that closes the position that its entry leads to.
        left: Units that its legs have filled, legs that have ended included.
        waits: Whether it waits for another order to fill.
        match: Its next fill, or None.
        state: Its state after the bars before ``from_ns``.
        state_after: Its state after the bars of the session, unless it fills.
        fees: What its fills have cost so far.
        traded: Units of its parts that have filled, as they were traded: no split changes what they have cost.
        traded_price: Their mean price, likewise.
        month_volume: Units that the account had traded in the month before the first of them.
        fills: How many fills it has had.
        place: Its place in the order in which orders came.
        seen_ns: In a market that grows, the start of the bars that it has not been matched in yet; 0 when that is
            ``from_ns``.
        seen_state: Its state after the bars before ``seen_ns``.
        turn: Its place among orders that fill in the same bar, by when it was last matched on its own in the session;
            orders of earlier sessions are first, by their ``place``.
        found_too_little: Whether it was reached in a bar whose volume had no unit for it.
        is_plain: Whether it is a plain limit order, see `PlainLimits`.
    """

    order: Order
    from_ns: int
    planned: float
    position: float
    version: int = 0
    left: float = 0.0
    next_session: bool = False
    waits: bool = False
    match: Match | None = None
    state: RestingState = UNTOUCHED
    state_after: RestingState = UNTOUCHED
    fees: float = 0.0
    traded: float = 0.0
    traded_price: float = 0.0
    month_volume: float = 0.0
    fills: int = 0
    place: int = 0
    seen_ns: int = 0
    seen_state: RestingState = UNTOUCHED
    turn: int = 0
    found_too_little: bool = False
    is_plain: bool = False

    @property
    def seen(self) -> tuple[int, RestingState]:
        """Start of the bars that it is matched in next, with its state after those before."""
        return (self.seen_ns, self.seen_state) if self.seen_ns > self.from_ns else (self.from_ns, self.state)

    def go_on(self, begin_ns: int, *, is_late: bool) -> None:
        """Match it next in bars that begin at a time, with its state after those that were there."""
        if is_late and self.state_after != self.state:
            self.seen_ns = 0  # it looks at all bars in their order: what it saw of later ones is no part of that
        else:
            self.seen_ns, self.seen_state = begin_ns, self.state_after

    def note_part(self, quantity: float, price: float, month_volume: float) -> None:
        """Note a fill of a part of it, before which the account had traded some units in the month."""
        if not self.traded:
            self.month_volume = month_volume
        traded = self.traded + quantity
        self.traded_price = (self.traded * self.traded_price + quantity * price) / traded
        self.traded = traded

    def follow_entry(self, more: float) -> None:
        """Adjust the units to an entry that was enlarged by ``more`` units."""
        is_whole, self.position = self.planned == self.position, self.position - more
        self.planned = self.position if is_whole else copysign(min(abs(self.planned), abs(self.position)), self.planned)

    def scale(self, ratio: float) -> None:
        """Multiply units, as a split does."""
        self.planned *= ratio
        self.left *= ratio
        self.position *= ratio


class RestingOrders:
    """Orders by id, with plain limit orders apart from the others.

    Most sessions do not touch most plain ones.

    Attributes:
        by_id: All of them, in the order in which they came.
        others: Those that are no plain limit orders, or wait for the next session.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, RestingOrder] = {}
        self.others: dict[str, RestingOrder] = {}
        self._plain = PlainLimits()
        self._count = 0

    def add(self, resting: RestingOrder) -> None:
        """Add a new order."""
        self._count += 1
        resting.place = self._count
        self.by_id[resting.order.id] = resting
        self._sort_in(resting)

    def remove(self, resting: RestingOrder) -> None:
        """Remove an order."""
        del self.by_id[resting.order.id]
        if resting.is_plain:
            self._plain.remove(resting.order)
        else:
            del self.others[resting.order.id]

    def amend(self, resting: RestingOrder, order: Order) -> None:
        """Replace an order by one with other prices, units or another name of its symbol."""
        if resting.is_plain:
            self._plain.remove(resting.order)
        resting.order = order
        if resting.is_plain:
            self._plain.add(resting)

    def note_match(self, resting: RestingOrder) -> None:
        """Note that a plain order has a match."""
        self._plain.note_match(resting)

    def begin_session(self, market_of: Callable[[str], SymbolMarket | None]) -> list[RestingOrder]:
        """Return the orders to be matched in a new session, in the order in which they came."""
        due = [*self.others.values(), *self._plain.to_look_at(market_of)]
        for resting in due:
            if resting.next_session:
                resting.next_session = False
                self._sort_in(resting)
        return sorted(due, key=lambda resting: resting.place)

    def _sort_in(self, resting: RestingOrder) -> None:
        order = resting.order
        if order.type is not OrderType.LIMIT or resting.next_session or not PlainLimits.takes(order):
            self.others[order.id] = resting
            return
        resting.is_plain = True
        self.others.pop(order.id, None)
        self._plain.add(resting)
