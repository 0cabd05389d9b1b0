"""Orders of a run that may still fill, and the links between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.order import FOREIGN

if TYPE_CHECKING:
    from openbell.model.order import Order

__all__ = ["OpenOrders"]


class OpenOrders:
    """Open orders by id, symbol, parent and group.

    Attributes:
        by_id: The open orders by id, in the order in which they were placed.
        own: The ids of those that the account's rules placed.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, Order] = {}
        self.own: set[str] = set()
        self._by_symbol: dict[str, dict[str, None]] = {}
        self._legs: dict[str, dict[str, None]] = {}
        self._groups: dict[str, dict[str, None]] = {}

    def add(self, order: Order) -> None:
        """Add a new order."""
        order_id = order.id
        self.by_id[order_id] = order
        if not order.strategy and order.reason != FOREIGN:
            self.own.add(order_id)
        self._by_symbol.setdefault(order.symbol, {})[order_id] = None
        if order.parent is not None:
            self._legs.setdefault(order.parent, {})[order_id] = None
        if order.oco is not None:
            self._groups.setdefault(order.oco, {})[order_id] = None

    def put(self, order: Order) -> Order | None:
        """Set the present state of an open order, and return the state before, None for a new one."""
        before = self.by_id.get(order.id)
        if before is None:
            self.add(order)
            return None
        self.by_id[order.id] = order
        if before.symbol is not order.symbol and before.symbol != order.symbol:
            self._take_out(self._by_symbol, before.symbol, order.id)
            self._by_symbol.setdefault(order.symbol, {})[order.id] = None
        return before

    def remove(self, order: Order) -> None:
        """Remove an order, if it is there."""
        order_id = order.id
        if self.by_id.pop(order_id, None) is None:
            return
        self.own.discard(order_id)
        self._take_out(self._by_symbol, order.symbol, order_id)
        if order.parent is not None:
            self._take_out(self._legs, order.parent, order_id)
        if order.oco is not None:
            self._take_out(self._groups, order.oco, order_id)

    def _take_out(self, index: dict[str, dict[str, None]], key: str, order_id: str) -> None:
        found = index.get(key)
        if found is not None:
            found.pop(order_id, None)
            if not found:
                del index[key]

    def of_symbol(self, symbol: str) -> list[Order]:
        """Return the open orders of a symbol, in the order in which they were placed."""
        return [self.by_id[key] for key in self._by_symbol.get(symbol, ())]

    def has_legs(self, parent: str) -> bool:
        """Return whether open orders wait for another one."""
        return parent in self._legs

    def legs_of(self, parent: str) -> list[Order]:
        """Return the open orders that wait for another one."""
        return [self.by_id[key] for key in self._legs.get(parent, ())]

    def others_of(self, order: Order) -> list[Order]:
        """Return the other open orders of an order's group."""
        if order.oco is None:
            return []
        return [self.by_id[key] for key in self._groups.get(order.oco, ()) if key != order.id]

    def is_only(self, order: Order) -> bool:
        """Return whether an open order is the only one of its symbol."""
        return len(self._by_symbol.get(order.symbol, ())) == 1

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of open orders."""
        return tuple(self._by_symbol)
