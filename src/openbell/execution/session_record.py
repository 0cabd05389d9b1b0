"""Record of a session's trading, from which results are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openbell.execution.merged_times import merged_times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from openbell.execution.account.account import Account
    from openbell.execution.account.overnight import Adjustment
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.cash_flow import CashFlow
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.model.position import Position

__all__ = ["EquityCurve", "SessionRecord", "SessionRecorder"]


@dataclass(frozen=True, slots=True)
class EquityCurve:
    """Equity of the account at each bar time of a session, as columns of one length.

    Attributes:
        time_ns: When bars closed, int64 nanoseconds since 1970 UTC, ascending.
        cash: Cash at that time, float64.
        long_value: Value of the long positions, float64.
        short_value: Value of the short positions, zero or less, float64.
    """

    time_ns: NDArray[np.int64]
    cash: NDArray[np.float64]
    long_value: NDArray[np.float64]
    short_value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """Trading of the account in a session.

    Attributes:
        day: The session.
        accepted: How many orders were accepted.
        orders: Every order that changed, in its last state.
        fills: All fills, in the order in which they became known.
        flows: Dividends, costs of borrowing and the like.
        adjustments: Corporate actions on what was held when the session began.
        breaches: Margin calls and limits that were reached.
        positions: What is held at the end.
        curve: Equity by bar time.
        markets: The bars that orders filled in, by symbol.
        end_equity: Equity at the end of the session.
        without_bars: Held symbols that had no bars, with their last prices.
    """

    day: date
    accepted: int
    orders: Sequence[Order]
    fills: Sequence[Fill]
    flows: Sequence[CashFlow]
    adjustments: Sequence[Adjustment]
    breaches: Sequence[str]
    positions: Sequence[Position]
    curve: EquityCurve
    markets: Mapping[str, SymbolMarket]
    end_equity: float
    without_bars: Mapping[str, float]


class SessionRecorder:
    """Records the changes of an account over a session.

    Args:
        day: The session.
        account: The account, as it is when the session begins.
    """

    def __init__(self, day: date, account: Account) -> None:
        self.day = day
        self.accepted = 0
        self.orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.flows: list[CashFlow] = []
        self.adjustments: list[Adjustment] = []
        self.breaches: list[str] = []
        self.begin(account)

    def begin(self, account: Account) -> None:
        """Record the account at the start of the session, after all overnight changes."""
        self._cash: tuple[list[int], list[float]] = ([0], [account.cash])
        self._quantities: dict[str, tuple[list[int], list[float]]] = {
            symbol: ([0], [holding.quantity]) for symbol, holding in account.holdings.items()
        }
        self._multipliers = {symbol: holding.multiplier for symbol, holding in account.holdings.items()}
        self._prices_before = {symbol: holding.last_price for symbol, holding in account.holdings.items()}

    def filled(self, fill: Fill, account: Account, multiplier: float, now_ns: int) -> None:
        """Record a fill that the account has booked."""
        symbol = fill.symbol
        self.fills.append(fill)
        self._multipliers[symbol] = multiplier
        self._cash[0].append(now_ns)
        self._cash[1].append(account.cash)
        if (steps := self._quantities.get(symbol)) is None:
            steps = self._quantities[symbol] = ([0], [0.0])
        steps[0].append(now_ns)
        steps[1].append(account.quantity(symbol))

    def cash_changed(self, cash: float, now_ns: int) -> None:
        """Record the cash from now on."""
        self._cash[0].append(now_ns)
        self._cash[1].append(cash)

    def finished(
        self,
        account: Account,
        positions: Sequence[Position],
        markets: Mapping[str, SymbolMarket],
        times: NDArray[np.int64],
    ) -> SessionRecord:
        """Return the record of the session.

        Args:
            account: The account at the end.
            positions: What it holds.
            markets: The markets of the session.
            times: Bar times of the session's series, ascending.
        """
        own = [markets[symbol].end for symbol in self._quantities if symbol in markets]
        times = merged_times([times, *own])
        # A fill at the session's close becomes known after all bars if the last one has closed before.
        last_ns = times[-1] if len(times) else 0
        times = np.append(times, np.unique([t for t in self._cash[0] if t > last_ns]).astype(np.int64))
        longs, shorts = np.zeros(len(times)), np.zeros(len(times))
        for symbol, steps in self._quantities.items():
            value = _at(steps, times) * self._prices(symbol, markets.get(symbol), times) * self._multipliers[symbol]
            longs += np.maximum(value, 0.0)
            shorts += np.minimum(value, 0.0)
        without = {s: h.last_price for s, h in account.holdings.items() if s not in markets}
        curve = EquityCurve(times, _at(self._cash, times), longs, shorts)
        return SessionRecord(
            day=self.day,
            accepted=self.accepted,
            orders=tuple(self.orders.values()),
            fills=self.fills,
            flows=self.flows,
            adjustments=self.adjustments,
            breaches=self.breaches,
            positions=positions,
            curve=curve,
            markets=markets,
            end_equity=account.equity,
            without_bars=without,
        )

    def _prices(self, symbol: str, market: SymbolMarket | None, times: NDArray[np.int64]) -> NDArray[np.float64]:
        before = self._prices_before.get(symbol, 0.0)
        if market is None:
            return np.full(len(times), before)
        if len(market) == len(times) and (market.end == times).all():  # mostly symbols share their times
            return market.close
        return np.concatenate([[before], market.close])[market.end.searchsorted(times, side="right")]


def _at(steps: tuple[list[int], list[float]], times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the values of a step function at some times."""
    when, values = steps
    return np.array(values)[np.array(when).searchsorted(times, side="right") - 1]
