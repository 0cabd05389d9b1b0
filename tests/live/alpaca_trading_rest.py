"""The paths of Alpaca's trading API, answered from an account."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from live.alpaca_holdings import TIMES
from live.alpaca_orders import NOT_FOUND, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from live.alpaca_account import AlpacaAccount
    from live.alpaca_orders import BrokerOrder

_ACCOUNT_ACTIVITIES = 100

Answer = tuple[int, Any]


def answer(account: AlpacaAccount, method: str, path: str, params: dict[str, str], body: dict[str, Any]) -> Answer:
    """What is answered to a request, as a status and JSON; None for no text.

    Raises:
        RefusedError: The request is refused.
    """
    for known, pattern, action in _PATHS:
        match = re.fullmatch(pattern, path)
        if known == method and match is not None:
            return action(account, params | body, *match.groups())
    raise RefusedError(NOT_FOUND, "endpoint not found.")


def _account(account: AlpacaAccount, params: dict[str, Any]) -> Answer:
    return 200, account.account(account.buying_power)


def _clock(account: AlpacaAccount, params: dict[str, Any]) -> Answer:
    return 200, account.clock()


def _calendar(account: AlpacaAccount, params: dict[str, Any]) -> Answer:
    first, last = (date.fromisoformat(params[name][:10]) for name in ("start", "end"))
    days = []
    for day in TIMES.sessions(first, last):
        session = TIMES.session(day)
        opens, closes = (f"{TIMES.to_local(ns):%H:%M}" for ns in (session.open_ns, session.close_ns))
        days.append({"date": f"{day}", "open": opens, "close": closes, "session_open": "0400", "session_close": "2000"})
    return 200, days


def _asset(account: AlpacaAccount, params: dict[str, Any], symbol: str) -> Answer:
    if symbol not in account.assets:
        raise RefusedError(NOT_FOUND, f"asset not found for {symbol}")
    return 200, account.assets[symbol]


def _order(account: AlpacaAccount, params: dict[str, Any], own_id: str) -> Answer:
    return 200, account.find(id=own_id).json(nested=_is_true(params, "nested"))


def _order_by_client_id(account: AlpacaAccount, params: dict[str, Any]) -> Answer:
    return 200, account.find(client_order_id=params["client_order_id"]).json()


def _orders(account: AlpacaAccount, params: dict[str, Any]) -> Answer:
    status, nested = params.get("status", "open"), _is_true(params, "nested")
    found = [
        order for order in account.orders.values()
        if (status == "all" or order.is_open is (status == "open")) and not (nested and order.parent)
        and order.symbol in params.get("symbols", order.symbol).split(",") and _is_between(order, params)
    ]  # fmt: skip
    if params.get("direction", "desc") == "desc":
        found.reverse()
    return 200, [order.json(nested=nested) for order in found[: int(params.get("limit", 50))]]


def _is_between(order: BrokerOrder, params: dict[str, Any]) -> bool:
    after, until = _ns(params.get("after")), _ns(params.get("until"))
    return (after is None or order.created_ns > after) and (until is None or order.created_ns <= until)


def _submit(account: AlpacaAccount, params: dict[str, Any]) -> Answer:
    return 200, account.submit(params)


def _replace(account: AlpacaAccount, params: dict[str, Any], own_id: str) -> Answer:
    return 200, account.replace(account.find(id=own_id), params)


def _cancel(account: AlpacaAccount, params: dict[str, Any], own_id: str) -> Answer:
    account.cancel(account.find(id=own_id))
    return 204, None


def _cancel_all(account: AlpacaAccount, params: dict[str, Any]) -> Answer:
    found = [order for order in account.orders.values() if order.is_open]
    for order in found:
        if order.is_open:
            account.cancel(order)
    return 207, [{"id": order.id, "status": 200, "body": None} for order in found]


def _positions(account: AlpacaAccount, params: dict[str, Any]) -> Answer:
    return 200, [account.position(symbol, account.available(symbol)) for symbol in sorted(account.positions)]


def _position(account: AlpacaAccount, params: dict[str, Any], symbol: str) -> Answer:
    return 200, account.position(symbol, account.available(symbol))


def _close(account: AlpacaAccount, params: dict[str, Any], symbol: str) -> Answer:
    return 200, account.close(symbol, params.get("qty"))


def _close_all(account: AlpacaAccount, params: dict[str, Any]) -> Answer:
    if _is_true(params, "cancel_orders"):
        _cancel_all(account, params)
    rows = []
    for symbol in sorted(account.positions):
        try:
            order = account.close(symbol)
            rows.append({"symbol": symbol, "status": 200, "order_id": order["id"], "body": order})
        except RefusedError as exc:
            rows.append({"symbol": symbol, "status": exc.status, "body": exc.body})
    return 207, rows


def _activities(account: AlpacaAccount, params: dict[str, Any], kind: str | None = None) -> Answer:
    kinds = (kind or params.get("activity_types") or "").split(",")
    after, until = _ns(params.get("after")), _ns(params.get("until"))
    category = params.get("category")
    found = [
        row for at, row in account.activities
        if category is None or (category == "trade_activity") == (row["activity_type"] == "FILL")
        if kinds in ([""], [row["activity_type"]]) or row["activity_type"] in kinds
        if (after is None or at > after) and (until is None or at <= until)
    ]  # fmt: skip
    if params.get("direction", "desc") == "desc":
        found.reverse()
    token = params.get("page_token")
    if token:
        found = found[[row["id"] for row in found].index(token) + 1 :]
    return 200, found[: int(params.get("page_size", _ACCOUNT_ACTIVITIES))]


def _is_true(params: dict[str, Any], name: str) -> bool:
    return str(params.get(name, "")).lower() == "true"


def _ns(text: str | None) -> int | None:
    """A time that a client wrote, its plus perhaps as a space."""
    if not text:
        return None
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    return round(moment.timestamp() * 1_000_000) * 1000


_ID = "([^/]+)"
_PATHS: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", "/v2/account", _account),
    ("GET", "/v2/clock", _clock),
    ("GET", "/v2/calendar", _calendar),
    ("GET", f"/v2/assets/{_ID}", _asset),
    ("POST", "/v2/orders", _submit),
    ("GET", "/v2/orders", _orders),
    ("GET", "/v2/orders:by_client_order_id", _order_by_client_id),
    ("GET", f"/v2/orders/{_ID}", _order),
    ("PATCH", f"/v2/orders/{_ID}", _replace),
    ("DELETE", "/v2/orders", _cancel_all),
    ("DELETE", f"/v2/orders/{_ID}", _cancel),
    ("GET", "/v2/positions", _positions),
    ("GET", f"/v2/positions/{_ID}", _position),
    ("DELETE", "/v2/positions", _close_all),
    ("DELETE", f"/v2/positions/{_ID}", _close),
    ("GET", "/v2/account/activities", _activities),
    ("GET", f"/v2/account/activities/{_ID}", _activities),
]
