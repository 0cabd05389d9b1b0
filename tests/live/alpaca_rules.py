"""What Alpaca takes as an order and what not, in its words as they are documented or were seen."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from live.alpaca_orders import FORBIDDEN, INVALID, UNPROCESSABLE, BrokerOrder, RefusedError, plain

if TYPE_CHECKING:
    from live.alpaca_book import OrderBook

_CENT = Decimal("0.01")
_EVENING = time(19)
_CUTOFFS = {"opg": (time(9, 28), "9:28am"), "cls": (time(15, 50), "3:50pm")}
_TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")
_TIFS = ("day", "gtc", "opg", "cls", "ioc", "fok")
_WORDS = {
    "limit": "limit orders require a limit price",
    "stop": "stop orders require a stop price",
    "stop_limit": "stop limit orders require both stop and limit price",
}


def order_of(account: OrderBook, body: dict[str, Any]) -> BrokerOrder:
    """The order of a request, with its legs.

    Raises:
        RefusedError: Alpaca does not take it.
    """
    order = _read(account, body)
    asset = account.assets.get(order.symbol)
    if asset is None:
        raise RefusedError(UNPROCESSABLE, f'asset "{order.symbol}" not found')
    if asset["status"] != "active":
        raise RefusedError(UNPROCESSABLE, f'asset "{order.symbol}" is not active')
    if not asset["tradable"]:
        raise RefusedError(UNPROCESSABLE, f'asset "{order.symbol}" is not tradable')
    if order.qty % 1:
        _check_fraction(order, asset)
    _check_prices(account, order)
    _check_time(account, order)
    _add_legs(account, order, body)
    _check_account(account, order, asset)
    return order


def _read(account: OrderBook, body: dict[str, Any]) -> BrokerOrder:
    own_id = body.get("client_order_id") or account.new_id()
    if len(own_id) > 128:
        raise RefusedError(INVALID, "client_order_id must be no more than 128 characters")
    if account.is_taken(own_id):
        raise RefusedError(INVALID, "client_order_id must be unique")
    kind, tif = body.get("type"), body.get("time_in_force")
    if kind not in _TYPES:
        raise RefusedError(INVALID, "invalid order type")
    if tif not in _TIFS:
        raise RefusedError(INVALID, "invalid time_in_force")
    if body.get("side") not in ("buy", "sell"):
        raise RefusedError(INVALID, "invalid side")
    if body.get("qty") is None:
        raise RefusedError(INVALID, "qty or notional is required")
    qty = Decimal(body["qty"])
    if qty <= 0:
        raise RefusedError(INVALID, "qty must be > 0")
    named: dict[str, Any] = {
        name: _decimal(body, name) for name in ("limit_price", "stop_price", "trail_price", "trail_percent")
    }
    group = body.get("order_class") or ""
    symbol = body["symbol"]
    asset_id = account.assets.get(symbol, {"id": ""})["id"]
    return BrokerOrder(
        account.new_id(), own_id, symbol, asset_id, body["side"], qty, kind, tif, account.now_ns,
        order_class="" if group == "simple" else group, extended_hours=bool(body.get("extended_hours")), **named,
    )  # fmt: skip


def _check_fraction(order: BrokerOrder, asset: dict[str, Any]) -> None:
    if not asset["fractionable"]:
        raise RefusedError(FORBIDDEN, f'asset "{order.symbol}" is not fractionable')
    if order.time_in_force != "day":
        raise RefusedError(UNPROCESSABLE, "fractional orders must be DAY orders")
    if order.order_class:
        raise RefusedError(UNPROCESSABLE, "fractional orders must be simple orders")
    if order.type == "trailing_stop":
        raise RefusedError(UNPROCESSABLE, "fractional orders must be market, limit, stop or stop_limit orders")


def _check_prices(account: OrderBook, order: BrokerOrder) -> None:
    wants_limit, wants_stop = order.type in ("limit", "stop_limit"), order.type in ("stop", "stop_limit")
    if order.order_class != "oco" and (order.limit_price is None) is wants_limit:
        raise RefusedError(INVALID, _WORDS.get(order.type, "market orders require no stop or limit price"))
    if (order.stop_price is None) is wants_stop:
        raise RefusedError(INVALID, _WORDS.get(order.type, "market orders require no stop or limit price"))
    if (order.type == "trailing_stop") is not ((order.trail_price is None) is not (order.trail_percent is None)):
        raise RefusedError(INVALID, "trailing stop orders must specify one of trail_price or trail_percent")
    for name in ("limit_price", "stop_price"):
        check_increment(name, getattr(order, name))
    last = account.last.get(order.symbol)
    if wants_stop and last is not None and (order.stop_price - last) * order.sign <= 0:  # type: ignore[operator]
        word = "less" if order.side == "sell" else "greater"
        raise RefusedError(UNPROCESSABLE, f"stop price must be {word} than current price", market_price=plain(last))


def check_increment(name: str, price: Decimal | None) -> None:
    if price is None:
        return
    if price <= 0:
        raise RefusedError(INVALID, f"{name.replace('_', ' ')} must be > 0")
    step = _CENT if price >= 1 else Decimal("0.0001")
    if price % step:
        text = f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria"
        raise RefusedError(UNPROCESSABLE, text)


def _check_time(account: OrderBook, order: BrokerOrder) -> None:
    tif = order.time_in_force
    if order.extended_hours and (order.type, tif) != ("limit", "day"):
        raise RefusedError(UNPROCESSABLE, "extended hours order must be DAY limit orders")
    if order.type not in ("market", "limit") and tif not in ("day", "gtc"):
        raise RefusedError(UNPROCESSABLE, f"invalid time_in_force for {order.type} order")
    if tif in _CUTOFFS:
        cutoff, words = _CUTOFFS[tif]
        if cutoff <= account.local.time() < _EVENING and account.is_session:
            raise RefusedError(FORBIDDEN, f"{tif} orders must be submitted after 7:00pm and before {words}")


def _add_legs(account: OrderBook, order: BrokerOrder, body: dict[str, Any]) -> None:
    group = order.order_class
    if not group:
        return
    if group not in ("bracket", "oco", "oto"):
        raise RefusedError(INVALID, "invalid order class")
    if order.time_in_force not in ("day", "gtc"):
        raise RefusedError(UNPROCESSABLE, f"{group} orders must be DAY or GTC orders")
    profit, loss = body.get("take_profit") or {}, body.get("stop_loss") or {}
    if group != "oto" and "limit_price" not in profit:
        raise RefusedError(UNPROCESSABLE, f"{group} orders require take_profit.limit_price")
    if group != "oto" and "stop_price" not in loss:
        raise RefusedError(UNPROCESSABLE, f"{group} orders require stop_loss.stop_price")
    if group == "oto" and bool(profit) is bool(loss):
        raise RefusedError(UNPROCESSABLE, "oto orders require either take_profit or stop_loss")
    if group == "oco":
        if order.type != "limit":
            raise RefusedError(UNPROCESSABLE, "oco orders must be limit orders")
        order.limit_price = _decimal(profit, "limit_price")
        check_increment("take_profit.limit_price", order.limit_price)
    elif profit:
        order.legs.append(_leg(account, order, "limit", limit=_decimal(profit, "limit_price")))
    if loss:
        limit = _decimal(loss, "limit_price")
        kind = "stop" if limit is None else "stop_limit"
        order.legs.append(_leg(account, order, kind, limit=limit, stop=_decimal(loss, "stop_price")))
        _check_base(account, order)


def _leg(
    account: OrderBook, order: BrokerOrder, kind: str, limit: Decimal | None, stop: Decimal | None = None
) -> BrokerOrder:
    side = order.side if order.order_class == "oco" else {"buy": "sell", "sell": "buy"}[order.side]
    for name, price in (("take_profit.limit_price" if stop is None else "stop_loss.limit_price", limit),
                        ("stop_loss.stop_price", stop)):  # fmt: skip
        check_increment(name, price)
    return BrokerOrder(
        account.new_id(), account.new_id(), order.symbol, order.asset_id, side, order.qty, kind, order.time_in_force,
        account.now_ns, order_class=order.order_class, limit_price=limit, stop_price=stop, status="held", parent=order,
    )  # fmt: skip


def _check_base(account: OrderBook, order: BrokerOrder) -> None:
    """The stop of a group lies a cent on the far side of the market, and of its limit."""
    leg = order.legs[-1]
    for base in (order.limit_price, account.last.get(order.symbol)):
        if base is not None and (leg.stop_price - base) * leg.sign < _CENT:  # type: ignore[operator]
            words = "<= base_price - 0.01" if leg.side == "sell" else ">= base_price + 0.01"
            raise RefusedError(UNPROCESSABLE, f"stop_loss.stop_price must be {words}", base_price=plain(base))


def _check_account(account: OrderBook, order: BrokerOrder, asset: dict[str, Any]) -> None:
    held = account.quantity(order.symbol)
    is_exit = held * order.sign < 0
    if order.order_class in ("bracket", "oto") and is_exit:
        raise RefusedError(UNPROCESSABLE, f"{order.order_class} orders must be entry orders")
    if order.order_class == "oco" and not is_exit:
        raise RefusedError(UNPROCESSABLE, "oco orders must be exit orders")
    if is_exit:
        account.check_available(order)
    else:
        _check_entry(account, order, asset)
    _check_wash(account, order)


def _check_entry(account: OrderBook, order: BrokerOrder, asset: dict[str, Any]) -> None:
    held = account.quantity(order.symbol)
    if not held and any(other.sign != order.sign and not other.parent for other in account.live(order.symbol)):
        words = "long buy while a short sell" if order.side == "buy" else "short sell while a long buy"
        raise RefusedError(FORBIDDEN, f"cannot open a {words} order is open")
    if order.side == "sell":
        if order.qty % 1:
            raise RefusedError(UNPROCESSABLE, "fractional orders cannot be sold short")
        if not account.may_short:
            raise RefusedError(FORBIDDEN, "account is not allowed to short")
        if not asset["shortable"] or order.symbol in account.unborrowable:
            raise RefusedError(UNPROCESSABLE, f'asset "{order.symbol}" cannot be sold short')
        if not asset["easy_to_borrow"] and order.time_in_force != "day":
            text = f'only day orders are allowed for hard-to-borrow asset "{order.symbol}"'
            raise RefusedError(UNPROCESSABLE, text)
    cost, power = account.cost(order), account.buying_power
    if cost > power:
        numbers = {"buying_power": plain(power), "cost_basis": plain(cost)}
        raise RefusedError(FORBIDDEN, "insufficient buying power", **numbers)


def _check_wash(account: OrderBook, order: BrokerOrder) -> None:
    if order.order_class or order.type == "trailing_stop":
        return
    for other in account.live(order.symbol):
        if other.sign == order.sign or other.type == "trailing_stop":
            continue
        if order.limit_price is not None and other.limit_price is not None:
            buy, sell = sorted((order, other), key=lambda each: -each.sign)
            if buy.limit_price < sell.limit_price:  # type: ignore[operator]
                continue
        kind = "limit" if other.limit_price is not None else "market/stop"
        raise RefusedError(
            FORBIDDEN, "potential wash trade detected. use complex orders", existing_order_id=other.id,
            reject_reason=f"opposite side {kind} order exists",
        )  # fmt: skip


def _decimal(body: dict[str, Any], name: str) -> Decimal | None:
    return None if body.get(name) is None else Decimal(body[name])
