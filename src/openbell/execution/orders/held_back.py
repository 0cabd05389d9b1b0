"""Orders that are held back while the feed of a live session is not LIVE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.execution.account.margin import makes_smaller
from openbell.execution.orders.requests import Submit
from openbell.model.order import OrderStatus, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.execution.desk import TradingDesk
    from openbell.model.order import Order

__all__ = ["HeldBack"]

_EXPIRED = "it waited for the feed, which was not LIVE until the session ended"


class HeldBack:
    """New orders that wait at the desk, in the order in which they were given.

    Orders that make a position smaller do not wait, so that exits stay possible.

    Args:
        desk: The desk.

    Attributes:
        orders: The orders that wait, by id, in their present states.
        is_on: Returns whether orders wait now.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self.orders: dict[str, Order] = {}
        self.is_on: Callable[[], bool] = bool

    def takes(self, order: Order) -> bool:
        """Hold an order back if it has to wait, and return whether it has."""
        waits = order.parent in self.orders
        if not waits and self.is_on() and order.strategy:
            waits = not makes_smaller(self._desk.account.quantity(order.symbol), order.quantity)
        if waits:
            self.orders[order.id] = order
        return waits

    def go_on(self) -> None:
        """Pass on the orders that wait, before later requests."""
        self._desk.requests[:0] = [Submit(order) for order in self.orders.values()]
        self.orders.clear()

    def change(self, order: Order) -> None:
        """Change an order that waits."""
        self.orders[order.id] = order
        self._desk.order_changed(order)

    def cancel(self, order_id: str, reason: str) -> None:
        """Cancel an order that waits, with its legs."""
        self._end(order_id, OrderStatus.CANCELLED, reason)

    def end_session(self) -> None:
        """Expire the orders that end with the session, and leave the others waiting."""
        day = self._desk.session.day
        for order in list(self.orders.values()):
            lasts = order.tif is TimeInForce.GTC or (order.until is not None and order.until > day)
            if not lasts and order.id in self.orders:
                self._end(order.id, OrderStatus.EXPIRED, _EXPIRED)

    def _end(self, order_id: str, status: OrderStatus, reason: str) -> None:
        desk = self._desk
        del self.orders[order_id]
        order = desk.open_orders.by_id[order_id]
        legs = [leg.id for leg in desk.open_orders.legs_of(order_id)]
        now = {"updated_ns": desk.clock.now_ns, "session_date": desk.session.day}
        desk.order_changed(order.changed(status=status, reason=reason, **now))
        for leg in legs:
            if leg in self.orders:
                self._end(leg, status, reason)
