"""Terms of a new order as a strategy writes them, checked before anything else happens."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from math import inf, isfinite
from numbers import Real
from typing import NamedTuple, TypeVar

from openbell.errors import OrderError, UnknownNameError
from openbell.model.order import OrderType, TimeInForce

__all__ = ["MARKET", "Terms", "checked_number", "checked_price", "checked_quantity"]

_Word = TypeVar("_Word", bound=StrEnum)

_LIFETIMES = {"day": TimeInForce.DAY, "gtc": TimeInForce.GTC}
_PRICES_OF = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("limit",),
    OrderType.STOP: ("stop",),
    OrderType.STOP_LIMIT: ("limit", "stop"),
    OrderType.TRAILING_STOP: ("trail or trail_percent",),
    OrderType.MARKET_ON_OPEN: (),
    OrderType.MARKET_ON_CLOSE: (),
}


class Terms(NamedTuple):
    """Type, prices and lifetime of an order, all of which go together.

    The attributes are those of `openbell.model.order.Order`, in its order.
    """

    type: OrderType
    tif: TimeInForce
    limit: float | None
    stop: float | None
    trail: float | None
    trail_percent: float | None
    until: date | None
    extended: bool
    tag: str

    @staticmethod
    def of(
        type: str | None = None,  # noqa: A002 -- the word that users write
        limit: float | None = None,
        stop: float | None = None,
        trail: float | None = None,
        trail_percent: float | None = None,
        tif: str = "day",
        until: date | None = None,
        extended: bool = False,
        tag: str = "",
    ) -> Terms:
        """Return the checked terms of an order, whose type by default follows from its prices.

        Raises:
            OrderError: A value is invalid, or two of them contradict each other.
            UnknownNameError: There is no such type or lifetime.
        """
        has_prices = not (limit is None and stop is None and trail is None and trail_percent is None)
        if type is None and not has_prices and tif == "day" and until is None and not extended and tag == "":
            return MARKET  # most orders have nothing but units
        limit, stop = checked_price("limit", limit), checked_price("stop", stop)
        trail, trail_percent = checked_price("trail", trail), checked_price("trail_percent", trail_percent)
        kind = _type_of(limit, stop, trail, trail_percent)
        if type is not None or kind is OrderType.TRAILING_STOP:
            kind = kind if type is None else _word("order type", OrderType, type)
            _require_prices(kind, limit=limit, stop=stop, trail=trail, trail_percent=trail_percent)
        lifetime = _LIFETIMES[tif] if tif in ("day", "gtc") else _word("time in force", TimeInForce, tif)
        if until is not None and (isinstance(until, datetime) or not isinstance(until, date)):
            raise OrderError(f"until is a date such as date(2024, 3, 28), not {until!r}")
        if (until is not None) != (lifetime is TimeInForce.GTD):
            raise OrderError('an order until a date has both tif="gtd" and until=; this one has only one of them')
        if not isinstance(tag, str):
            raise OrderError(f"a tag is a text, not {tag!r}")
        if extended and kind is not OrderType.LIMIT:
            raise OrderError(f"only limit orders fill outside of regular hours: a {kind} order cannot be extended")
        return Terms(kind, lifetime, limit, stop, trail, trail_percent, until, bool(extended), tag)


MARKET = Terms(OrderType.MARKET, TimeInForce.DAY, None, None, None, None, None, extended=False, tag="")
"""A market order for the day."""


def checked_quantity(quantity: object) -> float:
    """Return the units of an order.

    Raises:
        OrderError: It is not a finite number.
    """
    if (type(quantity) is float or type(quantity) is int) and isfinite(quantity):
        return float(quantity)  # the check for other kinds of numbers takes longer
    if isinstance(quantity, bool) or not isinstance(quantity, Real) or not isfinite(quantity):
        raise OrderError(f"a quantity is a number of units, positive to buy and negative to sell, not {quantity!r}")
    return float(quantity)


def checked_number(name: str, number: object) -> float:
    """Return a number of any sign.

    Raises:
        OrderError: It is not a finite number.
    """
    if isinstance(number, bool) or not isinstance(number, Real) or not isfinite(number):
        raise OrderError(f"{name} is a number, not {number!r}")
    return float(number)


def checked_price(name: str, price: object) -> float | None:
    """Return a price, or None where there is none.

    Raises:
        OrderError: It is not a finite number above zero, or a ``trail_percent`` of 100 or more.
    """
    if price is None:
        return None
    if type(price) is float and 0 < price < inf and name != "trail_percent":
        return price
    if isinstance(price, bool) or not isinstance(price, Real) or not isfinite(price):
        raise OrderError(f"{name} is a number above zero, not {price!r}")
    if float(price) <= 0 or (name == "trail_percent" and float(price) >= 100):
        raise OrderError(f"{name} is {price:.10g}; it must be above zero{' and below 100' * (name == 'trail_percent')}")
    return float(price)


def _type_of(limit: float | None, stop: float | None, trail: float | None, trail_percent: float | None) -> OrderType:
    """Return the type that follows from the prices that were given."""
    if trail is not None or trail_percent is not None:
        return OrderType.TRAILING_STOP
    if limit is not None:
        return OrderType.LIMIT if stop is None else OrderType.STOP_LIMIT
    return OrderType.MARKET if stop is None else OrderType.STOP


def _require_prices(kind: OrderType, **prices: float | None) -> None:
    given, needed = tuple(name for name, price in prices.items() if price is not None), _PRICES_OF[kind]
    if kind is OrderType.TRAILING_STOP:
        if len(given) == 1 and given[0].startswith("trail"):
            return
        found = ", ".join(given) or "nothing"
        raise OrderError(f"a trailing_stop order has either trail= or trail_percent=, and nothing else; it has {found}")
    if set(given) != set(needed):
        wanted = " and ".join(f"{name}=" for name in needed) or "no price"
        found = " and ".join(f"{name}=" for name in given) or "none"
        raise OrderError(f"a {kind} order has {wanted}; this one has {found}")


def _word(kind: str, words: type[_Word], given: str) -> _Word:
    try:
        return words(given)
    except ValueError:
        raise UnknownNameError(kind, str(given), [str(word) for word in words]) from None
