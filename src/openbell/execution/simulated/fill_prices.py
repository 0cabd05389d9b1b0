"""Prices at which orders fill, found in whole columns of bars.

There is a function for each kind of order. It gets the order's prices and the rows ``[first, last)`` of one session's
bars, which all begin at the order's time or later, and returns the first fill: one call for an order and a day in a
backtest, one for each batch of new bars live. State that passes from call to call is an argument and a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from openbell.execution.orders.instruments import to_tick_below, without_noise
from openbell.model.frozen import quick_tuple_maker
from openbell.model.order import OrderType
from openbell.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

__all__ = [
    "FILL_RULES",
    "UNTOUCHED",
    "FillColumns",
    "FillPoint",
    "OrderPrices",
    "RestingState",
    "first_fill",
    "new_point",
    "this_close",
]


class OrderPrices(Protocol):
    """Prices of an order, as the rules read them."""

    @property
    def quantity(self) -> float:
        """Units, negative to sell."""
        ...

    @property
    def limit(self) -> float | None:
        """The limit price."""
        ...

    @property
    def stop(self) -> float | None:
        """The stop price."""
        ...

    @property
    def trail(self) -> float | None:
        """The distance of a trailing stop in money."""
        ...

    @property
    def trail_percent(self) -> float | None:
        """The distance of a trailing stop as a percentage of the best price."""
        ...


class FillColumns(NamedTuple):
    """Bars of one session in which an order may fill.

    Attributes:
        open: First price of each bar; float64.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Units traded.
        fillable: Whether the order may fill on the bar: traded, not synthetic, and in the order's hours; None for all.
        begin: The first row of the session's regular hours.
        tick: The tick, on which trailing stops lie; None for any price.
    """

    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    fillable: NDArray[np.bool_] | None = None
    begin: int = 0
    tick: float | None = None


class FillPoint(NamedTuple):
    """The bar and the price at which an order fills.

    Attributes:
        row: The row of the bar.
        price: The price, before slippage.
        at_open: Whether it is the bar's first price, so that it happened when the bar began.
    """

    row: int
    price: float
    at_open: bool


new_point = quick_tuple_maker(FillPoint)


class RestingState(NamedTuple):
    """State of an order after the bars that it has been matched in.

    Attributes:
        triggered: Whether a stop was reached.
        best: The best price that a trailing stop has followed; at first the last price when it was placed.
    """

    triggered: bool = False
    best: float | None = None


UNTOUCHED = RestingState()
"""The state of an order that has been matched in no bar."""

Result: TypeAlias = "tuple[FillPoint | None, RestingState]"
Rule: TypeAlias = "Callable[[OrderPrices, FillColumns, int, int, RestingState], Result]"

FILL_RULES: Registry[Rule] = Registry("order type")
"""The rule of each kind of order."""


def first_fill(
    kind: OrderType, order: OrderPrices, columns: FillColumns, first: int, last: int, state: RestingState = UNTOUCHED
) -> Result:
    """Find the first fill of an order.

    Args:
        kind: The kind of order.
        order: Its prices.
        columns: The session's bars.
        first: The first row that begins at the order's time or later, and that it has not been matched in.
        last: The row after the last one.
        state: Its state before these bars.

    Returns:
        The fill, or None, and its state after these bars.
    """
    if first >= last:
        return None, state
    return FILL_RULES.get(kind)(order, columns, first, last, state)


def this_close(columns: FillColumns, row: int) -> FillPoint | None:
    """Return the fill at the close of the bar that ends now, as ``this_close`` has it."""
    if columns.fillable is not None and not columns.fillable[row]:
        return None
    return FillPoint(row, float(columns.close[row]), at_open=False)


def _first(hits: NDArray[np.bool_]) -> int:
    """Return the index of the first true one, or -1."""
    at = int(hits.argmax()) if len(hits) else 0
    return at if len(hits) and hits[at] else -1


def _first_row(columns: FillColumns, first: int, last: int) -> int:
    """Return the first row on which an order may fill, or -1."""
    if columns.fillable is None:
        return first
    at = _first(columns.fillable[first:last])
    return -1 if at < 0 else first + at


def _first_fillable_hit(hits: NDArray[np.bool_], columns: FillColumns, first: int, last: int) -> int:
    """Return the first row of hits on which an order may fill, or -1."""
    at = _first(hits if columns.fillable is None else hits & columns.fillable[first:last])
    return -1 if at < 0 else first + at


def market(order: OrderPrices, columns: FillColumns, first: int, last: int, state: RestingState) -> Result:
    """Fill at the next bar's open."""
    del order
    row = first if columns.fillable is None else _first_row(columns, first, last)
    return (None if row < 0 else new_point((row, columns.open.item(row), True))), state


def limit(order: OrderPrices, columns: FillColumns, first: int, last: int, state: RestingState) -> Result:
    """Fill at the limit where the price trades through it, or at a better open."""
    price = _given(order.limit)
    buys = order.quantity > 0
    through = columns.low[first:last] < price if buys else columns.high[first:last] > price
    row = _first_fillable_hit(through, columns, first, last)
    if row < 0:
        return None, state
    opened = float(columns.open[row])
    if opened < price if buys else opened > price:
        return FillPoint(row, opened, at_open=True), state
    return FillPoint(row, price, at_open=False), state


