"""Orders and their states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from openbell.model.events import local_time
from openbell.model.frozen import quick_change, quick_replace, quick_row_maker

if TYPE_CHECKING:
    from datetime import date, datetime, tzinfo

__all__ = [
    "DUST",
    "FOREIGN",
    "OPEN_STATUSES",
    "Order",
    "OrderStatus",
    "OrderType",
    "TimeInForce",
    "order_of_fields",
    "order_with_fill",
    "order_with_status",
]


class OrderType(StrEnum):
    """Kinds of orders."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"
    MARKET_ON_OPEN = "market_on_open"
    MARKET_ON_CLOSE = "market_on_close"


class TimeInForce(StrEnum):
    """Lifetimes of orders (the session, until cancelled, or until a date)."""

    DAY = "day"
    GTC = "gtc"
    GTD = "gtd"


class OrderStatus(StrEnum):
    """States of an order."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


OPEN_STATUSES = frozenset(
    {OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.UNKNOWN}
)
"""Statuses in which an order may still fill."""

_PRICES = ("limit", "stop", "trail", "trail_percent")

DUST = 1e-9
"""Units below which a quantity counts as zero, because it is rounding noise of floats."""

FOREIGN = "placed at the broker, not by this run"
"""Reason of orders that the broker reported and that no strategy of this run placed."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Order:
    """An order at the time of its last change.

    A change of status makes a new object with the same ``id``.

    Attributes:
        id: Unique in the run; it follows from run, strategy and number.
        strategy: The name of the strategy that placed it, or "" for one that the account's rules placed.
        symbol: The symbol.
        quantity: Units, positive to buy and negative to sell.
        type: The kind of order.
        tif: How long it lasts.
        limit: The limit price, or None.
        stop: The stop price, or None.
        trail: The distance of a trailing stop in money, or None.
        trail_percent: That distance as a percentage of the price, or None.
        until: The last session of a gtd order, or None.
        extended: Whether it may fill outside of regular hours.
        tag: A label of the strategy's choice.
        created_ns: When it was placed, nanoseconds since 1970 UTC.
        updated_ns: When its status last changed, nanoseconds since 1970 UTC.
        zone: The time zone of the exchange.
        session_date: The session of the last change.
        status: Its state.
        filled_quantity: Units filled so far, signed as ``quantity``.
        average_fill_price: The mean price of the filled units; None before the first fill.
        reason: Why it was cancelled, rejected or placed, for people.
        parent: The id of the entry order that this leg of a bracket waits for, or None.
        oco: The one-cancels-other group, in which a fill of one order cancels the others, or None.
    """

    id: str
    strategy: str
    symbol: str
    quantity: float
    type: OrderType
    tif: TimeInForce = TimeInForce.DAY
    limit: float | None = None
    stop: float | None = None
    trail: float | None = None
    trail_percent: float | None = None
    until: date | None = None
    extended: bool = False
    tag: str = ""
    created_ns: int
    updated_ns: int
    zone: tzinfo
    session_date: date
    status: OrderStatus = OrderStatus.SUBMITTED
    filled_quantity: float = 0.0
    average_fill_price: float | None = None
    reason: str = ""
    parent: str | None = None
    oco: str | None = None

    def __repr__(self) -> str:
        what = [("buy" if self.quantity > 0 else "sell"), f"{abs(self.quantity):,.10g}", self.symbol, self.type]
        prices = {name: getattr(self, name) for name in _PRICES}
        what += [f"{name}={price:.10g}" for name, price in prices.items() if price is not None]
        until = f" until {self.until}" if self.until is not None else ""
        is_partial = self.filled_quantity and self.remaining
        filled = f"{abs(self.filled_quantity):,.10g} filled, " if is_partial else ""
        why = f": {self.reason}" if self.reason else ""
        return f"<Order {self.id}: {' '.join(what)} {self.tif}{until}, {filled}{self.status} {self.time}{why}>"

    @property
    def remaining(self) -> float:
        """Units that have not filled yet, signed as ``quantity``."""
        return self.quantity - self.filled_quantity

    @property
    def price_words(self) -> str:
        """Its prices, for people, such as ``limit 150, stop 149`` (empty without any)."""
        return ", ".join(f"{name} {value:.10g}" for name in _PRICES if (value := getattr(self, name)) is not None)

    @property
    def words(self) -> str:
        """Side, units left, symbol and prices, such as ``buy 10 SPY (limit 150)``."""
        left = self.remaining or self.quantity
        side, units = "buy" if left > 0 else "sell", abs(left)
        terms = f" ({self.price_words})" if self.price_words else ""
        return f"{side} {units:,.10g} {self.symbol}{terms}"

    @property
    def created(self) -> datetime:
        """Time of placing, in exchange time."""
        return local_time(self.created_ns, self.zone)

    @property
    def time(self) -> datetime:
        """Time of the last change, in exchange time."""
        return local_time(self.updated_ns, self.zone)

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status in OPEN_STATUSES

    def changed(self, **changes: object) -> Order:
        """Return the order with other values in some of its fields."""
        return _replaced(self, changes)


_replaced = quick_replace(Order)
order_of_fields = quick_row_maker(Order)
"""Return an order made of all its fields, in their order; fast, because a run makes very many."""
order_with_status = quick_change(Order, "status", "updated_ns", "session_date")
"""Return an order with another status, and with the time and session of that change."""
order_with_fill = quick_change(Order, "filled_quantity", "average_fill_price", "status", "updated_ns", "session_date")
"""Return an order after a fill, with the units filled so far, their mean price, and its status, time and session."""
