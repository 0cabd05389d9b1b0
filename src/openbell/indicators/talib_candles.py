"""TA-Lib's candles on prices in whole ticks, for which TA-Lib's running sums are exact."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.indicators.indicator import Kernel, Lookback, Params
    from openbell.indicators.inputs import Column, IndicatorInputs

__all__ = ["candle_kernel"]

_DIGITS = 13
"""Digits of a price in ticks, with which sums of about ten candles at a hundred times the price are exact."""

_RISE, _FALL = 50.0, 1e-3
"""The most and the least multiple of the price for which a tick was chosen that the tick is used for."""


def candle_kernel(function: Callable[..., Any], lookback: Callable[[Params], Lookback]) -> Kernel:
    """Return the kernel of a candle pattern, with 100, -100 or 0 at each row that is ready."""

    def kernel(bars: IndicatorInputs, params: Params) -> Column:
        prices = [bars.open, bars.high, bars.low, bars.close]
        length = lookback(params).bars
        value = np.full(len(bars), np.nan)
        begin = 0
        while begin < len(bars):
            end = _end_of_ticks(bars.open, begin)
            found = function(*_in_ticks(prices, begin, end), **params)
            value[begin + length - 1 : end] = found[length - 1 :]
            # Where the tick has just changed, each window is computed alone, with its own tick.
            for row in range(max(begin, length - 1), min(begin + length - 1, end) if begin else 0):
                value[row] = function(*_in_ticks(prices, row + 1 - length, row + 1), **params)[-1]
            begin = end
        return value

    return kernel


def _in_ticks(prices: list[Column], begin: int, end: int) -> list[Column]:
    """Return some rows of prices as whole numbers.

    A tick is a power of ten that gives the first price 13 digits: decimal prices become exact whole numbers, and a body
    that just equals a tenth of the usual range compares as equal.
    """
    first = abs(float(prices[0][begin]))
    ticks = 10.0 ** (_DIGITS - 1 - floor(log10(first)) if first else _DIGITS - 4)
    return [np.rint(column[begin:end] * ticks) for column in prices]


def _end_of_ticks(price: Column, begin: int) -> int:
    """Return the first row whose price is too far from that of row ``begin`` for the same tick."""
    size = np.abs(price[begin:])
    far = (size > _RISE * size[0]) | (size < _FALL * size[0])
    return begin + int(np.argmax(far)) if size[0] and far.any() else len(price)
