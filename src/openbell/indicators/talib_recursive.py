"""TA-Lib's recursive functions, computed without the running sums that TA-Lib keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.talib_averages import KAMA, WINDOWED_TYPES, average, quotient
from openbell.indicators.talib_module import talib_module
from openbell.indicators.talib_windowed import fast_k, together
from openbell.indicators.windows import deviations, lagged, sums

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from openbell.indicators.indicator import Params
    from openbell.indicators.inputs import Column

__all__ = ["RECURSIVE_OVER_WINDOWS"]

_RMA = 13
_FLAT_RSI = 1e-9
"""Range of the RSI (0 to 100) up to which it is only the rounding error of a price that stands still."""


def _macdext(close: Column, p: Params) -> tuple[Column, ...]:
    if not any(p[f"{line}matype"] in WINDOWED_TYPES for line in ("fast", "slow", "signal")):
        result: tuple[Column, ...] = talib_module().MACDEXT(close, **p)
        return result
    lines = sorted(((p[f"{line}period"], p[f"{line}matype"]) for line in ("fast", "slow")), key=lambda line: line[0])
    fast, slow = (average(close, *line) for line in lines)
    macd = fast - slow
    signal = average(macd, p["signalperiod"], p["signalmatype"])
    return together(macd, signal, macd - signal)


def _kdj(high: Column, low: Column, close: Column, p: Params) -> tuple[Column, ...]:
    k = average(fast_k(high, low, close, p["fastk_period"]), p["slowk_period"], p["slowk_matype"])
    d = average(k, p["slowd_period"], p["slowd_matype"])
    return together(k, d, 3 * k - 2 * d)


def _stochrsi(close: Column, p: Params) -> tuple[Column, ...]:
    rsi = talib_module().RSI(close, timeperiod=p["timeperiod"])
    fast = fast_k(rsi, rsi, rsi, p["fastk_period"], flat=_FLAT_RSI)
    return together(fast, average(fast, p["fastd_period"], p["fastd_matype"]))


def _massi(high: Column, low: Column, p: Params) -> Column:
    once = talib_module().EMA(high - low, timeperiod=p["fastperiod"])
    twice = talib_module().EMA(once, timeperiod=p["fastperiod"])
    return sums(quotient(once, twice, 1.0), p["slowperiod"])


def _rvi(close: Column, p: Params) -> Column:
    change = close - lagged(close, 1)
    deviation = deviations(close, p["stddevperiod"])
    deviation[np.isnan(change)] = np.nan
    up, down = (average(deviation * moved, p["timeperiod"], _RMA) for moved in (change > 0, change < 0))
    return 100 * quotient(up, up + down, 0.5)


def _adosc(high: Column, low: Column, close: Column, volume: Column, p: Params) -> Column:
    """Return the difference of two averages of the accumulation/distribution line, without adding up that line."""
    flow = quotient((close - low) - (high - close), high - low, 0.0) * volume
    value = _behind_running_sum(flow, p["fastperiod"]) - _behind_running_sum(flow, p["slowperiod"])
    value[: max(p["fastperiod"], p["slowperiod"]) - 1] = np.nan
    return value


def _behind_running_sum(steps: Column, period: int) -> Column:
    """Return the exponential average of the running sum of ``steps``, minus that sum."""
    # Average and sum begin equal, so the difference begins at 0.
    alpha = 2 / (period + 1)
    column = np.zeros(len(steps) + period - 1)
    column[period:] = steps[1:] * (1 - 1 / alpha)
    # TA-Lib begins with the mean of the first ``period`` rows, which are zeros here.
    result: Column = talib_module().EMA(column, timeperiod=period)[period - 1 :]
    return result


def _volume_index(counts: Callable[[Column, Column], NDArray[np.bool_]]) -> Callable[..., Column]:
    """Return the kernel of an index of the price changes on the bars that count.

    ``counts`` compares the volumes of bars with those of the bars before them.
    """

    def index(close: Column, volume: Column, _: Params) -> Column:
        steps = np.ones(len(close))
        # A product of ratios, because a sum of relative changes loses all digits when the price falls by orders of
        # magnitude.
        np.divide(close[1:], close[:-1], out=steps[1:], where=counts(volume[1:], volume[:-1]))
        value: Column = np.multiply.accumulate(steps)
        value *= 1000
        return value

    return index


RECURSIVE_OVER_WINDOWS: Mapping[str, Callable[..., Column | tuple[Column, ...]]] = {
    "ADOSC": _adosc,
    "KAMA": lambda close, p: average(close, p["timeperiod"], KAMA),
    "KDJ": _kdj,
    "MACDEXT": _macdext,
    "MASSI": _massi,
    "NVI": _volume_index(np.less),
    "PVI": _volume_index(np.greater),
    "RVI": _rvi,
    "STOCHRSI": _stochrsi,
}
"""Recursive functions of TA-Lib over windows, by name: ``(*columns, params) -> column or columns``."""
