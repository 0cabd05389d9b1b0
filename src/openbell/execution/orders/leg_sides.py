"""Sides on which the legs of an entry have to lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.execution.orders.open_orders import OpenOrders
    from openbell.model.order import Order

__all__ = ["wrong_sides"]


def wrong_sides(order: Order, open_orders: OpenOrders, last_price: float | None) -> Iterator[str]:
    """Yield why a leg would fill as soon as its entry has.

    Once the entry has filled, a leg is an order like any other.

    Args:
        order: An entry or a leg, as it should be.
        open_orders: The open orders, with its legs or its entry.
        last_price: The last price of the symbol; None when there is none, and nobody can tell.
    """
    entry = order if order.parent is None else open_orders.by_id.get(order.parent)
    if entry is None or entry.filled_quantity:
        return
    price = _price_of_entry(entry, last_price)
    if price is None:
        return
    for leg in (order,) if order.parent is not None else open_orders.legs_of(order.id):
        for name, own, is_below in (("stop", leg.stop, leg.quantity < 0), ("target", leg.limit, leg.quantity > 0)):
            if own is not None and (own >= price if is_below else own <= price):
                side = "below" if is_below else "above"
                yield f"its {name} of {own:.10g} is not {side} {price:.10g}, where its entry is reckoned"


def _price_of_entry(entry: Order, last_price: float | None) -> float | None:
    """Return the price at which an entry is reckoned to fill, which is the better of its limit and the last one."""
    if entry.limit is None or last_price is None:
        return last_price
    return min(entry.limit, last_price) if entry.quantity > 0 else max(entry.limit, last_price)
