"""Memory of recursive indicators, in bars, for a relative tolerance.

A recursive average keeps ``1 - alpha`` of its past at each bar, so that of its starting value ``(1 - alpha) ** bars``
is left. For a cascade of k such averages, the share that is left is the probability that fewer than k of ``bars``
trials with probability alpha succeed: each success passes the memory on to the next stage, and the last stage drops it.
"""

from __future__ import annotations

from math import ceil, comb, log

__all__ = ["OSCILLATOR", "ema_bars", "forgetting_bars", "wilder_bars"]

OSCILLATOR = 0.01
"""Factor of the tolerance for the averages that an oscillator is made of. As a difference, a ratio or an average of
columns that jump (ranges, volumes), an oscillator may start at a hundred times its usual size; an average of prices
cannot."""


def forgetting_bars(alpha: float, tolerance: float, stages: int = 1) -> int:
    """Return the bars until at most ``tolerance`` of the start is left in recursive averages.

    Args:
        alpha: The smoothing factor of each average.
        tolerance: The share of the start that may be left.
        stages: How many averages follow one another.
    """
    if alpha >= 1:
        return 0
    if stages == 1:
        return ceil(log(tolerance) / log(1 - alpha))

    def left(bars: int) -> float:
        return sum(comb(bars, k) * alpha**k * (1 - alpha) ** (bars - k) for k in range(min(stages, bars + 1)))

    few, many = 0, 1
    while left(many) > tolerance:
        few, many = many, many * 2
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if left(middle) > tolerance else (few, middle)
    return many


def ema_bars(period: int, tolerance: float, stages: int = 1) -> int:
    """Return the settling length of exponential averages, whose alpha is 2 / (period + 1)."""
    return forgetting_bars(2 / (period + 1), tolerance, stages)


def wilder_bars(period: int, tolerance: float, stages: int = 1) -> int:
    """Return the settling length of Wilder's averages, whose alpha is 1 / period."""
    return forgetting_bars(1 / period, tolerance, stages)
