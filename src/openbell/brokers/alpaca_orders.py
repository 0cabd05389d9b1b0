"""Conversion of orders and executions between the run's form and Alpaca's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openbell.errors import printable
from openbell.model.broker_events import BrokerFill, BrokerOrder
from openbell.model.order import OrderStatus, OrderType, TimeInForce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alpaca.trading.requests import OrderRequest

    from openbell.model.json_object import JsonObject
    from openbell.model.order import Order

__all__ = [
    "REPLACED",
    "UnsupportedError",
    "broker_order",
    "changes_of",
    "fill_of_activity",
    "fill_of_update",
    "request_of",
    "time_ns_of",
]

REPLACED = "replaced"
"""The status of an order that another one has replaced."""

_DIGITS = 9
"""The decimal places to which prices and units are rounded."""

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)")
_OPEN = OrderStatus.ACCEPTED
_STATUSES = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
}
_AUCTIONS = {"opg": OrderType.MARKET_ON_OPEN, "cls": OrderType.MARKET_ON_CLOSE}
_SENT_TYPES = {OrderType.MARKET_ON_OPEN: "opg", OrderType.MARKET_ON_CLOSE: "cls"}


class UnsupportedError(Exception):
    """Alpaca does not support an order, with the reason as text."""


def request_of(orders: Sequence[Order], client_id: str) -> OrderRequest:
    """Return the request that submits an order, or an entry with its legs.

    Raises:
        UnsupportedError: Alpaca does not support such an order.
    """
    from alpaca.trading import requests
    from alpaca.trading.enums import OrderSide

    order, *legs = orders
    kinds: dict[OrderType, Any] = {
        OrderType.LIMIT: requests.LimitOrderRequest,
        OrderType.STOP: requests.StopOrderRequest,
        OrderType.STOP_LIMIT: requests.StopLimitOrderRequest,
        OrderType.TRAILING_STOP: requests.TrailingStopOrderRequest,
    }
    kind = kinds.get(order.type, requests.MarketOrderRequest)
    prices = {
        "limit_price": _price(order.limit),
        "stop_price": _price(order.stop),
        "trail_price": _price(order.trail),
        "trail_percent": _price(order.trail_percent),
    }
    try:
        made: OrderRequest = kind(
            symbol=order.symbol,
            qty=_units(order.quantity),
            side=OrderSide.BUY if order.quantity > 0 else OrderSide.SELL,
            time_in_force=_tif(order, legs),
            client_order_id=client_id,
            extended_hours=True if order.extended else None,
            **{name: price for name, price in prices.items() if price is not None},
            **_exits(order, legs),
        )
    except ValueError as exc:
        raise UnsupportedError(f"Alpaca has no such order: {printable(str(exc), 200)}") from None
    return made


def _tif(order: Order, legs: Sequence[Order]) -> str:
    """Return Alpaca's time in force for an order with its legs.

    Raises:
        UnsupportedError: An order is good until a date.
    """
    if order.type in _SENT_TYPES:
        return _SENT_TYPES[order.type]
    if any(each.tif is TimeInForce.GTD for each in (order, *legs)):
        raise UnsupportedError("Alpaca has no orders until a date; give it as gtc, and cancel it")
    # A group has one time in force, and a stop that ended with the day would leave the position without protection.
    return "gtc" if any(each.tif is TimeInForce.GTC for each in (order, *legs)) else "day"


def _exits(order: Order, legs: Sequence[Order]) -> dict[str, Any]:
    """Return the arguments of a request that add the legs of an entry.

    Raises:
        UnsupportedError: Alpaca does not support such legs.
    """
    from alpaca.trading.requests import StopLossRequest, TakeProfitRequest

    if not legs:
        return {}
    found: dict[str, Any] = {}
    made: TakeProfitRequest | StopLossRequest
    for leg in legs:
        if leg.quantity != -order.quantity:
            raise UnsupportedError(
                f"Alpaca's exits have the units of their entry: {order.id} is of {order.quantity:g}, and {leg.id} of "
                f"{leg.quantity:g}"
            )
        if leg.type is OrderType.LIMIT:
            name, made = "take_profit", TakeProfitRequest(limit_price=_price(leg.limit))
        elif leg.type in (OrderType.STOP, OrderType.STOP_LIMIT):
            stop = {"stop_price": _price(leg.stop), "limit_price": _price(leg.limit)}
            name, made = "stop_loss", StopLossRequest(**{n: p for n, p in stop.items() if p is not None})
        else:
            raise UnsupportedError(f"Alpaca's exits are limits and stops, and {leg.id} is a {leg.type}")
        if name in found:
            raise UnsupportedError(f"Alpaca's entries have one stop and one target, and {leg.id} is another one")
        found[name] = made
    return {**found, "order_class": "bracket" if len(found) > 1 else "oto"}


def changes_of(order: Order, row: JsonObject) -> dict[str, float]:
    """Return the values, by Alpaca's names, to change so that its order becomes ``order``.

    Raises:
        UnsupportedError: Alpaca does not support the change.
    """
    wanted = {"limit_price": _price(order.limit), "stop_price": _price(order.stop)}
    if order.type is OrderType.TRAILING_STOP:
        wanted = {}
        trail, name = (
            (order.trail, "trail_price") if order.trail is not None else (order.trail_percent, "trail_percent")
        )
        if trail is not None and _number(row.get(name)) != _price(trail):
            wanted["trail"] = trail
    changes = {name: price for name, price in wanted.items() if price is not None and _number(row.get(name)) != price}
    units = _units(order.quantity)
    if _number(row.get("qty")) != units:
        if units % 1:
            raise UnsupportedError("Alpaca changes no orders to fractions of a share")
        changes["qty"] = units
    return changes


def broker_order(row: JsonObject, order_id: str | None) -> BrokerOrder:
    """Return an order of Alpaca as the run reads it.

    Args:
        row: The order, as Alpaca writes it.
        order_id: The run's id of the order; None for an order that is not the run's.
    """
    sign = 1 if row["side"] == "buy" else -1
    tif, kind = row["time_in_force"], OrderType(row["type"])
    filled = _number(row["filled_qty"]) or 0.0
    status = _STATUSES.get(row["status"], _OPEN)
    if status is _OPEN and filled:
        status = OrderStatus.PARTIALLY_FILLED
    return BrokerOrder(
        order_id or str(row["id"]),
        str(row["symbol"]),
        status,
        sign * (_number(row["qty"]) or filled),
        sign * filled if filled else 0.0,
        _number(row["filled_avg_price"]) if filled else None,
        _AUCTIONS.get(tif, kind) if kind is OrderType.MARKET else kind,
        TimeInForce.GTC if tif == "gtc" else TimeInForce.DAY,
        limit=_number(row["limit_price"]),
        stop=None if kind is OrderType.TRAILING_STOP else _number(row["stop_price"]),
        trail=_number(row.get("trail_price")),
        trail_percent=_number(row.get("trail_percent")),
        extended=bool(row.get("extended_hours")),
        reason=_reason(row, status),
        time_ns=time_ns_of(str(row.get("updated_at") or row["submitted_at"])),
        is_own=order_id is not None,
    )


def _reason(row: JsonObject, status: OrderStatus) -> str:
    if status is not OrderStatus.REJECTED:
        return ""
    cause = printable(str(row.get("reject_reason") or ""), 200)
    return f"Alpaca rejected it after it had taken it{': ' if cause else ''}{cause}"


def fill_of_update(data: JsonObject, order_id: str | None) -> BrokerFill:
    """Return the execution in an update of an order."""
    row = data["order"]
    sign = 1 if row["side"] == "buy" else -1
    return BrokerFill(
        order_id or str(row["id"]),
        str(data["execution_id"]),
        str(row["symbol"]),
        sign * float(data["qty"]),
        float(data["price"]),
        sign * float(row["filled_qty"]),
        time_ns_of(str(data["timestamp"])),
    )


def fill_of_activity(row: JsonObject, order_id: str | None) -> BrokerFill:
    """Return the execution in an activity of the account.

    The activity's id ends with that of the execution.
    """
    sign = 1 if row["side"] == "buy" else -1
    return BrokerFill(
        order_id or str(row["order_id"]),
        str(row["id"]).rpartition("::")[2],
        str(row["symbol"]),
        sign * float(row["qty"]),
        float(row["price"]),
        sign * float(row["cum_qty"]),
        time_ns_of(str(row["transaction_time"])),
    )


def time_ns_of(text: str) -> int:
    """Return a time that Alpaca writes, in nanoseconds since 1970 UTC.

    Raises:
        ValueError: The text is not such a time.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"no time: {printable(text, 40)}")
    seconds, fraction, zone = match.groups()
    whole = datetime.fromisoformat(seconds + ("+00:00" if zone == "Z" else zone)).astimezone(UTC)
    return int(whole.timestamp()) * 1_000_000_000 + int((fraction or "").ljust(9, "0"))


def _price(price: float | None) -> float | None:
    """Return a price without the rounding noise of computations."""
    return None if price is None else round(price, _DIGITS)


def _units(quantity: float) -> float:
    return round(abs(quantity), _DIGITS)


def _number(value: Any) -> float | None:
    return None if value in (None, "") else float(value)
