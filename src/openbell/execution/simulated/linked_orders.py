"""Orders that are linked, as legs of a bracket or alternatives to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from openbell.execution.simulated.first_touched import first_touched
from openbell.execution.simulated.matching import first_match
from openbell.model.order import DUST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.execution.orders.open_orders import OpenOrders
    from openbell.execution.simulated.fill_prices import FillPoint
    from openbell.execution.simulated.fill_rules import FillContext
    from openbell.execution.simulated.resting_orders import RestingOrder
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.order import Order

__all__ = ["LinkedOrders"]


class LinkedOrders:
    """Links between the orders at a broker.

    Args:
        resting: The orders at the broker, by id.
        open_orders: The open orders.
        context: Market, terms and clock.
        both_touched: Which order fills when one bar touches two, and no finer bars show which came first.
    """

    def __init__(
        self,
        resting: Mapping[str, RestingOrder],
        open_orders: OpenOrders,
        context: FillContext,
        both_touched: Literal["worse", "better"],
    ) -> None:
        self._resting = resting
        self._open_orders = open_orders
        self._context = context
        self._both_touched = both_touched

    def is_alone(self, order: Order) -> bool:
        """Return whether an order is linked to no other."""
        return order.oco is None and order.parent is None and not self._open_orders.has_legs(order.id)

    def to_cancel(self, filled: RestingOrder, units: float) -> list[RestingOrder]:
        """Return the alternatives to an order that have no units left after it has filled ``units``."""
        return [other for other in self._others(filled) if not _is_left(other.order, units)]

    def to_resize(self, filled: RestingOrder, units: float) -> list[tuple[RestingOrder, float]]:
        """Return the orders that a fill of another one resizes, each with its new quantity.

        Legs get the quantity that their entry has filled. Alternatives lose the units of the fill.
        """
        order = filled.order
        legs = self.legs_of(order)
        # An entry that reverses a position is larger than its legs, which close the position that it leads to.
        share = order.filled_quantity / order.quantity
        resized = []
        for leg in legs:
            size = leg.planned if share == 1 else float(round(leg.planned * share, 9))
            quantity = size - (filled.left - leg.order.filled_quantity)
            if quantity and (leg.waits or leg.order.quantity != quantity):
                resized.append((leg, quantity))
        alternatives = (other for other in self._others(filled) if _is_left(other.order, units))
        return resized + [(other, other.order.quantity - units) for other in alternatives]

    def rest_of_entry(self, filled: RestingOrder) -> RestingOrder | None:
        """Return the entry of a leg that has filled as a whole, if part of the entry is open."""
        entry = filled.order.parent
        return None if filled.order.is_open or entry is None else self._resting.get(entry)

    def orphans_of(self, ended: Order) -> list[RestingOrder]:
        """Return the orders that wait for one that has ended without any fill."""
        return [] if ended.filled_quantity else self.legs_of(ended)

    def legs_of(self, entry: Order) -> list[RestingOrder]:
        """Return the legs of an entry that are at the broker."""
        return [self._resting[leg.id] for leg in self._open_orders.legs_of(entry.id) if leg.id in self._resting]

    def first_touched(self, due: RestingOrder) -> tuple[RestingOrder, bool]:
        """Return which of an order and its alternatives fills, when one bar has touched several of them.

        Returns:
            The order, and whether it is unknown which came first.
        """
        match = due.match
        if match is None or match.point.at_open or due.order.oco is None:
            return due, False
        row = match.point.row
        rivals = [r for r in self._others(due) if r.match and r.match.point.row == row and not r.match.point.at_open]
        return self._ranked([due, *rivals], match.market, row) if rivals else (due, False)

    def _others(self, resting: RestingOrder) -> list[RestingOrder]:
        return [self._resting[o.id] for o in self._open_orders.others_of(resting.order) if o.id in self._resting]

    def _ranked(self, touched: list[RestingOrder], market: SymbolMarket, row: int) -> tuple[RestingOrder, bool]:
        """Return which of several orders fills that one bar touches, by finer bars if there are any."""
        while (finer := self._context.finer_of(market, row)) is not None:
            points = [_point_in(resting, finer) for resting in touched]
            chosen = first_touched(points, [r.order.quantity for r in touched], self._both_touched)
            if chosen is None:
                break
            if not chosen.ambiguous:
                return touched[chosen.place], False
            row, market = points[chosen.place].row, finer  # type: ignore[union-attr]  # the chosen one has a point
            touched = [r for r, point in zip(touched, points, strict=True) if point and point.row == row]
        points = [None if r.match is None else r.match.point for r in touched]
        last = first_touched(points, [r.order.quantity for r in touched], self._both_touched)
        return touched[0 if last is None else last.place], True


def _is_left(order: Order, units: float) -> bool:
    """Return whether an order has units left after an alternative to it has filled ``units``."""
    return abs(order.remaining) - abs(units) > DUST


def _point_in(resting: RestingOrder, market: SymbolMarket) -> FillPoint | None:
    """Return where an order fills in finer bars, or None."""
    match, _ = first_match(resting.order, market, 0, 0, resting.state)
    return None if match is None else match.point
