"""Limit orders that rest until cancelled and are linked to no others, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.model.order import OrderType, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from openbell.execution.simulated.resting_orders import RestingOrder
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.order import Order

__all__ = ["PlainLimits"]


class PlainLimits:
    """Plain limit orders by symbol.

    There may be thousands of them: those that a day reaches are found by one comparison per symbol, and the others
    are left alone.
    """

    def __init__(self) -> None:
        self._by_symbol: dict[str, dict[str, RestingOrder]] = {}
        self._limits: dict[str, tuple[list[RestingOrder], NDArray[np.float64], NDArray[np.bool_]]] = {}
        self._matched: dict[str, RestingOrder] = {}

    @staticmethod
    def takes(order: Order) -> bool:
        """Return whether an order is a plain one."""
        if order.type is not OrderType.LIMIT or order.tif is not TimeInForce.GTC:
            return False
        return order.until is None and order.parent is None and order.oco is None

    def add(self, resting: RestingOrder) -> None:
        """Add an order."""
        symbol = resting.order.symbol
        self._by_symbol.setdefault(symbol, {})[resting.order.id] = resting
        self._limits.pop(symbol, None)

    def remove(self, order: Order) -> None:
        """Remove an order."""
        self._matched.pop(order.id, None)
        self._limits.pop(order.symbol, None)
        del self._by_symbol[order.symbol][order.id]

    def note_match(self, resting: RestingOrder) -> None:
        """Note that an order has a match, which is void in a new session."""
        self._matched[resting.order.id] = resting

    def to_look_at(self, market_of: Callable[[str], SymbolMarket | None]) -> list[RestingOrder]:
        """Return the orders whose limit a new session reaches, or that had a match in the one before."""
        found, self._matched = dict(self._matched), {}
        for symbol, orders in self._by_symbol.items():
            market = market_of(symbol) if orders else None
            if market is None or not len(market):
                continue
            resting, limits, buys = self._columns_of(symbol)
            low, high = market.reach
            for row in np.flatnonzero(np.where(buys, limits >= low, limits <= high)).tolist():
                found[resting[row].order.id] = resting[row]
        return list(found.values())

    def _columns_of(self, symbol: str) -> tuple[list[RestingOrder], NDArray[np.float64], NDArray[np.bool_]]:
        if symbol not in self._limits:
            resting = list(self._by_symbol[symbol].values())
            limits = np.array([r.order.limit for r in resting], dtype=np.float64)
            self._limits[symbol] = resting, limits, np.array([r.order.quantity > 0 for r in resting], dtype=bool)
        return self._limits[symbol]
