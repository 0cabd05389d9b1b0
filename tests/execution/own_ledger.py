"""The account as a test reckons it itself, from fills, payments, bars and corporate actions alone."""

from __future__ import annotations

from collections import defaultdict
from math import fsum, trunc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from execution.random_trading import STEP_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from execution.random_trading import Market
    from openbell.model.cash_flow import CashFlow
    from openbell.model.fill import Fill
    from openbell.results.trading import DayTrading

DAY_NS = 86_400_000_000_000
_ORDER = ("dividend", "split", "rename")


class OwnLedger:
    """Follows an account over its sessions, and requires that it is where it should be.

    Attributes:
        cash: Money.
        units: Units held, by symbol.
        prices: Last prices, by symbol.
        earned: What each symbol has earned in cash so far, by its latest name.
    """

    def __init__(self, market: Market, execution: Mapping[str, Any]) -> None:
        self._market = market
        self._borrow_rate = execution["borrow_rate"]
        self._multipliers = {symbol: terms["multiplier"] for symbol, terms in execution["instruments"].items()}
        self.cash = float(execution["cash"])
        self.units: dict[str, float] = {}
        self.prices: dict[str, float] = {}
        self.earned: defaultdict[str, float] = defaultdict(float)

    def multiplier(self, symbol: str) -> float:
        return float(self._multipliers.get(symbol, 1))

    # Overnight

    def begin(self, day: date, flows: Sequence[CashFlow]) -> None:
        """Take up what happened overnight, and require that it was paid, no more and no less."""
        expected = sorted([*self._borrowed(), *self._acted(day)])
        told = sorted((str(flow.kind), flow.symbol, flow.amount) for flow in flows)
        assert [flow[:2] for flow in told] == [flow[:2] for flow in expected]
        _require_equal([flow[2] for flow in told], [flow[2] for flow in expected], "payments overnight")
        self.cash += fsum(flow.amount for flow in flows)
        for flow in flows:
            self.earned[flow.symbol] += flow.amount

    def _borrowed(self) -> list[tuple[str, str, float]]:
        shorts = [symbol for symbol, units in self.units.items() if units < 0] if self._borrow_rate else []
        return [("borrow", symbol, self._worth(symbol) * self._borrow_rate / 360) for symbol in shorts]

    def _acted(self, day: date) -> list[tuple[str, str, float]]:
        """Apply the corporate actions of a day, and return what they pay."""
        paid = []
        today = [row for row in self._market.actions if row[1] == day]
        for symbol, _, kind, value in sorted(today, key=lambda row: _ORDER.index(row[2])):
            units = self.units.get(symbol)
            if units is None:
                continue
            if kind == "dividend":
                paid.append(("dividend", symbol, units * value * self.multiplier(symbol)))
            elif kind == "split":
                self.prices[symbol] /= value
                self._set(symbol, trunc(units * value))
                if fraction := units * value - trunc(units * value):
                    paid.append(("fraction", symbol, fraction * self.prices[symbol] * self.multiplier(symbol)))
            else:
                self._rename(symbol, value)
        return paid

    def _rename(self, symbol: str, new_symbol: str) -> None:
        self.units[new_symbol] = self.units.pop(symbol)
        self.prices[new_symbol] = self.prices.pop(symbol)
        self._multipliers[new_symbol] = self.multiplier(symbol)

    def _set(self, symbol: str, units: float) -> None:
        self.units[symbol] = units
        if not units:
            del self.units[symbol]

    def _worth(self, symbol: str) -> float:
        return self.units[symbol] * self.prices[symbol] * self.multiplier(symbol)

    # Within a session

    def play(self, session: DayTrading, day_ns: int) -> None:
        """Take up a session's fills, and require cash and equity at each of its bars, and the positions at its end."""
        times = session.equity.time_ns
        cash, worth = np.full(len(times), self.cash), np.zeros(len(times))
        of_symbol: dict[str, list[Fill]] = {symbol: [] for symbol in self.units}
        for fill in session.fills:
            of_symbol.setdefault(fill.symbol, []).append(fill)
        for symbol, fills in of_symbol.items():
            # A row for what is held at the begin: a fill before all times, which costs nothing.
            # A limit order that fills at a bar's open is known to have when the bar closes.
            when = np.array([0, *(fill.order.updated_ns for fill in fills)])
            units = np.array([self.units.get(symbol, 0.0), *(fill.quantity for fill in fills)]).cumsum()
            paid = np.array([0.0, *(self._cost(fill) for fill in fills)]).cumsum()
            row = when.searchsorted(times, side="right") - 1
            cash -= paid[row]
            worth += units[row] * self._prices_at(symbol, fills, times, day_ns) * self.multiplier(symbol)
            self.cash -= paid[-1].item()
            self.earned[symbol] -= paid[-1].item()
            self.prices[symbol] = self._prices_at(symbol, fills, np.array([day_ns + DAY_NS]), day_ns).item()
            self._set(symbol, units[-1].item())
        _require_equal(session.equity.cash, cash, "cash by bar")
        _require_equal(session.equity.equity, cash + worth, "equity by bar")
        assert {position.symbol: position.quantity for position in session.positions} == self.units
        _require_equal(session.end_equity, self.equity, "equity at the end")

    def _cost(self, fill: Fill) -> float:
        return fill.quantity * fill.price * self.multiplier(fill.symbol) + fill.fee

    def _prices_at(self, symbol: str, fills: list[Fill], times: NDArray[np.int64], day_ns: int) -> NDArray[np.float64]:
        """The last closes of today by some times; before the first, the price of yesterday, or else of the entry."""
        bars = self._market.bars[symbol]
        today = (bars["start"] >= day_ns) & (bars["start"] < day_ns + DAY_NS)
        before = self.prices[symbol] if symbol in self.units else fills[0].price
        closes = np.append(before, bars["close"][today])
        return closes[(bars["start"][today] + STEP_NS).searchsorted(times, side="right")]

    @property
    def equity(self) -> float:
        return self.cash + fsum(map(self._worth, self.units))


def _require_equal(told: Any, expected: Any, what: str) -> None:
    assert told == pytest.approx(expected, rel=1e-9, abs=1e-6), what
