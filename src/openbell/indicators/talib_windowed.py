"""TA-Lib's functions over windows, computed from each window alone.

TA-Lib adds to a running sum what enters a window and subtracts what leaves it. After a stretch without trades, one
absurd volume or a fall of the price by orders of magnitude, little is left in the sum but rounding errors of the values
that have left. The definitions are TA-Lib's (https://ta-lib.org/functions/), and so are the values where a denominator
is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.inputs import Column
from openbell.indicators.talib_averages import HMA, SMA, TRIMA, WMA, average, quotient
from openbell.indicators.talib_summed import SUMMED, changes, highest, lowest
from openbell.indicators.windows import (
    comoments,
    deviations,
    lagged,
    mean_deviations,
    means,
    moments,
    sums,
    trends,
)

if TYPE_CHECKING:
    from openbell.indicators.indicator import Params

__all__ = ["WINDOWED", "fast_k", "together"]

Windowed = Callable[..., Column | tuple[Column, ...]]


def together(*columns: Column) -> tuple[Column, ...]:
    """Return the columns, NaN in the rows in which one is not ready."""
    unready = np.isnan(columns[0])
    for column in columns[1:]:
        unready |= np.isnan(column)
    return tuple(np.where(unready, np.nan, column) for column in columns)


# Averages


def _ma(close: Column, p: Params) -> Column:
    return average(close, p["timeperiod"], p["matype"])


def _mavp(close: Column, periods: Column, p: Params) -> Column:
    """Return averages whose period, in whole bars, is each row's own."""
    longest = average(close, p["maxperiod"], p["matype"])
    wanted = np.clip(np.nan_to_num(periods), p["minperiod"], p["maxperiod"]).astype(np.int64)
    value = np.full(len(close), np.nan)
    for period in np.unique(wanted).tolist():
        rows = wanted == period
        value[rows] = average(close, period, p["matype"])[rows]
    return np.where(np.isnan(longest) | np.isnan(periods), np.nan, value)


def _accbands(high: Column, low: Column, close: Column, p: Params) -> tuple[Column, ...]:
    width = 4 * quotient(high - low, high + low, 0.0)
    period = p["timeperiod"]
    return means(high * (1 + width), period), means(close, period), means(low * (1 - width), period)


def _bbands(close: Column, p: Params) -> tuple[Column, ...]:
    mean, squares = moments(close, p["timeperiod"])
    basis = mean if p["matype"] == SMA else average(close, p["timeperiod"], p["matype"])
    middle, deviation = together(basis, np.sqrt(squares / p["timeperiod"]))
    return middle + p["nbdevup"] * deviation, middle, middle - p["nbdevdn"] * deviation


def _vwma(close: Column, volume: Column, p: Params) -> Column:
    return quotient(sums(close * volume, p["timeperiod"]), sums(volume, p["timeperiod"]), np.nan)


