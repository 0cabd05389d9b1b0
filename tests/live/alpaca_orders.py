"""Orders as Alpaca's trading API writes and refuses them, for a server of our own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

S = 1_000_000_000
OPEN = ("new", "partially_filled", "accepted", "pending_new", "pending_cancel", "pending_replace", "held")
_TIMES = (
    "created_at", "updated_at", "submitted_at", "filled_at", "expired_at", "cancel_requested_at", "canceled_at",
    "failed_at", "replaced_at",
)  # fmt: skip
_PRICES = ("limit_price", "stop_price", "trail_percent", "trail_price", "hwm")


class RefusedError(Exception):
    """A request that Alpaca refuses, in its words.

    The first digits of a code are those of the HTTP status, except for 40010001, which comes with a 422.
    """

    def __init__(self, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = 422 if code == INVALID else code // 100_000
        self.body = {"code": code, "message": message, **more}


INVALID, FORBIDDEN, NOT_FOUND, UNPROCESSABLE = 40010001, 40310000, 40410000, 42210000


@dataclass(eq=False)
class BrokerOrder:
    """An order, as the broker has it."""

    id: str
    client_order_id: str
    symbol: str
    asset_id: str
    side: str
    qty: Decimal
    type: str
    time_in_force: str
    created_ns: int
    order_class: str = ""
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    extended_hours: bool = False
    status: str = "pending_new"
    filled_qty: Decimal = Decimal(0)
    filled_avg_price: Decimal | None = None
    hwm: Decimal | None = None
    is_triggered: bool = False
    parent: BrokerOrder | None = None
    legs: list[BrokerOrder] = field(default_factory=list)
    replaces: str | None = None
    replaced_by: str | None = None
    at: dict[str, int] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_live(self) -> bool:
        """Whether it may fill, or holds shares back."""
        return self.is_open and self.status != "held"

    @property
    def sign(self) -> int:
        return 1 if self.side == "buy" else -1

    @property
    def rest(self) -> Decimal:
        return self.qty - self.filled_qty

    @property
    def family(self) -> list[BrokerOrder]:
        """The other orders of its group."""
        top = self.parent or self
        return [order for order in (top, *top.legs) if order is not self]

    def json(self, *, nested: bool = False) -> dict[str, Any]:
        times = {
            "created_at": self.created_ns,
            "submitted_at": self.created_ns,
            "updated_at": self.created_ns,
            **self.at,
        }
        return {
            "id": self.id,
            "client_order_id": self.client_order_id,
            **{name: text_of(times[name]) if name in times else None for name in _TIMES},
            "replaced_by": self.replaced_by,
            "replaces": self.replaces,
            "asset_id": self.asset_id,
            "symbol": self.symbol,
            "asset_class": "us_equity",
            "notional": None,
            "qty": plain(self.qty),
            "filled_qty": plain(self.filled_qty),
            "filled_avg_price": plain(self.filled_avg_price),
            "order_class": self.order_class,
            "order_type": self.type,
            "type": self.type,
            "side": self.side,
            "time_in_force": self.time_in_force,
            **{name: plain(getattr(self, name)) for name in _PRICES},
            "status": self.status,
            "extended_hours": self.extended_hours,
            "legs": [leg.json() for leg in self.legs] if nested and self.legs else None,
        }


def plain(number: Decimal | None) -> str | None:
    """A number as Alpaca writes it, without an exponent and without zeros at its end."""
    return None if number is None else f"{number.normalize():f}"


def text_of(time_ns: int) -> str:
    """A time as Alpaca writes it, to the nanosecond."""
    return f"{datetime.fromtimestamp(time_ns // S, UTC):%Y-%m-%dT%H:%M:%S}.{time_ns % S:09d}Z"
