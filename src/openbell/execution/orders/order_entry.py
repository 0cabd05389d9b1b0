"""Entry of orders, where requests are checked on their way to the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.execution.orders.order_checks import Checks
from openbell.execution.orders.requests import Cancel, Submit
from openbell.model.order import OrderStatus

if TYPE_CHECKING:
    from openbell.execution.desk import TradingDesk
    from openbell.execution.orders.requests import Replace, Request
    from openbell.model.order import Order

__all__ = ["OrderEntry"]


class OrderEntry:
    """Checks the requests of strategies, and passes them to the broker or rejects them.

    Args:
        desk: The desk, with open orders and broker.

    Attributes:
        checks: The checks of orders.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._broker, self._held_back, self._open = desk.broker, desk.held_back, desk.open_orders.by_id
        self.checks = Checks(desk)

    def carry_out(self, request: Request) -> None:
        """Check a request, and pass it to the broker."""
        if isinstance(request, Submit):
            order = request.order
            if self._held_back.takes(order):
                return
            if refusal := self.checks.refusal(order):
                self._reject(order, refusal)
            elif (now := self._open.get(order.id)) is not None:  # its entry may have been refused meanwhile
                self._broker.submit(now)
        elif isinstance(request, Cancel):
            other = self._desk.recorder.orders.get(request.unless_rejected or "")
            if other is None or other.status is not OrderStatus.REJECTED:
                self._cancel(request)
        else:
            self._replace(request)

    def _cancel(self, request: Cancel) -> None:
        held_back = self._desk.held_back
        keeper = held_back if request.order_id in held_back.orders else self._desk.broker
        keeper.cancel(request.order_id, request.reason)

    def _replace(self, request: Replace) -> None:
        order = self._desk.open_orders.by_id.get(request.order_id)
        if order is None:
            return
        names = ("quantity", "limit", "stop", "trail", "trail_percent")
        given = {name: value for name in names if (value := getattr(request, name)) is not None}
        changed = order.changed(**given)
        if refusal := self.checks.refusal(changed, instead_of=order):
            self._desk.order_changed(self._stamped(order.changed(reason=f"not replaced: {refusal}")))
        elif order.id in self._desk.held_back.orders:
            self._desk.held_back.change(self._stamped(changed))
        else:
            self._desk.broker.replace(changed)

    def _reject(self, order: Order, reason: str) -> None:
        if order.id not in self._desk.open_orders.by_id:
            return
        self._desk.order_changed(self._stamped(order.changed(status=OrderStatus.REJECTED, reason=reason)))
        for leg in self._desk.open_orders.legs_of(order.id):
            self._reject(leg, f"its entry order {order.id} was rejected")

    def _stamped(self, order: Order) -> Order:
        return order.changed(updated_ns=self._desk.clock.now_ns, session_date=self._desk.session.day)
