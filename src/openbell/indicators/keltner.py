"""Keltner's bands, beside TA-Lib's donchian, bbands, accbands and supertrend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.indicator import Parameter
from openbell.indicators.registry import register
from openbell.indicators.settling import ema_bars, wilder_bars
from openbell.indicators.talib_backed import talib_function

if TYPE_CHECKING:
    from openbell.indicators.indicator import Params
    from openbell.indicators.inputs import Column, IndicatorInputs


@register(
    "keltner",
    title="Keltner Channels (average of closes, Wilder's range)",
    group="Overlap Studies",
    inputs=("high", "low", "close"),
    outputs=("upperband", "middleband", "lowerband"),
    parameters=[
        Parameter("period", 20, int, 2, 100_000, "bars of the average of closes"),
        Parameter("atr_period", 10, int, 1, 100_000, "bars of the average true range"),
        Parameter("multiplier", 2.0, float, 0.0, None, "average true ranges from the middle to a band"),
    ],
    lookback=lambda params: max(params["period"], params["atr_period"] + 1),
    settling=lambda params, tolerance: max(
        ema_bars(params["period"], tolerance), wilder_bars(params["atr_period"], tolerance)
    ),
)
def keltner(inputs: IndicatorInputs, params: Params) -> tuple[Column, Column, Column]:
    """EMA(close, period) -/+ multiplier x ATR(atr_period).

    TA-Lib's ``kc`` is the older form around the average of typical prices. Source: Raschke's form of Keltner's
    channels, as on chartschool.stockcharts.com (Keltner Channels: 20, 2, 10).
    """
    middle = talib_function("EMA")(inputs.close, timeperiod=params["period"])
    width = params["multiplier"] * talib_function("ATR")(
        inputs.high, inputs.low, inputs.close, timeperiod=params["atr_period"]
    )
    # All three become ready together.
    middle = np.where(np.isnan(width), np.nan, middle)
    return middle + width, middle, middle - width
