"""Measures of how much of a sweep's best point is luck.

Returns are fractions by session, with one column for each point. Sharpe ratios are per session, not annualised.
"""

from __future__ import annotations

from itertools import combinations
from math import comb, e, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from openbell.results.measures.unavailable import Number, Unavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "deflated_sharpe",
    "expected_best_sharpe",
    "overfitting_probability",
    "probabilistic_sharpe",
    "sharpe_ratios",
]

_EULER = 0.5772156649015329
_MOST_BLOCKS = 16
_LEAST_BLOCKS = 4
_SESSIONS_A_BLOCK = 2
_AT_ONCE = 4_000_000
"""The most ratios that are computed at once."""

_NO_SPREAD = 1e-14
_NORMAL = NormalDist()


def sharpe_ratios(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Sharpe ratio of each column, nan where returns do not vary."""
    spread = np.std(returns, axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > _NO_SPREAD, np.mean(returns, axis=0) / spread, np.nan)


def probabilistic_sharpe(sharpe: float, benchmark: float, sessions: int, skewness: float, kurtosis: float) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark.

    Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15 (2012).

    Args:
        sharpe: The measured ratio, per session.
        benchmark: The ratio to compare it with, per session.
        sessions: How many returns it was measured on.
        skewness: Skewness of the returns.
        kurtosis: Kurtosis of the returns, 3 for a normal distribution.
    """
    spread = sqrt(max(1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2, _NO_SPREAD))
    return _NORMAL.cdf((sharpe - benchmark) * sqrt(sessions - 1) / spread)


def expected_best_sharpe(variance: float, trials: int) -> float:
    """Return the expected Sharpe ratio of the best of many points without any skill.

    Args:
        variance: The variance of the ratios of all points.
        trials: How many points were tried, as if they were independent.
    """
    if trials < 2:
        return 0.0
    high = _NORMAL.inv_cdf(1 - 1 / trials)
    higher = _NORMAL.inv_cdf(1 - 1 / (trials * e))
    return sqrt(variance) * ((1 - _EULER) * high + _EULER * higher)


def deflated_sharpe(returns: NDArray[np.float64], ratios: NDArray[np.float64], trials: int) -> Number:
    """Return the probability that the true Sharpe ratio of the best of many points is above zero.

    Bailey and Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40 (2014). Trials count as
    independent. Those of a sweep are not quite, so that the result is rather too low.

    Args:
        returns: The returns of the best point.
        ratios: The Sharpe ratios of all points, nan where there is none.
        trials: How many points were tried; the number of known ratios counts if it is larger.
    """
    known = ratios[np.isfinite(ratios)]
    best = sharpe_ratios(returns[:, None])[0] if len(returns) >= 3 else np.nan
    if not np.isfinite(best):
        return Unavailable("it takes at least 3 sessions whose returns differ")
    if len(known) < 2:
        return Unavailable("it takes at least 2 points with a Sharpe ratio")
    centred = returns - returns.mean()
    spread = sqrt(float(np.mean(centred**2)))
    skewness, kurtosis = (float(np.mean(centred**n)) / spread**n for n in (3, 4))
    bar = expected_best_sharpe(float(np.var(known, ddof=1)), max(trials, len(known)))
    return probabilistic_sharpe(float(best), bar, len(returns), skewness, kurtosis)


def overfitting_probability(returns: NDArray[np.float64], blocks: int | None = None) -> Number:
    """Return the probability that the best point on half of the sessions is below the median on the others.

    Combinatorially symmetric cross-validation: sessions are cut into blocks in order, and every choice of half of the
    blocks is a half. Bailey, Borwein, Lopez de Prado and Zhu, "The Probability of Backtest Overfitting", Journal of
    Computational Finance 20 (2017).

    Args:
        returns: A row for each session and a column for each point.
        blocks: How many blocks, an even number; 16, or as many as have 2 sessions, unless given.
    """
    sessions = len(returns)
    count = min(_MOST_BLOCKS, sessions // _SESSIONS_A_BLOCK // 2 * 2) if blocks is None else blocks
    if count < _LEAST_BLOCKS:
        least = _LEAST_BLOCKS * _SESSIONS_A_BLOCK
        return Unavailable(f"it takes at least {least} sessions, and there are {sessions}")
    varied = np.isfinite(sharpe_ratios(returns))
    if varied.sum() < 2:
        return Unavailable("it takes at least 2 points whose returns vary")
    returns = returns[:, varied]
    sums, squares, sizes = _by_block(returns, count)
    halves = _halves(count)
    below = 0
    step = max(1, _AT_ONCE // returns.shape[1])
    for begin in range(0, len(halves), step):
        inside = halves[begin : begin + step]
        first, second = (_ratios(chosen, sums, squares, sizes) for chosen in (inside, 1 - inside))
        best = first.argmax(axis=1)
        ratio = second[np.arange(len(best)), best][:, None]
        # The rank begins at 1, with the mean rank for ties, and is divided by the number of points plus 1. A result of
        # at most 0.5 has log odds of zero or less.
        rank = (second < ratio).sum(axis=1) + ((second == ratio).sum(axis=1) + 1) / 2
        below += int(np.count_nonzero(rank / (returns.shape[1] + 1) <= 0.5))
    return below / len(halves)


def _by_block(
    returns: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return sums of returns, sums of their squares and numbers of sessions, by block."""
    parts = np.array_split(returns, count)
    return (
        np.array([part.sum(axis=0) for part in parts]),
        np.array([np.square(part).sum(axis=0) for part in parts]),
        np.array([len(part) for part in parts]),
    )


def _halves(count: int) -> NDArray[np.int64]:
    """Return every choice of half of the blocks as a row of ones and zeros."""
    found = np.zeros((comb(count, count // 2), count), np.int64)
    for row, chosen in enumerate(combinations(range(count), count // 2)):
        found[row, list(chosen)] = 1
    return found


def _ratios(
    chosen: NDArray[np.int64], sums: NDArray[np.float64], squares: NDArray[np.float64], sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the Sharpe ratio of each point over the blocks of each row, zero where returns do not vary."""
    size = (chosen @ sizes)[:, None]
    mean = chosen @ sums / size
    variance = np.maximum((chosen @ squares - size * mean**2) / (size - 1), 0.0)
    spread = np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 1e-9, mean / spread, 0.0)
