"""Protocols of a broker and of the desk that listens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from openbell.model.fill import Fill
    from openbell.model.order import Order

__all__ = ["Broker", "BrokerListener"]


class Broker(Protocol):
    """Carries out orders.

    Every method returns at once. The outcome of a request is an event, which the listener gets later: a broker over the
    network has no answer at the time of the request, and the simulated one behaves as if it had none.
    """

    def submit(self, order: Order) -> None:
        """Submit an order."""

    def cancel(self, order_id: str, reason: str) -> None:
        """Request the cancellation of an order."""

    def replace(self, order: Order) -> None:
        """Request that the open order with the id of ``order`` get its quantity and prices."""


class BrokerListener(Protocol):
    """Receives the events of a broker, in the order in which they happened."""

    def order_changed(self, order: Order) -> None:
        """Receive an order whose status, quantity or prices have changed."""

    def filled(self, fill: Fill) -> None:
        """Receive a fill, with its order in the state after it."""

    def refusal_at_fill(self, order: Order, quantity: float, price: float, fee: float) -> str:
        """Return why the account cannot take a fill (empty when it can).

        Only the simulated broker asks; a real one knows this itself.
        """
