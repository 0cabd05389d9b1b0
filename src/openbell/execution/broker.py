"""Protocols of a broker and of the desk that listens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from openbell.model.fill import Fill
    from openbell.model.order import Order

__all__ = ["Broker", "BrokerListener"]


class Broker(Protocol):
    """Carries out orders.

    Every method returns at once. What becomes of a request is an event, which the listener gets later: a broker over
    the network has no answer at the time of the request, and the simulated one pretends to have none.
    """

    def submit(self, order: Order) -> None:
        """Ask for an order to be taken."""

    def cancel(self, order_id: str, reason: str) -> None:
        """Ask for an order to be cancelled."""

    def replace(self, order: Order) -> None:
        """Ask for the quantity and prices of an open order to become those of ``order``, which has its id."""


class BrokerListener(Protocol):
    """Receives the events of a broker, in the order in which they happened."""

    def order_changed(self, order: Order) -> None:
        """Receive an order whose status, quantity or prices have changed."""

    def filled(self, fill: Fill) -> None:
        """Receive a fill, whose order is as it stands after it."""

    def refusal_at_fill(self, order: Order, quantity: float, price: float, fee: float) -> str:
        """Return why the account cannot take a fill (empty when it can), as a real broker would know itself."""
