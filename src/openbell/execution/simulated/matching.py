"""First fill of an order in the market of a session's day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.execution.simulated.fill_prices import (
    UNTOUCHED,
    FillPoint,
    RestingState,
    first_fill,
    new_point,
    this_close,
)
from openbell.model.frozen import quick_tuple_maker
from openbell.model.order import OrderType

if TYPE_CHECKING:
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.order import Order

__all__ = ["Match", "at_this_close", "first_match"]

_BOUNDED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})


class Match(NamedTuple):
    """The first fill of an order today.

    Attributes:
        market: The market with the bar.
        point: The bar, and the price before slippage.
        time_ns: When it happens.
        known_ns: When it becomes known, which is when the bar has closed.
        slips: Whether the order takes whatever price there is, so that slippage applies.
        maker: Whether the order waited for its price, so that it added liquidity.
    """

    market: SymbolMarket
    point: FillPoint
    time_ns: int
    known_ns: int
    slips: bool = True
    maker: bool = False


_made = quick_tuple_maker(Match)


def first_match(
    order: Order,
    market: SymbolMarket,
    from_ns: int,
    close_ns: int,
    state: RestingState = UNTOUCHED,
    *,
    until_ns: int | None = None,
) -> tuple[Match | None, RestingState]:
    """Return the first fill of an order in today's bars that begin at a time or later, and its state at the end.

    Args:
        order: The order.
        market: Today's bars of its symbol.
        from_ns: Bars that begin before it are passed over.
        close_ns: The close of the session's regular hours.
        state: Its state before these bars.
        until_ns: Bars that close after it are passed over; none unless given.
    """
    kind, columns = order.type, market.columns
    if kind is OrderType.LIMIT and _is_beyond(order, market):
        return None, state
    low, high = (0, len(market)) if order.extended else market.regular
    first = market.first_row(from_ns)
    if first < low:
        first = low
    if until_ns is not None:
        high = min(high, market.closed_rows(until_ns))
    if kind is OrderType.MARKET and first < high and columns.fillable is None:  # most orders are of this kind
        at_open = new_point((first, columns.open.item(first), True))
        return _made((market, at_open, market.start.item(first), market.end.item(first), True, False)), state
    point, after = first_fill(kind, order, columns, first, high, state)
    if point is None:
        return None, after
    if kind is OrderType.MARKET_ON_CLOSE:
        # The close is known when the session closes: until then, a last bar before it looks like any other.
        return Match(market, point, close_ns, close_ns), after
    end_ns = market.end.item(point.row)
    time_ns = market.start.item(point.row) if point.at_open else end_ns
    if kind not in _BOUNDED:
        return _made((market, point, time_ns, end_ns, True, False)), after
    # Placed today and filled at a better price in the first bar after that, it took liquidity, and never rested.
    first_after = max(market.first_row(order.created_ns), low)
    rested = point.price == order.limit or order.created_ns < market.start.item(0) or point.row > first_after
    return Match(market, point, time_ns, end_ns, slips=False, maker=rested), after


def _is_beyond(order: Order, market: SymbolMarket) -> bool:
    """Return whether no price of the day reaches an order's limit."""
    limit, (low, high) = order.limit, market.reach
    return limit is not None and (limit < low if order.quantity > 0 else limit > high)


def at_this_close(market: SymbolMarket, now_ns: int) -> Match | None:
    """Return the fill of a market order at the close of a bar that ends now, or None."""
    row = market.closed_rows(now_ns) - 1
    if row < market.regular[0] or row >= market.regular[1] or market.end.item(row) != now_ns:
        return None
    point = this_close(market.columns, row)
    return None if point is None else Match(market, point, now_ns, now_ns)
