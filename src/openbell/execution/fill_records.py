"""Fills as they are reported, and the reasons of orders that do not fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.fill import fill_of_fields

if TYPE_CHECKING:
    from openbell.execution.simulated.resting_orders import RestingOrder
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.fill import Fill
    from openbell.model.order import Order

__all__ = ["fill_of", "why_not_filled"]


def why_not_filled(resting: RestingOrder, market: SymbolMarket | None, share: float | None) -> str:
    """Return why an order has not filled by the end of its last day.

    Args:
        resting: The order.
        market: The market of its symbol today, or None.
        share: The share of a bar's volume that orders may take; None without a bound.
    """
    order = resting.order
    if order.filled_quantity:
        return "the rest of it did not fill by the end of its last session"
    if resting.found_too_little:
        return f"it was reached, and no bar's volume left a unit to it: fills.max_volume_share is {share:g}"
    if market is None or not market.has_rows(resting.from_ns, extended=order.extended):
        return f"no bars of {order.symbol} from when it was placed to the end of the session"
    return "its price was not reached by the end of its last session"


def fill_of(
    order: Order,
    number: int,
    quantity: float,
    price: float,
    time_ns: int,
    fee: float = 0.0,
    slippage: float = 0.0,
    *,
    ambiguous: bool = False,
) -> Fill:
    """Return a fill of an order, which is given in its state after the fill."""
    fill_id, symbol, zone, day = f"{order.id}.{number}", order.symbol, order.zone, order.session_date
    return fill_of_fields(fill_id, order, symbol, quantity, price, fee, slippage, time_ns, zone, day, ambiguous)
