"""TA-Lib's functions of sums of moves and of volumes, computed from each window alone.

See `talib_windowed` for the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.talib_averages import quotient
from openbell.indicators.talib_module import talib_module
from openbell.indicators.windows import lagged, mean_deviations, means, sums

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openbell.indicators.indicator import Params
    from openbell.indicators.inputs import Column

__all__ = ["SUMMED", "changes", "highest", "lowest"]

_ROUNDING = 4 * np.finfo(np.float64).eps
"""Rounding error of the mean of three prices, relative to the mean; smaller changes count as none."""


def changes(column: Column) -> Column:
    """Return the change of a column from the row before, NaN in the first row."""
    return column - lagged(column, 1)


def _true_range(high: Column, low: Column, close: Column) -> tuple[Column, Column]:
    """Return the true low and the true range, which include the close before."""
    before = lagged(close, 1)
    true_low = np.where(np.isnan(before), np.nan, np.minimum(low, before))
    return true_low, np.maximum(high, before) - true_low


def highest(column: Column, period: int) -> Column:
    """Return the highest of the last ``period`` rows."""
    result: Column = column if period == 1 else talib_module().MAX(column, timeperiod=period)
    return result


def lowest(column: Column, period: int) -> Column:
    """Return the lowest of the last ``period`` rows."""
    result: Column = column if period == 1 else talib_module().MIN(column, timeperiod=period)
    return result


def _cmou(close: Column, p: Params) -> Column:
    change = changes(close)
    net, moved = sums(change, p["timeperiod"]), sums(np.abs(change), p["timeperiod"])
    return 100 * quotient(net, moved, 0.0)


def _er(close: Column, p: Params) -> Column:
    period = p["timeperiod"]
    return quotient(np.abs(close - lagged(close, period)), sums(np.abs(changes(close)), period), 1.0)


def _vhf(close: Column, p: Params) -> Column:
    period = p["timeperiod"]
    width = highest(close, period) - lowest(close, period)
    return quotient(width, sums(np.abs(changes(close)), period), 0.0)


def _imi(opened: Column, close: Column, p: Params) -> Column:
    body = close - opened
    return 100 * quotient(sums(np.maximum(body, 0), p["timeperiod"]), sums(np.abs(body), p["timeperiod"]), 0.5)


def _ultosc(high: Column, low: Column, close: Column, p: Params) -> Column:
    true_low, true_range = _true_range(high, low, close)
    periods = sorted((p["timeperiod1"], p["timeperiod2"], p["timeperiod3"]))
    pressure = (quotient(sums(close - true_low, n), sums(true_range, n), 0.0) for n in periods)
    short, middle, long = pressure
    return 100 * (4 * short + 2 * middle + long) / 7


def _vortex(high: Column, low: Column, close: Column, p: Params) -> tuple[Column, Column]:
    ranges = sums(_true_range(high, low, close)[1], p["timeperiod"])
    up = sums(np.abs(high - lagged(low, 1)), p["timeperiod"])
    down = sums(np.abs(low - lagged(high, 1)), p["timeperiod"])
    return quotient(up, ranges, 0.0), quotient(down, ranges, 0.0)


def _cci(high: Column, low: Column, close: Column, p: Params) -> Column:
    typical = (high + low + close) / 3
    away = typical - means(typical, p["timeperiod"])
    usual = mean_deviations(typical, p["timeperiod"])
    usual[usual <= _ROUNDING * np.abs(typical)] = 0
    return quotient(away, 0.015 * usual, 0.0)


def _cmf(high: Column, low: Column, close: Column, volume: Column, p: Params) -> Column:
    share = quotient((close - low) - (high - close), high - low, 0.0)
    return quotient(sums(share * volume, p["timeperiod"]), sums(volume, p["timeperiod"]), 0.0)


def _mfi(high: Column, low: Column, close: Column, volume: Column, p: Params) -> Column:
    typical = (high + low + close) / 3
    change = changes(typical)
    change[np.abs(change) <= _ROUNDING * np.abs(typical)] = 0
    flow = np.where(np.isnan(change), np.nan, typical * volume)
    positive, negative = (sums(flow * moved, p["timeperiod"]) for moved in (change > 0, change < 0))
    return 100 * quotient(positive, positive + negative, 0.0)


def _rvol(volume: Column, p: Params) -> Column:
    return quotient(volume, means(lagged(volume, 1), p["timeperiod"]), np.nan)


SUMMED: Mapping[str, Callable[..., Column | tuple[Column, ...]]] = {
    "CMOU": _cmou,
    "ER": _er,
    "VHF": _vhf,
    "IMI": _imi,
    "ULTOSC": _ultosc,
    "VORTEX": _vortex,
    "CCI": _cci,
    "CMF": _cmf,
    "MFI": _mfi,
    "RVOL": _rvol,
}
"""The functions by name, as in `WINDOWED`."""