def stop(order: OrderPrices, columns: FillColumns, first: int, last: int, state: RestingState) -> Result:
    """Fill at the stop where the price reaches it, or at the open of a bar that opens through it."""
    if state.triggered:
        return market(order, columns, first, last, state)
    price = _given(order.stop)
    row = _reached(order, price, columns, first, last)
    if row < 0:
        return None, state
    opened = float(columns.open[row])
    at_open = opened >= price if order.quantity > 0 else opened <= price
    return FillPoint(row, opened if at_open else price, at_open), state._replace(triggered=True)


def stop_limit(order: OrderPrices, columns: FillColumns, first: int, last: int, state: RestingState) -> Result:
    """Fill as a limit order does, once the price has reached the stop.

    Within the bar that reaches it, only two prices are sure to come after: the stop itself, if it is better than the
    limit, and the close.
    """
    if state.triggered:
        return limit(order, columns, first, last, state)
    price, bound, buys = _given(order.stop), _given(order.limit), order.quantity > 0
    row = _reached(order, price, columns, first, last)
    if row < 0:
        return None, state
    state = state._replace(triggered=True)
    opened, closed = float(columns.open[row]), float(columns.close[row])
    if opened >= price if buys else opened <= price:
        return limit(order, columns, row, last, state)
    if price < bound if buys else price > bound:
        return FillPoint(row, price, at_open=False), state
    if closed < bound if buys else closed > bound:
        return FillPoint(row, bound, at_open=False), state
    return limit(order, columns, row + 1, last, state) if row + 1 < last else (None, state)


def trailing_stop(order: OrderPrices, columns: FillColumns, first: int, last: int, state: RestingState) -> Result:
    """Fill as a stop that follows the best price at a distance.

    Within a bar it is not known whether the best price or the worst came first: a bar's open moves the stop at once,
    its high (or low, for an order that buys) when the bar has closed. Where prices have a tick, the stop lies on
    it, away from the market.
    """
    if state.triggered:
        return market(order, columns, first, last, state)
    buys = order.quantity > 0
    rows = slice(first, last) if columns.fillable is None else first + np.flatnonzero(columns.fillable[first:last])
    opens, worst, best = columns.open[rows], columns.low[rows], columns.high[rows]
    if buys:
        # A stop that follows lows is one that follows highs, with the signs of prices reversed.
        opens, worst, best = -opens, -columns.high[rows], -columns.low[rows]
    if not len(opens):
        return None, state
    start = float(opens[0]) if state.best is None else (-state.best if buys else state.best)
    followed = np.maximum.accumulate(np.concatenate(([start], best)))
    before = _behind(order, followed[:-1], columns.tick)
    behind_open = _behind(order, np.maximum(followed[:-1], opens), columns.tick)
    at = _first(worst <= behind_open)
    if at < 0:
        reached = float(followed[-1])
        return None, state._replace(best=-reached if buys else reached)
    at_open = bool(opens[at] <= before[at])
    price = float(opens[at]) if at_open else without_noise(float(behind_open[at]))
    row = first + at if isinstance(rows, slice) else int(rows[at])
    reached = float(followed[at])
    return FillPoint(row, -price if buys else price, at_open), RestingState(True, -reached if buys else reached)


def _behind(order: OrderPrices, best: NDArray[np.float64], tick: float | None) -> NDArray[np.float64]:
    """Return the stop behind each of the best prices, which are negated for an order that buys."""
    trail = np.abs(best) * (_given(order.trail_percent) / 100) if order.trail is None else order.trail
    return to_tick_below(best - trail, tick)


def market_on_open(order: OrderPrices, columns: FillColumns, first: int, last: int, state: RestingState) -> Result:
    """Fill at the open of the session's first bar."""
    del order
    row = _first_row(columns, columns.begin, last)
    return (FillPoint(row, float(columns.open[row]), at_open=True) if row >= first else None), state


def market_on_close(order: OrderPrices, columns: FillColumns, first: int, last: int, state: RestingState) -> Result:
    """Fill at the close of the session's last bar, which is the one before ``last``."""
    del order
    rows = range(first, last) if columns.fillable is None else first + np.flatnonzero(columns.fillable[first:last])
    if not len(rows):
        return None, state
    row = int(rows[-1])
    return FillPoint(row, float(columns.close[row]), at_open=False), state


def _reached(order: OrderPrices, price: float, columns: FillColumns, first: int, last: int) -> int:
    """Return the first row in which the price reaches a stop, or -1."""
    hits = columns.high[first:last] >= price if order.quantity > 0 else columns.low[first:last] <= price
    return _first_fillable_hit(hits, columns, first, last)


def _given(price: float | None) -> float:
    assert price is not None, "orders are checked when they are placed"  # noqa: S101  narrows the type
    return price


for _kind, _rule in (
    (OrderType.MARKET, market),
    (OrderType.LIMIT, limit),
    (OrderType.STOP, stop),
    (OrderType.STOP_LIMIT, stop_limit),
    (OrderType.TRAILING_STOP, trailing_stop),
    (OrderType.MARKET_ON_OPEN, market_on_open),
    (OrderType.MARKET_ON_CLOSE, market_on_close),
):
    FILL_RULES.add(_kind, _rule)
