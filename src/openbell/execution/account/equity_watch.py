"""Watch over the equity of a session, for margin calls and the largest daily loss.

From the last change of positions on, equity over the rest of the day is a few operations on columns, and its first
crossing of a limit is known ahead. Most days a bound from the day's lowest and highest closes shows that there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.execution.account.margin import (
    HeldMargin,
    first_margin_call,
    maintenance_margin,
    units_to_close,
)
from openbell.execution.merged_times import merged_times
from openbell.execution.orders.order_terms import MARKET
from openbell.execution.orders.risk_limits import daily_loss_floor
from openbell.execution.simulated.simulated_broker import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.execution.account.account import Holding
    from openbell.execution.desk import TradingDesk
    from openbell.model.fill import Fill

__all__ = ["Breach", "EquityWatch"]

_NOISE = 1e-6
"""Upper bound of the rounding error in sums of equity, as a share of it."""


class Breach(NamedTuple):
    """A limit that equity crosses.

    Attributes:
        time_ns: The close of the bar at which it does, nanoseconds since 1970 UTC.
        reason: What happened, with both numbers.
        halts: Whether no new orders are taken in the session.
        ends: Whether no orders are taken from then on.
    """

    time_ns: int
    reason: str
    halts: bool = False
    ends: bool = False


class _Reach(NamedTuple):
    """The lowest and the highest close of a symbol's day.

    Attributes:
        low: The lowest close.
        high: The highest.
        multiplier: Money that one point is worth, per unit.
        margin: The largest maintenance margin of one unit at these prices.
    """

    low: float
    high: float
    multiplier: float
    margin: float


class EquityWatch:
    """Finds the next time at which a limit is crossed.

    Args:
        desk: The desk, with account and markets.

    Attributes:
        is_halted: Whether the largest daily loss was reached in this session.
        has_ended: Whether equity was at or below zero, after which nothing is traded.
    """

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk
        self._next: Breach | None = None
        self._is_stale = self._is_spent = False
        self._room = 0.0  # what equity may lose before limits are searched again; above zero, none is crossed
        self._reach: dict[str, _Reach] = {}
        self.is_halted = self.has_ended = False
        self._floor: float | None = None
        self._changed: dict[str, None] = {}
        self._worst_values: dict[str, float] = {}
        self._margins: dict[str, float] = {}
        # A broker over the network calls for margin itself.
        self._is_margin = desk.config.account == "margin" and not desk.is_real
        self._maintenance, self._holdings = desk.config.maintenance, desk.account.holdings
        self._market_of, self._instrument_of = desk.markets.of, desk.markets.instrument

    def begin_session(self) -> None:
        """Begin a session with what is held."""
        self._floor = daily_loss_floor(self._desk.config.risk, self._desk.start_equity)
        self.is_halted = False
        self._reach.clear()
        self.changed()

    def changed(self, symbol: str | None = None) -> None:
        """Note that cash has changed, and the position in one symbol or in all."""
        self._is_stale, self._is_spent, self._room = True, False, 0.0
        if symbol is None:
            self._changed.update(dict.fromkeys((*self._worst_values, *self._desk.account.holdings)))
        else:
            self._changed[symbol] = None
            self._reach.pop(symbol, None)

    def traded(self, fill: Fill) -> None:
        """Note that a fill has changed cash and a position.

        Limits are not searched again while all fills since the last search cannot have used up the room left then.
        """
        symbol, price, reach = fill.symbol, fill.price, self._reach.get(fill.symbol)
        if reach is not None and self._room > 0:
            low, high, multiplier, margin = reach
            holding = self._holdings.get(symbol)
            held = 0.0 if holding is None else abs(holding.quantity)
            before = abs(fill.quantity) + held  # an upper bound
            # Units held before and after are each valued at a close of the day, and were paid for at the fill's price.
            span = max(price, high) - min(price, low)
            self._room -= (held + before) * span * multiplier + held * margin + fill.fee
            if self._room > 0:
                self._changed[symbol] = None
                return
        self.changed(symbol)

    def market_grew(self, symbol: str) -> None:
        """Note that further bars of a symbol have come, in which a limit may be crossed."""
        self._changed[symbol], self._room = None, 0.0
        self._reach.pop(symbol, None)
        self._is_stale = not self._is_spent

    @property
    def next_ns(self) -> int:
        """Time at which a limit is crossed next, `NEVER` when none is today."""
        if self._is_stale:
            self._next, self._is_stale = self._find(), False
        breach = self._next
        return NEVER if breach is None else breach.time_ns

    def carry_out(self) -> None:
        """Cancel all orders and close positions, because a limit is crossed now.

        A margin call closes as much as is needed, and every other limit all of it.
        """
        breach, self._next, self._is_spent = self._next, None, True  # not searched again until positions change
        if breach is None:
            return
        desk = self._desk
        self.is_halted = self.is_halted or breach.halts
        self.has_ended = self.has_ended or breach.ends
        desk.recorder.breaches.append(breach.reason)
        self._close(None if breach.halts or breach.ends else self._as_much_as_needed(), breach.reason)

    def close_all(self, reason: str) -> None:
        """Cancel all orders and close all positions."""
        self._is_spent = True
        self._close(None, reason)

    def _close(self, units: dict[str, float] | None, reason: str) -> None:
        """Cancel all orders, and trade the given units of symbols, or close all positions when None."""
        desk = self._desk
        for order in list(desk.open_orders.by_id.values()):
            desk.cancel(order.id, reason)
        if units is None:
            units = {holding.symbol: -holding.quantity for holding in self._holdings.values()}
        for symbol, quantity in units.items():
            desk.place("", symbol, quantity, MARKET, reason=reason)

    def _as_much_as_needed(self) -> dict[str, float]:
        desk = self._desk
        equity, held = desk.equity, []
        for holding in self._holdings.values():
            symbol, quantity = holding.symbol, holding.quantity
            margin = float(self._margin(holding, np.array([holding.last_price]))[0])
            trades = desk.markets.last_price_today(symbol, desk.clock.now_ns) is not None
            held.append(HeldMargin(symbol, quantity, margin, desk.markets.instrument(symbol), trades))
        return units_to_close(held, equity)

    def _find(self) -> Breach | None:
        floor = None if self.is_halted else self._floor
        if not self._holdings or self._desk.open_orders.own or self._cannot_happen(floor):
            return None
        return self._crossing(list(self._holdings.values()), floor)

    def _cannot_happen(self, floor: float | None) -> bool:
        """Return whether not even the worst closes of the day together would cross a limit."""
        # Mostly one holding has changed.
        for symbol in self._changed:
            self._note_worst(symbol)
        self._changed.clear()
        equity, margin = self._desk.account.cash + sum(self._worst_values.values()), sum(self._margins.values())
        left = equity - max(margin, 0.0 if floor is None else floor, 0.0)
        self._room = max(0.0, left - abs(equity) * _NOISE)
        return left > 0

    def _note_worst(self, symbol: str) -> None:
        """Note the value of a holding at the worst close of the day, and its margin there."""
        holding = self._holdings.get(symbol)
        if holding is None:
            self._worst_values.pop(symbol, None)
            self._margins.pop(symbol, None)
            return
        quantity, market = holding.quantity, self._market_of(symbol)
        bounds = None if market is None else market.bounds
        low, high = bounds or (holding.last_price, holding.last_price)
        if bounds is not None and symbol not in self._reach:
            self._reach[symbol] = _Reach(low, high, holding.multiplier, self._largest_margin(symbol, low, high))
        price = low if quantity > 0 else high
        self._worst_values[symbol] = quantity * price * holding.multiplier
        if self._is_margin:
            instrument = self._instrument_of(symbol)
            self._margins[symbol] = maintenance_margin(quantity, price, instrument, self._maintenance)

    def _largest_margin(self, symbol: str, low: float, high: float) -> float:
        """Return the largest maintenance margin of one unit, long or short, at two prices."""
        if not self._is_margin:
            return 0.0
        price, terms = max(abs(low), abs(high)), (self._instrument_of(symbol), self._maintenance)
        return max(maintenance_margin(1.0, price, *terms), maintenance_margin(-1.0, price, *terms))

    def _margin(self, holding: Holding, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self._is_margin:
            return np.zeros(len(prices))
        instrument = self._instrument_of(holding.symbol)
        return maintenance_margin(holding.quantity, prices, instrument, self._maintenance)

    def _crossing(self, holdings: list[Holding], floor: float | None) -> Breach | None:
        """Return the first time from now on at which a limit is crossed."""
        # A fill becomes known when its bar closes: that close is the first at which its position is checked.
        now_ns = self._desk.clock.now_ns
        markets = {holding.symbol: self._desk.markets.of(holding.symbol) for holding in holdings}
        ends = [market.end[market.end.searchsorted(now_ns) :] for market in markets.values() if market is not None]
        times = merged_times(ends)
        if not len(times):
            return None
        equity, margin = np.full(len(times), self._desk.account.cash), np.zeros(len(times))
        for holding in holdings:
            market = markets[holding.symbol]
            prices = np.full(len(times), holding.last_price)
            if market is not None and len(market):
                rows = market.end.searchsorted(times, side="right")
                prices = np.where(rows > 0, market.close[np.maximum(rows - 1, 0)], holding.last_price)
            equity += holding.quantity * prices * holding.multiplier
            margin += self._margin(holding, prices)
        call = first_margin_call(equity, margin if self._is_margin else np.full(len(times), np.finfo(float).tiny))
        lost = int((equity <= floor).argmax()) if floor is not None and (equity <= floor).any() else -1
        if lost >= 0 and (call < 0 or lost <= call) and equity[lost] > 0:
            return Breach(int(times[lost]), self._loss(float(equity[lost])), halts=True)
        if call < 0:
            return None
        if equity[call] <= 0:
            return Breach(int(times[call]), f"equity is {equity[call]:,.2f}: trading has ended", ends=True)
        reason = f"margin call: equity is {equity[call]:,.2f}, and {margin[call]:,.2f} are needed to hold the positions"
        return Breach(int(times[call]), reason)

    def _loss(self, equity: float) -> str:
        start = self._desk.start_equity
        percent = self._desk.config.risk.max_daily_loss_percent
        return (
            f"the largest daily loss is reached: {start - equity:,.2f} of {start:,.2f}, and "
            f"risk.max_daily_loss_percent is {percent:g}"
        )
