"""Swing points, known only when they are confirmed: swing_high, swing_low."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.indicator import Column, Parameter, Params
from openbell.indicators.registry import register
from openbell.indicators.talib_backed import talib_function

if TYPE_CHECKING:
    from openbell.indicators.inputs import IndicatorInputs

_GROUP = "Swing Points"
_PERIOD = Parameter("period", 5, int, 1, 10_000, "bars on each side that the swing must exceed")


def _lookback(params: Params) -> int:
    return 2 * int(params["period"]) + 1


def _settling(params: Params, _tolerance: float) -> int:
    """Two runs are one from the first common swing on; the longest wait seen was ... windows."""
    return 20 * _lookback(params)


@register(
    "swing_high",
    title="Last confirmed swing high",
    group=_GROUP,
    inputs=("high", "low"),
    parameters=[_PERIOD],
    lookback=_lookback,
    settling=_settling,
    sparse=True,
)
def swing_high(inputs: IndicatorInputs, params: Params) -> Column:
    """The high of the last bar that exceeds the highs of ``period`` bars before and after it, from its confirmation on.

    It is confirmed at the close of the last of the bars after it, and stands until the next one is; NaN until the
    first. Source: Williams, Trading Chaos (1995), fractals, with TA-Lib's FRACTAL.
    """
    return _last_confirmed(inputs, inputs.high, params["period"], output=0)


@register(
    "swing_low",
    title="Last confirmed swing low",
    group=_GROUP,
    inputs=("high", "low"),
    parameters=[_PERIOD],
    lookback=_lookback,
    settling=_settling,
    sparse=True,
)
def swing_low(inputs: IndicatorInputs, params: Params) -> Column:
    """The low of the last bar below the lows of ``period`` bars before and after it, from its confirmation on."""
    return _last_confirmed(inputs, inputs.low, params["period"], output=1)


def _last_confirmed(inputs: IndicatorInputs, price: Column, period: int, output: int) -> Column:
    """``price`` at the last swing that FRACTAL has confirmed by each row."""
    confirmed = talib_function("FRACTAL")(inputs.high, inputs.low, leftbars=period, rightbars=period)[output] != 0
    rows = np.where(confirmed, np.arange(len(price)) - period, -1)
    last = np.maximum.accumulate(rows)
    return np.where(last >= 0, price[last], np.nan)
