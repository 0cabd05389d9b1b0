"""The price at which an order fills when the market trades, for a server of our own."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from live.alpaca_orders import BrokerOrder


def closes(order: BrokerOrder) -> bool:
    """Whether an order that is held is the stop behind a limit that works."""
    parent = order.parent
    if parent is None or order.stop_price is None:
        return False
    return parent.is_open if order.order_class == "oco" else parent.status == "filled"


def price_for(order: BrokerOrder, price: Decimal, before: Decimal | None, auction: str) -> Decimal | None:
    """The price at which an order fills, if it does.

    Args:
        order: The order, which remembers what it has seen.
        price: Where the market trades.
        before: Where it was, if it came from there step by step.
        auction: The auction that this is, empty for none.
    """
    if order.time_in_force in ("opg", "cls") and order.time_in_force != auction:
        return None
    if order.type == "market":
        return price
    if order.type == "trailing_stop":
        _follow(order, price if before is None else before)
    if order.stop_price is not None and not order.is_triggered:
        if (price - order.stop_price) * order.sign < 0:
            if order.type == "trailing_stop":
                _follow(order, price)
            return None
        order.is_triggered = True
        price, before = (price if before is None else order.stop_price), None
    limit = order.limit_price
    if order.type == "stop" and order.side == "buy":
        limit = order.stop_price * (Decimal("1.04") if order.stop_price < 50 else Decimal("1.025"))  # type: ignore[operator]
    if limit is None:
        return price
    better = (limit - price) * order.sign
    if before is None:
        return price if better >= 0 else None
    return limit if better > 0 else None


def _follow(order: BrokerOrder, price: Decimal) -> None:
    """Move a trailing stop along with the best price."""
    if order.hwm is None or (order.hwm - price) * order.sign > 0:
        order.hwm = price
    away = order.trail_price if order.trail_price is not None else order.hwm * order.trail_percent / 100  # type: ignore[operator]
    order.stop_price = order.hwm + order.sign * away
