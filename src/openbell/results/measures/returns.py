"""Return and risk of a series of returns per session.

Returns are shares, so that 0.01 is one percent. ``per_year`` is the number of sessions in a year of the calendar, by
which numbers are annualised. A rate is per session as well; `rate_of_session` makes it from one per year.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from openbell.results.measures.unavailable import Number, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

__all__ = [
    "cagr",
    "calmar",
    "drawdowns",
    "longest_drawdown_days",
    "max_drawdown",
    "rate_of_session",
    "session_returns",
    "sharpe",
    "sortino",
    "spread_of",
    "volatility",
]

_NO_SPREAD = 1e-14
"""Standard deviations up to this are noise of floating point."""


def session_returns(start_equity: float, equity: NDArray[np.float64]) -> NDArray[np.float64] | Unavailable:
    """Return the change of equity of each session as a share of the equity before it.

    Args:
        start_equity: Equity before the first session.
        equity: Equity at the end of each session.
    """
    before = np.concatenate(([start_equity], equity[:-1]))[: len(equity)]
    if len(before) and before.min() <= 0:
        return Unavailable("equity fell to zero or below, after which there are no returns")
    return equity / before - 1


def rate_of_session(rate_of_year: float, per_year: float) -> float:
    """Return the rate per session that compounds to a rate per year."""
    return float((1 + rate_of_year) ** (1 / per_year) - 1)


def cagr(start_equity: float, end_equity: float, sessions: int, per_year: float) -> Number:
    """Return the compound annual growth rate, ``(end / start) ** (per_year / sessions) - 1``.

    A year is ``per_year`` sessions and not 365 days, as in empyrical's ``annual_return`` and unlike Lean's "Compounding
    Annual Return": it is then the year by which volatility is annualised, and a run from Monday to Friday counts five
    sessions instead of four days.
    """
    if not sessions:
        return _too_few(sessions, 1)
    if end_equity <= 0:
        return Unavailable("equity ended at zero or below")
    with np.errstate(over="ignore"):
        rate = float(np.power(end_equity / start_equity, per_year / sessions) - 1)
    return rate if np.isfinite(rate) else Unavailable(f"the growth of {sessions} sessions is too large for a year's")


def volatility(returns: NDArray[np.float64], per_year: float) -> Number:
    """Return the annualised standard deviation, of a sample (``ddof=1``)."""
    if len(returns) < 2:
        return _too_few(len(returns), 2)
    return float(np.std(returns, ddof=1) * np.sqrt(per_year))


def sharpe(returns: NDArray[np.float64], per_year: float, rate: float = 0.0) -> Number:
    """Return the annualised Sharpe ratio, the mean excess return by its standard deviation.

    Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994).
    """
    excess = returns - rate
    spread = spread_of(excess, "returns")
    if isinstance(spread, Unavailable):
        return spread
    return float(np.mean(excess) / spread * np.sqrt(per_year))


def sortino(returns: NDArray[np.float64], per_year: float, rate: float = 0.0) -> Number:
    """Return the annualised Sortino ratio, the mean excess return by the downside deviation.

    The downside deviation is the root of the mean square of the shortfalls below the rate, a session above it
    counting as zero: Sortino and Price, "Performance Measurement in a Downside Risk Framework", Journal of Investing 3
    (1994), and empyrical. Libraries that take the standard deviation of the negative returns alone leave out how rare
    they were.
    """
    if len(returns) < 2:
        return _too_few(len(returns), 2)
    excess = returns - rate
    downside = float(np.sqrt(np.mean(np.square(np.minimum(excess, 0)))))
    if downside <= _NO_SPREAD:
        return Unavailable("no session returned less than the risk-free rate")
    return float(np.mean(excess) / downside * np.sqrt(per_year))


def drawdowns(start_equity: float, equity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far equity is below its highest so far, as shares of zero or less.

    The equity at the start is among the highest.
    """
    if not len(equity):
        return np.empty(0)
    highest = np.maximum(np.maximum.accumulate(equity), start_equity)
    return np.asarray(equity / highest - 1)


def max_drawdown(start_equity: float, equity: NDArray[np.float64]) -> Number:
    """Return the deepest drawdown at the end of a session, zero or less."""
    return float(drawdowns(start_equity, equity).min()) if len(equity) else _too_few(0, 1)


def longest_drawdown_days(start_equity: float, equity: NDArray[np.float64], days: Sequence[date]) -> int | Unavailable:
    """Return the calendar days of the longest time between a highest equity and the next one as high.

    After the last high, the time to the last session counts. The start counts as the first session.
    It need not be the time of the deepest drawdown.
    """
    if not len(equity):
        return _too_few(0, 1)
    # The start is a peak before the first session; the end of the run closes a drawdown that goes on.
    peaks = [-1, *np.flatnonzero(drawdowns(start_equity, equity) >= 0).tolist()]
    recovered = [(days[b] - days[max(a, 0)]).days for a, b in pairwise(peaks) if b - a > 1]
    return max(*recovered, (days[-1] - days[max(peaks[-1], 0)]).days, 0)


def calmar(growth: Number, drawdown: Number) -> Number:
    """Return the Calmar ratio, the compound annual growth rate by the deepest drawdown.

    Young, "Calmar Ratio: A Smoother Tool", Futures 20 (1991); over the whole run, not its last 36 months.
    """
    if isinstance(growth, Unavailable):
        return growth
    if isinstance(drawdown, Unavailable):
        return drawdown
    return growth / -drawdown if drawdown < 0 else Unavailable("no session ended below an earlier one")


def spread_of(values: NDArray[np.float64], what: str) -> Number:
    """Return the standard deviation of a sample, unavailable for less than two values or equal ones."""
    if len(values) < 2:
        return _too_few(len(values), 2)
    spread = float(np.std(values, ddof=1))
    return spread if spread > _NO_SPREAD else Unavailable(f"the {what} of all sessions are equal")


def _too_few(sessions: int, needed: int) -> Unavailable:
    had = "no session is over" if not sessions else f"there {'is' if sessions == 1 else 'are'} {sessions}"
    return Unavailable(f"it takes at least {needed} session{'s' * (needed > 1)}, and {had}")
