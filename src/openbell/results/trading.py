"""Trading of a session, and of a run as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING

from openbell.model.order import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.model.cash_flow import CashFlow
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.model.position import Position
    from openbell.model.trade import Trade
    from openbell.results.measures.breakdown import Earnings
    from openbell.results.measures.equity import EquityColumns
    from openbell.results.measures.performance import Performance

__all__ = ["DayTrading", "RunTrading"]


@dataclass(frozen=True, eq=False, kw_only=True)
class DayTrading:
    """Trading of one session, with the account at its end.

    Attributes:
        start_equity: Equity at the end of the session before.
        end_equity: Equity at the end of this session.
        accepted: Orders that were accepted in it.
        orders: Every order that changed in it, in its last state.
        fills: Its fills, in order.
        trades: Trades that it closed.
        flows: Dividends, cash for fractions and costs of borrowing.
        positions: What is held at its end.
        equity: Equity by bar time.
        without_bars: Last prices of what is held and had no bars in it, by symbol.
        breaches: Margin calls and limits that were reached.
    """

    start_equity: float
    end_equity: float
    accepted: int
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    trades: tuple[Trade, ...]
    flows: tuple[CashFlow, ...]
    positions: tuple[Position, ...]
    equity: EquityColumns
    without_bars: Mapping[str, float] = field(default_factory=dict)
    breaches: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<DayTrading: equity {self.end_equity:,.2f}, {len(self.fills)} fills, {len(self.trades)} trades>"

    @property
    def pnl(self) -> float:
        """The change of equity."""
        return self.end_equity - self.start_equity

    @property
    def fees(self) -> float:
        """The fees of all fills."""
        return fsum(fill.fee for fill in self.fills)

    @property
    def rejected(self) -> tuple[Order, ...]:
        """The orders that were rejected."""
        return tuple(order for order in self.orders if order.status is OrderStatus.REJECTED)


@dataclass(frozen=True, eq=False, kw_only=True)
class RunTrading:
    """Trading of a run.

    Attributes:
        performance: Its numbers.
        by_symbol: What each symbol earned; they add up to the net profit.
        by_strategy: What each strategy earned by its own fills, without dividends and costs of borrowing.
        by_tag: What the trades of each label earned.
    """

    performance: Performance
    by_symbol: Mapping[str, Earnings]
    by_strategy: Mapping[str, Earnings]
    by_tag: Mapping[str, Earnings]