def _dpo(close: Column, p: Params) -> Column:
    return lagged(close, p["timeperiod"] // 2 + 1) - means(close, p["timeperiod"])


# Statistics


def _var(close: Column, p: Params) -> Column:
    return np.asarray(moments(close, p["timeperiod"])[1] / p["timeperiod"])


def _stddev(close: Column, p: Params) -> Column:
    return np.asarray(deviations(close, p["timeperiod"]) * p["nbdev"])


def _correl(high: Column, low: Column, p: Params) -> Column:
    found = comoments(high, low, p["timeperiod"])
    return quotient(found.xy, np.sqrt(found.xx) * np.sqrt(found.yy), 0.0)


def _beta(high: Column, low: Column, p: Params) -> Column:
    x, y = (quotient(changes(column), lagged(column, 1), 0.0) for column in (high, low))
    found = comoments(x, y, p["timeperiod"])
    return quotient(found.xy, found.xx, 0.0)


def _line(close: Column, period: int) -> tuple[Column, Column]:
    """Return the mean and the slope of the line through the window."""
    mean, trend = trends(close, period)
    return mean, trend / (period * (period * period - 1) / 12)


def _linear(at: Callable[[Column, Column, int], Column]) -> Windowed:
    """Return the kernel of ``at``, a function of mean, slope and period of the line through the window."""

    def kernel(close: Column, p: Params) -> Column:
        return at(*_line(close, p["timeperiod"]), p["timeperiod"])

    return kernel


def _fosc(close: Column, p: Params) -> Column:
    period = p["timeperiod"]
    mean, slope = _line(close, period)
    return 100 * quotient(close - lagged(mean + slope * ((period + 1) / 2), 1), close, 0.0)


# Oscillators of averages of chosen types


def _ao(high: Column, low: Column, p: Params) -> Column:
    middle = (high + low) / 2
    return means(middle, p["fastperiod"]) - means(middle, p["slowperiod"])


def _ac(high: Column, low: Column, p: Params) -> Column:
    awesome = _ao(high, low, p)
    return awesome - means(awesome, p["signalperiod"])


def _two_averages(column: Column, p: Params) -> tuple[Column, Column]:
    fast, slow = sorted((p["fastperiod"], p["slowperiod"]))
    return average(column, fast, p["matype"]), average(column, slow, p["matype"])


def _apo(close: Column, p: Params) -> Column:
    fast, slow = _two_averages(close, p)
    return fast - slow


def _ppo(column: Column, p: Params) -> Column:
    fast, slow = _two_averages(column, p)
    return 100 * quotient(fast - slow, slow, 0.0)


def _coppock(close: Column, p: Params) -> Column:
    short, long = (
        100 * quotient(close - lagged(close, n), lagged(close, n), 0.0) for n in (p["roc1period"], p["roc2period"])
    )
    return average(short + long, p["wmaperiod"], WMA)


# Stochastics


def fast_k(high: Column, low: Column, close: Column, period: int, flat: float = 0.0) -> Column:
    """Return the place of the close between lowest low and highest high, in percent.

    It is 0 where that range is not wider than ``flat``.
    """
    bottom = lowest(low, period)
    width = highest(high, period) - bottom
    width[width <= flat] = 0
    return 100 * quotient(close - bottom, width, 0.0)


def _stochf(high: Column, low: Column, close: Column, p: Params) -> tuple[Column, ...]:
    fast = fast_k(high, low, close, p["fastk_period"])
    return together(fast, average(fast, p["fastd_period"], p["fastd_matype"]))


def _stoch(high: Column, low: Column, close: Column, p: Params) -> tuple[Column, ...]:
    slow = average(fast_k(high, low, close, p["fastk_period"]), p["slowk_period"], p["slowk_matype"])
    return together(slow, average(slow, p["slowd_period"], p["slowd_matype"]))


WINDOWED: Mapping[str, Windowed] = {
    "SMA": lambda close, p: means(close, p["timeperiod"]),
    "SUM": lambda close, p: sums(close, p["timeperiod"]),
    "WMA": lambda close, p: average(close, p["timeperiod"], WMA),
    "TRIMA": lambda close, p: average(close, p["timeperiod"], TRIMA),
    "HMA": lambda close, p: average(close, p["timeperiod"], HMA),
    "MA": _ma,
    "MAVP": _mavp,
    "ACCBANDS": _accbands,
    "BBANDS": _bbands,
    "VWMA": _vwma,
    "DPO": _dpo,
    "VAR": _var,
    "STDDEV": _stddev,
    "AVGDEV": lambda close, p: mean_deviations(close, p["timeperiod"]),
    "CORREL": _correl,
    "BETA": _beta,
    "LINEARREG": _linear(lambda mean, slope, n: mean + slope * ((n - 1) / 2)),
    "LINEARREG_INTERCEPT": _linear(lambda mean, slope, n: mean - slope * ((n - 1) / 2)),
    "LINEARREG_SLOPE": _linear(lambda _mean, slope, _n: slope),
    "LINEARREG_ANGLE": _linear(lambda _mean, slope, _n: np.asarray(np.degrees(np.arctan(slope)))),
    "TSF": _linear(lambda mean, slope, n: mean + slope * ((n + 1) / 2)),
    "FOSC": _fosc,
    "AO": _ao,
    "AC": _ac,
    "ADR": lambda high, low, p: means(high - low, p["timeperiod"]),
    "QSTICK": lambda opened, close, p: means(close - opened, p["timeperiod"]),
    "APO": _apo,
    "PPO": _ppo,
    "PVO": _ppo,
    "COPPOCK": _coppock,
    "STOCH": _stoch,
    "STOCHF": _stochf,
    **SUMMED,
}
"""Functions of TA-Lib over windows, by name: ``(*columns, params) -> column or columns``."""
