"""Money that open orders tie up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from openbell.execution.account.margin import additional_margin
from openbell.model.frozen import quick_tuple_maker
from openbell.model.order import DUST, OPEN_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.instrument import Instrument
    from openbell.model.order import Order

__all__ = ["Ordered", "Reserved"]


class Ordered(NamedTuple):
    """Units of open orders of one symbol, all to buy or all to sell.

    Attributes:
        units: Their units, signed.
        value: Their units times the prices at which they are valued.
    """

    units: float = 0.0
    value: float = 0.0

    def plus(self, units: float, price: float) -> Ordered:
        """Return the sum with further units at a price."""
        return _ordered((self.units + units, self.value + units * price))


_Quoted: TypeAlias = "tuple[SymbolMarket, int]"

_ordered = quick_tuple_maker(Ordered)
_NOTHING = Ordered()


class Reserved:
    """Open orders by symbol and side, added up when they are read.

    Most orders are gone before that. Legs of brackets do not count: they close what their entry opens.

    Args:
        instrument_of: Returns the terms of a symbol.
        leverage: The leverage of the account.
    """

    def __init__(self, instrument_of: Callable[[str], Instrument], leverage: float) -> None:
        self._instrument_of = instrument_of
        self._leverage = leverage
        # Not added up yet, with their prices, or where and when these are looked up.
        self._waiting: dict[str, tuple[Order, float | _Quoted]] = {}
        self._orders: dict[str, tuple[tuple[str, bool], float, float]] = {}
        self._sums: dict[tuple[str, bool], Ordered] = {}
        self._margins: dict[tuple[str, bool], float] = {}  # in the order of the sums
        self._stale: set[tuple[str, bool]] = set()
        self._two_sided = 0  # symbols with orders on both sides

    def put(self, order: Order, price: float | _Quoted) -> None:
        """Add or update an order at a price, if it is open.

        Args:
            order: The order.
            price: The price, or a market and a time at which it has a price other than zero.
        """
        order_id = order.id
        if order_id in self._orders:
            self.remove(order_id)
        if order.oco is None and order.strategy and order.status in OPEN_STATUSES:
            self._waiting[order_id] = order, price
        else:
            self._waiting.pop(order_id, None)

    def _add_up(self) -> None:
        """Add up the orders that have come since the last read."""
        waiting, self._waiting = self._waiting, {}
        for order, quoted in waiting.values():
            price = (quoted[0].last_price_today(quoted[1]) or 0.0) if isinstance(quoted, tuple) else quoted
            key, units = (order.symbol, order.quantity > 0), order.quantity - order.filled_quantity
            self._orders[order.id] = key, units, price
            known = self._sums.get(key)
            if known is None:
                known, self._margins[key] = _NOTHING, 0.0
                self._two_sided += (key[0], not key[1]) in self._sums
            self._sums[key] = known.plus(units, price)
            self._stale.add(key)

    def counts_nothing(self, order_id: str) -> bool:
        """Return whether an order ties up nothing, because its symbol had no price when it was placed."""
        if (waiting := self._waiting.get(order_id)) is not None:
            return not waiting[1]
        found = self._orders.get(order_id)
        return found is not None and not found[2]

    def remove(self, order_id: str) -> None:
        """Remove an order from the sums."""
        if self._waiting.pop(order_id, None) is not None:
            return
        found = self._orders.pop(order_id, None)
        if found is None:
            return
        key, units, price = found
        left = self._sums[key].plus(-units, price)
        if abs(left.units) < DUST:
            del self._sums[key], self._margins[key]
            self._two_sided -= (key[0], not key[1]) in self._sums
            self._stale.discard(key)
        else:
            self._sums[key] = left
            self._stale.add(key)

    def position_changed(self, symbol: str) -> None:
        """Note a change of the position in a symbol.

        The money that its orders tie up depends on the position.
        """
        sums = self._sums
        if not sums:
            return
        for key in ((symbol, True), (symbol, False)):
            if key in sums:
                self._stale.add(key)

    def begin_session(self) -> None:
        """Note that positions may have changed overnight."""
        self._stale.update(self._sums)

    def of(self, symbol: str, *, buys: bool) -> Ordered:
        """Return what is ordered of a symbol on one side."""
        if self._waiting:
            self._add_up()
        return self._sums.get((symbol, buys), _NOTHING)

    def margin(self, symbol: str, held: float, ordered: Ordered) -> float:
        """Return the money that orders of a symbol tie up in addition to its position."""
        units, value = ordered
        if abs(held + units) <= abs(held):  # they make the position no larger, and mostly there are none
            return 0.0
        return additional_margin(held, units, value / units, self._instrument_of(symbol), self._leverage)

    def increase(self, symbol: str, held: float, before: Ordered, after: Ordered, others: Ordered) -> float:
        """Return the further money that a symbol's orders tie up when those of one side increase.

        Args:
            symbol: The symbol.
            held: Units held, signed.
            before: What was ordered on that side.
            after: What is ordered there with the increase.
            others: What is ordered on the other side.
        """
        other = self.margin(symbol, held, others)
        return max(self.margin(symbol, held, after), other) - max(self.margin(symbol, held, before), other)

    def frees(self, held: Callable[[str], float]) -> bool:
        """Return whether an open order makes a position smaller."""
        if self._waiting:
            self._add_up()
        return any(held(symbol) * ordered.units < 0 for (symbol, _), ordered in self._sums.items())

    def growth(self, held: Callable[[str], float], *, besides: str) -> float:
        """Return by how much open orders would enlarge the value of positions, without one symbol."""
        if self._waiting:
            self._add_up()
        grown: dict[str, float] = {}
        for (symbol, _), (units, value) in self._sums.items():
            more = abs(held(symbol) + units) - abs(held(symbol))
            if more > 0 and symbol != besides:
                added = more * abs(value / units) * self._instrument_of(symbol).multiplier
                grown[symbol] = max(grown.get(symbol, 0.0), added)
        return sum(grown.values())

    def total(self, held: Callable[[str], float]) -> float:
        """Return the money that all open orders tie up, the larger side of each symbol.

        Orders to buy and orders to sell cannot both enlarge a position.
        """
        if self._waiting:
            self._add_up()
        # Nearly all margins are as they were for the order before.
        for key in self._stale:
            self._margins[key] = self.margin(key[0], held(key[0]), self._sums[key])
        self._stale.clear()
        if not self._two_sided:
            return sum(self._margins.values())
        totals: dict[str, float] = {}
        for (symbol, _), margin in self._margins.items():
            totals[symbol] = max(totals.get(symbol, 0.0), margin)
        return sum(totals.values())
