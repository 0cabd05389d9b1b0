"""All orders at the simulated broker, by what a session has to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.execution.plain_limits import PlainLimits
from openbell.model.order import OrderType

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.execution.resting import Resting
    from openbell.execution.symbol_market import SymbolMarket
    from openbell.model.order import Order

__all__ = ["RestingOrders"]


class RestingOrders:
    """Orders by id, with plain limit orders apart from the others.

    Most sessions have nothing to do with most plain ones.

    Attributes:
        by_id: All of them, in the order in which they came.
        others: Those that are no plain limit orders, or wait for the next session.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, Resting] = {}
        self.others: dict[str, Resting] = {}
        self._plain = PlainLimits()
        self._count = 0

    def add(self, resting: Resting) -> None:
        """Take up a new order."""
        self._count += 1
        resting.place = self._count
        self.by_id[resting.order.id] = resting
        self._sort_in(resting)

    def remove(self, resting: Resting) -> None:
        """Remove an order."""
        del self.by_id[resting.order.id]
        if resting.is_plain:
            self._plain.remove(resting.order)
        else:
            del self.others[resting.order.id]

    def amend(self, resting: Resting, order: Order) -> None:
        """Take other prices or units, or another name of its symbol, for an order."""
        if resting.is_plain:
            self._plain.remove(resting.order)
        resting.order = order
        if resting.is_plain:
            self._plain.add(resting)

    def note_match(self, resting: Resting) -> None:
        """Note that a plain order has a match."""
        self._plain.note_match(resting)

    def begin_session(self, market_of: Callable[[str], SymbolMarket | None]) -> list[Resting]:
        """Return the orders that a new session has to do with, in the order in which they came."""
        due = [*self.others.values(), *self._plain.to_look_at(market_of)]
        for resting in due:
            if resting.next_session:
                resting.next_session = False
                self._sort_in(resting)
        return sorted(due, key=lambda resting: resting.place)

    def _sort_in(self, resting: Resting) -> None:
        order = resting.order
        if order.type is not OrderType.LIMIT or resting.next_session or not PlainLimits.takes(order):
            self.others[order.id] = resting
            return
        resting.is_plain = True
        self.others.pop(order.id, None)
        self._plain.add(resting)
