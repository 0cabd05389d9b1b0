"""Facts of trades that do not depend on how their lots were matched."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from openbell.model.events import local_time

if TYPE_CHECKING:
    from openbell.model.order import Order, OrderType

__all__ = ["cached_local_time", "reason_of"]

# Most exits are entries as well, and symbols share the times of their bars.
cached_local_time = lru_cache(maxsize=4096)(local_time)


def reason_of(order: Order) -> str:
    """Return why an order was placed, or its type and prices when no reason was given."""
    return order.reason or _kind(order.type, order.stop, order.limit)


@lru_cache(maxsize=4096)
def _kind(order_type: OrderType, *prices: float | None) -> str:
    return " ".join([order_type.replace("_", " "), *(f"{price:.10g}" for price in prices if price is not None)])
