"""Performance of a run that trades."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from openbell.model.cash_flow import CashFlowKind
from openbell.results.measures import relative, returns
from openbell.results.measures.unavailable import Number, Unavailable
from openbell.results.trades.trade_statistics import trade_statistics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from openbell.model.cash_flow import CashFlow
    from openbell.model.fill import Fill
    from openbell.model.json_object import JsonObject
    from openbell.model.trade import Trade
    from openbell.results.measures.equity import SessionEquity

__all__ = ["Performance", "performance"]

_OF_TRADES = (
    *("win_rate", "profit_factor", "expectancy"),
    *("average_win", "average_loss", "largest_win", "largest_loss"),
)
_NO_SESSION = Unavailable("no session is over")
_NO_BENCHMARK = Unavailable("no benchmark: name one in execution.benchmark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Numbers by which a run is judged.

    ``docs/performance.md`` has the definition of each and its source. Money is in the account's currency; shares are
    of 1, so that 0.01 is one percent. A number that cannot be computed is None, and ``unavailable`` has the reason.

    Attributes:
        start_equity: Equity before the first session.
        end_equity: Equity at the end of the last session.
        net_profit: The difference.
        total_return: Net profit as a share of the equity at the start.
        cagr: Compound annual growth rate.
        volatility: Annualised standard deviation of returns per session.
        sharpe: Annualised Sharpe ratio.
        sortino: Annualised Sortino ratio.
        calmar: Growth rate by deepest drawdown.
        max_drawdown: Deepest drawdown at the end of a session, zero or less.
        max_drawdown_days: Calendar days of the longest drawdown.
        exposure: Share of bar times at which a position was held.
        turnover: Mean of a session's traded value by its equity.
        orders: Orders that were accepted.
        rejected: Orders that were rejected.
        fills: Fills.
        trades: Trades that were closed.
        win_rate: Share of trades that won after fees.
        profit_factor: Profits of trades that won by losses of those that lost.
        expectancy: Mean profit of a trade.
        average_win: Mean profit of trades that won.
        average_loss: Mean loss of trades that lost, below zero.
        largest_win: Profit of the best trade.
        largest_loss: Loss of the worst trade, below zero.
        fees: Fees of all fills.
        slippage: Money lost to slippage, already in the prices.
        dividends: Dividends received less those paid.
        borrow: Cost of borrowing what was sold short.
        ambiguous_fills: Fills for which a bar touched two prices, and it is not known which came first.
        alpha: Jensen's alpha of a year.
        beta: Sensitivity to the benchmark.
        correlation: Correlation with the benchmark.
        information_ratio: Annualised mean difference from the benchmark by its standard deviation.
        unavailable: Reasons, by the name of the number that is None.
    """

    start_equity: float
    end_equity: float
    net_profit: float
    total_return: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float | None
    max_drawdown_days: float | None
    exposure: float | None
    turnover: float | None
    orders: int
    rejected: int
    fills: int
    trades: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    average_win: float | None
    average_loss: float | None
    largest_win: float | None
    largest_loss: float | None
    fees: float
    slippage: float
    dividends: float
    borrow: float
    ambiguous_fills: int
    alpha: float | None
    beta: float | None
    correlation: float | None
    information_ratio: float | None
    unavailable: Mapping[str, str]

    def _repr_html_(self) -> str:
        from openbell.results.result_html import performance_html

        return performance_html(self)

    def to_dict(self) -> JsonObject:
        """Return the object ``performance`` of ``summary.json``."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "unavailable": dict(self.unavailable)
        }


def performance(
    equity: SessionEquity,
    fills: Sequence[Fill],
    trades: Iterable[Trade],
    flows: Iterable[CashFlow] = (),
    *,
    orders: int,
    rejected: int,
    sessions_per_year: float,
    risk_free_rate: float = 0.0,
    benchmark: NDArray[np.float64] | None = None,
) -> Performance:
    """Compute the performance of a run.

    Args:
        equity: Equity by session.
        fills: All fills.
        trades: All trades that were closed.
        flows: Dividends and costs of borrowing.
        orders: Orders that were accepted.
        rejected: Orders that were rejected.
        sessions_per_year: Of the calendar, as `openbell.indicators.bars_per_year.bars_per_year` counts them.
        risk_free_rate: Per year, as a share.
        benchmark: The return of the benchmark in each session, NaN where it has none; None without a benchmark.
    """
    end_equity = float(equity.equity[-1]) if len(equity.equity) else equity.start_equity
    flows, closed = list(flows), trade_statistics(trades)
    numbers: dict[str, Number] = {
        **_return_and_risk(equity, end_equity, sessions_per_year, risk_free_rate),
        "exposure": _exposure(equity),
        "turnover": _turnover(equity),
        **{name: getattr(closed, name) for name in _OF_TRADES},
        **_against_benchmark(equity, benchmark, sessions_per_year, risk_free_rate),
    }
    return Performance(
        start_equity=equity.start_equity,
        end_equity=end_equity,
        net_profit=end_equity - equity.start_equity,
        total_return=end_equity / equity.start_equity - 1,
        orders=orders,
        rejected=rejected,
        fills=len(fills),
        trades=closed.trades,
        fees=fsum(fill.fee for fill in fills),
        slippage=fsum(fill.slippage for fill in fills),
        dividends=fsum(flow.amount for flow in flows if flow.kind is CashFlowKind.DIVIDEND),
        borrow=0.0 - fsum(flow.amount for flow in flows if flow.kind is CashFlowKind.BORROW),
        ambiguous_fills=sum(fill.ambiguous for fill in fills),
        **{name: None if isinstance(number, Unavailable) else number for name, number in numbers.items()},
        unavailable={name: number.reason for name, number in numbers.items() if isinstance(number, Unavailable)},
    )


def _return_and_risk(
    equity: SessionEquity, end_equity: float, per_year: float, risk_free_rate: float
) -> dict[str, Number]:
    growth = returns.cagr(equity.start_equity, end_equity, len(equity.days), per_year)
    drawdown = returns.max_drawdown(equity.start_equity, equity.equity)
    of_sessions = returns.session_returns(equity.start_equity, equity.equity)
    rate = returns.rate_of_session(risk_free_rate, per_year)
    ratios: dict[str, Number] = (
        dict.fromkeys(("volatility", "sharpe", "sortino"), of_sessions)
        if isinstance(of_sessions, Unavailable)
        else {
            "volatility": returns.volatility(of_sessions, per_year),
            "sharpe": returns.sharpe(of_sessions, per_year, rate),
            "sortino": returns.sortino(of_sessions, per_year, rate),
        }
    )
    return {
        "cagr": growth,
        **ratios,
        "calmar": returns.calmar(growth, drawdown),
        "max_drawdown": drawdown,
        "max_drawdown_days": returns.longest_drawdown_days(equity.start_equity, equity.equity, equity.days),
    }


def _exposure(equity: SessionEquity) -> Number:
    """Return the share of bar times at which a position was held, the "Exposure Time" of backtesting.py."""
    bar_times = int(equity.bar_times.sum())
    return float(equity.held_times.sum() / bar_times) if bar_times else Unavailable("no bar closed")


def _turnover(equity: SessionEquity) -> Number:
    """Return the mean over the sessions of traded value by equity, which is Lean's "Portfolio Turnover"."""
    if not len(equity.equity):
        return _NO_SESSION
    if equity.equity.min() <= 0:
        return Unavailable("equity fell to zero or below")
    return float(np.mean(equity.traded / equity.equity))


def _against_benchmark(
    equity: SessionEquity, benchmark: NDArray[np.float64] | None, per_year: float, risk_free_rate: float
) -> dict[str, Number]:
    """Return the numbers that compare with a benchmark, over the sessions in which it has a return."""
    names = ("alpha", "beta", "correlation", "information_ratio")
    if benchmark is None:
        return dict.fromkeys(names, _NO_BENCHMARK)
    of_sessions = returns.session_returns(equity.start_equity, equity.equity)
    if isinstance(of_sessions, Unavailable):
        return dict.fromkeys(names, of_sessions)
    known = np.isfinite(benchmark)
    if not known.any():
        return dict.fromkeys(names, Unavailable("the benchmark has no returns in these sessions"))
    own, other = of_sessions[known], benchmark[known]
    rate = returns.rate_of_session(risk_free_rate, per_year)
    return {
        "alpha": relative.alpha(own, other, per_year, rate),
        "beta": relative.beta(own, other),
        "correlation": relative.correlation(own, other),
        "information_ratio": relative.information_ratio(own, other, per_year),
    }
