"""Measures of returns against those of a benchmark.

Both are returns per session, of the same sessions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.results.measures.returns import spread_of
from openbell.results.measures.unavailable import Number, Unavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["alpha", "beta", "correlation", "information_ratio"]


def beta(returns: NDArray[np.float64], benchmark: NDArray[np.float64]) -> Number:
    """Return the covariance with the benchmark by the variance of the benchmark."""
    spread = spread_of(benchmark, "returns of the benchmark")
    if isinstance(spread, Unavailable):
        return spread
    return float(np.cov(returns, benchmark)[0, 1] / np.var(benchmark, ddof=1))


def alpha(returns: NDArray[np.float64], benchmark: NDArray[np.float64], per_year: float, rate: float = 0.0) -> Number:
    """Return Jensen's alpha, the mean return that beta does not explain, compounded to a year.

    Jensen, "The Performance of Mutual Funds in the Period 1945-1964", Journal of Finance 23 (1968); compounded as in
    empyrical, where others multiply by the sessions of a year.
    """
    slope = beta(returns, benchmark)
    if isinstance(slope, Unavailable):
        return slope
    unexplained = float(np.mean((returns - rate) - slope * (benchmark - rate)))
    with np.errstate(over="ignore"):
        of_year = float(np.power(1 + unexplained, per_year) - 1)
    return of_year if np.isfinite(of_year) else Unavailable("it is too large for a year's")


def correlation(returns: NDArray[np.float64], benchmark: NDArray[np.float64]) -> Number:
    """Return Pearson's coefficient of correlation."""
    for values, what in ((benchmark, "returns of the benchmark"), (returns, "returns")):
        spread = spread_of(values, what)
        if isinstance(spread, Unavailable):
            return spread
    return float(np.clip(np.corrcoef(returns, benchmark)[0, 1], -1, 1))


def information_ratio(returns: NDArray[np.float64], benchmark: NDArray[np.float64], per_year: float) -> Number:
    """Return the annualised mean difference from the benchmark by its standard deviation, the tracking error.

    Grinold and Kahn, "Active Portfolio Management" (1999). Empyrical's ``excess_sharpe`` is the same, not annualised.
    """
    active = returns - benchmark
    spread = spread_of(active, "differences from the benchmark")
    if isinstance(spread, Unavailable):
        return spread
    return float(np.mean(active) / spread * np.sqrt(per_year))
