"""Swing points, known only when they are confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.by_session import rolling
from openbell.indicators.indicator import Parameter
from openbell.indicators.registry import register
from openbell.indicators.talib_backed import talib_function

if TYPE_CHECKING:
    from openbell.indicators.indicator import Params
    from openbell.indicators.inputs import Column, IndicatorInputs

_GROUP = "Swing Points"
_PERIOD = Parameter("period", 5, int, 1, 10_000, "bars on each side that the swing must exceed")


def _lookback(params: Params) -> int:
    return 2 * int(params["period"]) + 1


def _settling(params: Params, _tolerance: float) -> int:
    # Two computations agree from their first common swing on; the longest wait seen on random walks was 7 windows.
    return 15 * _lookback(params)


@register(
    "swing_high",
    title="Last confirmed swing high",
    group=_GROUP,
    inputs=("high",),
    parameters=[_PERIOD],
    lookback=_lookback,
    settling=_settling,
    sparse=True,
)
def swing_high(inputs: IndicatorInputs, params: Params) -> Column:
    """High of the last bar above its neighbours on both sides.

    None of the ``period`` bars before it is higher, and all of those after it are lower. It is confirmed at the
    close of the last of the bars after it, and stands until the next one is; NaN until the first. Of neighbours
    with the same high the last one counts. Source: Williams, Trading Chaos (1995), fractals; TA-Lib's ``fractal``
    marks those without equal neighbours.
    """
    return _last_confirmed(inputs.high, params["period"])


@register(
    "swing_low",
    title="Last confirmed swing low",
    group=_GROUP,
    inputs=("low",),
    parameters=[_PERIOD],
    lookback=_lookback,
    settling=_settling,
    sparse=True,
)
def swing_low(inputs: IndicatorInputs, params: Params) -> Column:
    """Low of the last bar below its neighbours on both sides.

    None of the ``period`` bars before it is lower, and all of those after it are higher. Otherwise as `swing_high`.
    """
    return -_last_confirmed(-inputs.low, params["period"])


def _last_confirmed(price: Column, period: int) -> Column:
    """Return per row the last price that is confirmed as the greatest among its neighbours."""
    greatest = talib_function("MAX")
    candidate = np.concatenate([np.full(period, np.nan), price])[: len(price)]
    of_window = greatest(price, timeperiod=2 * period + 1)
    after = rolling(greatest, price, period)
    confirmed = (candidate >= of_window) & (candidate > after)
    last = np.maximum.accumulate(np.where(confirmed, np.arange(len(price)) - period, -1))
    return np.where(last >= 0, price[last], np.nan)
