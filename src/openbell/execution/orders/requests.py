"""Requests of strategies, which wait until their event batch is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from openbell.model.frozen import quick_tuple_maker

if TYPE_CHECKING:
    from openbell.model.order import Order

__all__ = ["Cancel", "Replace", "Request", "Submit", "new_submit"]


class Submit(NamedTuple):
    """Send an order to the broker."""

    order: Order


new_submit = quick_tuple_maker(Submit)


class Cancel(NamedTuple):
    """Cancel an order.

    Attributes:
        order_id: The order.
        reason: Why, for people.
        unless_rejected: The id of an order that replaces it; if that one is rejected, it stays.
    """

    order_id: str
    reason: str
    unless_rejected: str | None = None


class Replace(NamedTuple):
    """Change an open order.

    Values of None stay as they are.

    Attributes:
        order_id: The order.
        quantity: Its quantity, filled units included.
        limit: Its limit price.
        stop: Its stop price.
        trail: The distance of its trailing stop in money.
        trail_percent: The distance as a percentage of the best price.
    """

    order_id: str
    quantity: float | None
    limit: float | None
    stop: float | None
    trail: float | None
    trail_percent: float | None


Request: TypeAlias = Submit | Cancel | Replace
"""Any request of a strategy to the broker."""
