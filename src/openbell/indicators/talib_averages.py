"""TA-Lib's moving averages by their types, and quotients of columns."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.talib_cycles import mama
from openbell.indicators.talib_module import talib_module
from openbell.indicators.windows import first_number, lagged, means, sums, trends

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openbell.indicators.inputs import Column

__all__ = ["DEFAULT_TYPE", "HMA", "KAMA", "SMA", "TRIMA", "WINDOWED_TYPES", "WMA", "average", "quotient"]

DEFAULT_TYPE = 11
"""TA-Lib's number of a moving-average type that stands for the function's default type."""

SMA, WMA, TRIMA, KAMA, _MAMA, HMA = 0, 2, 5, 6, 7, 9


def average(column: Column, period: int, matype: int) -> Column:
    """Return a moving average of one of TA-Lib's types."""
    if period == 1:
        return column
    windowed = _AVERAGES.get(matype)
    if windowed is not None:
        return windowed(column, period)
    result: Column = talib_module().MA(column, timeperiod=period, matype=matype)
    return result


def _wma(column: Column, period: int) -> Column:
    mean, trend = trends(column, period)
    return mean + trend / (period * (period + 1) / 2)


def _trima(column: Column, period: int) -> Column:
    return means(means(column, (period + 1) // 2), period // 2 + 1)


def _hma(column: Column, period: int) -> Column:
    return _wma(2 * _wma(column, max(period // 2, 1)) - _wma(column, period), isqrt(period))


def _kama(column: Column, period: int) -> Column:
    """Return Kaufman's adaptive average, which follows direct moves faster than noise."""
    moved = sums(np.abs(column - lagged(column, 1)), period)
    efficiency = quotient(np.abs(column - lagged(column, period)), moved, 1.0)
    fast, slow = 2 / 3, 2 / 31
    shares = (np.minimum(efficiency, 1.0) * (fast - slow) + slow) ** 2
    value = np.full(len(column), np.nan)
    begin = first_number(column) + period
    if len(column) > begin:
        last = float(column[begin - 1])
        rows = []
        # A loop, because each value depends on the one before, for which NumPy has no function.
        for price, share in zip(column[begin:].tolist(), shares[begin:].tolist(), strict=True):
            last += (price - last) * share
            rows.append(last)
        value[begin:] = rows
    return value


WINDOWED_TYPES = frozenset({SMA, WMA, TRIMA, KAMA, _MAMA, HMA})
"""The types of moving averages that openbell computes itself."""

_AVERAGES: Mapping[int, Callable[[Column, int], Column]] = {
    SMA: means,
    WMA: _wma,
    TRIMA: _trima,
    KAMA: _kama,
    _MAMA: lambda column, _period: mama(column, 0.5, 0.05)[0],
    HMA: _hma,
}


def quotient(numerator: Column, denominator: Column, otherwise: float) -> Column:
    """Return the quotient, and ``otherwise`` where the denominator is 0."""
    zero = denominator == 0
    if not zero.any():
        return np.asarray(numerator / denominator)
    missing = np.isnan(numerator) | np.isnan(denominator)
    result = np.where(missing, np.nan, otherwise)
    np.divide(numerator, denominator, out=result, where=~(zero | missing))
    return result
