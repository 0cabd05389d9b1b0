"""Messages to a broker over the network, which the run sends when its events are on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from openbell.model.order import Order

__all__ = ["Amend", "Ask", "AskBooks", "Outgoing", "Send", "Withdraw"]


class Send(NamedTuple):
    """Give an order, or an entry together with its legs.

    Attributes:
        orders: The orders, the entry first.
    """

    orders: tuple[Order, ...]


class Withdraw(NamedTuple):
    """Cancel an order."""

    order: Order


class Amend(NamedTuple):
    """Change an order.

    Attributes:
        order: The order as it should be.
        version: The number of its change, 1 for the first.
    """

    order: Order
    version: int


class Ask(NamedTuple):
    """Request the status of an order and of those that were sent with it.

    Attributes:
        orders: The orders, the entry first.
        version: Number of changes that were requested of them.
    """

    orders: tuple[Order, ...]
    version: int


class AskBooks(NamedTuple):
    """Request the state of the whole account."""


Outgoing: TypeAlias = Send | Withdraw | Amend | Ask | AskBooks
"""Any message to a broker."""
