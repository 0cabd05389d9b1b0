"""Indicators of activity over a number of bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.indicator import Parameter
from openbell.indicators.registry import register
from openbell.indicators.windows import deviations, means

if TYPE_CHECKING:
    from openbell.indicators.indicator import Params
    from openbell.indicators.inputs import Column, IndicatorInputs

_GROUP = "Activity Indicators"
_PERIOD = Parameter("period", 20, int, 1, 100_000, "bars")


@register(
    "avg_volume",
    title="Average volume",
    group=_GROUP,
    inputs=("volume",),
    parameters=[_PERIOD],
    lookback=lambda params: params["period"],
)
def avg_volume(inputs: IndicatorInputs, params: Params) -> Column:
    """Mean volume of the last ``period`` bars, on ``1d`` bars the average daily volume."""
    return means(inputs.volume, params["period"])


@register(
    "avg_range",
    title="Average range",
    group=_GROUP,
    inputs=("high", "low"),
    parameters=[_PERIOD],
    lookback=lambda params: params["period"],
)
def avg_range(inputs: IndicatorInputs, params: Params) -> Column:
    """Mean of high - low over the last ``period`` bars, in the currency of the price."""
    return means(inputs.high - inputs.low, params["period"])


@register(
    "volume_ratio",
    title="Volume against the bars before",
    group=_GROUP,
    inputs=("volume",),
    parameters=[_PERIOD],
    lookback=lambda params: params["period"] + 1,
    partial=True,
)
def volume_ratio(inputs: IndicatorInputs, params: Params) -> Column:
    """Volume of the bar over the mean volume of the ``period`` bars before it.

    NaN where none of them traded.
    """
    return _against_mean_before(inputs.volume, params["period"])


@register(
    "range_ratio",
    title="Range against the bars before",
    group=_GROUP,
    inputs=("high", "low"),
    parameters=[_PERIOD],
    lookback=lambda params: params["period"] + 1,
    partial=True,
)
def range_ratio(inputs: IndicatorInputs, params: Params) -> Column:
    """Range of the bar (high - low) over the mean range of the ``period`` bars before it.

    NaN where none of them moved.
    """
    return _against_mean_before(inputs.high - inputs.low, params["period"])


@register(
    "histvol",
    title="Historical volatility",
    group="Volatility Indicators",
    inputs=("close",),
    parameters=[
        Parameter("period", 20, int, 2, 100_000, "returns"),
        Parameter("annual", 0.0, float, 0.0, None, "returns in a year; 0: as many as the calendar has bars"),
    ],
    lookback=lambda params: params["period"] + 1,
    annualised=True,
    positive_prices=True,
)
def histvol(inputs: IndicatorInputs, params: Params) -> Column:
    """Annualised standard deviation of the last ``period`` logarithmic returns, in percent.

    100 x sqrt(returns in a year) x the sample deviation (divided by ``period - 1``) of ln(close / close before). The
    returns in a year are those of the exchange's calendar: sessions in a year times bars of the interval
    in a usual session (XNYS: 252 of 1d, 252 x 78 of 5m; 24/7: 365 of 1d), unless ``annual`` gives them.
    Source: Hull, Options, Futures, and Other Derivatives, estimating volatility from historical data.
    """
    period = params["period"]
    value = np.full(len(inputs), np.nan)
    if len(inputs) > period:
        returns = np.log(inputs.close[1:] / inputs.close[:-1])
        of_sample = np.sqrt(period / (period - 1) * (params["annual"] or inputs.bars_per_year))
        value[1:] = 100 * of_sample * deviations(returns, period)
    return value


def _against_mean_before(column: Column, period: int) -> Column:
    value = np.full(len(column), np.nan)
    if len(column) > period:
        before = means(column, period)[:-1]
        np.divide(column[1:], before, out=value[1:], where=before > 0)
    return value
