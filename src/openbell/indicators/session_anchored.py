"""Indicators that start anew at each session's open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.by_session import SESSION_GROUP, Sessions
from openbell.indicators.registry import register

if TYPE_CHECKING:
    from openbell.indicators.indicator import Params
    from openbell.indicators.inputs import Column, IndicatorInputs


@register(
    "vwap",
    title="Volume Weighted Average Price of the session",
    group=SESSION_GROUP,
    inputs=("high", "low", "close", "volume"),
    lookback=1,
    session_aware=True,
    intraday_only=True,
)
def vwap(inputs: IndicatorInputs, _params: Params) -> Column:
    """Sum of typical price x volume over sum of volume since the session's first bar.

    The typical price is (high + low + close) / 3; as long as no volume has traded, the value is its plain mean.
    Source: Berkowitz, Logue and Noser, The Total Cost of Transactions on the NYSE (1988).
    """
    sessions = Sessions(inputs.session)
    typical = (inputs.high + inputs.low + inputs.close) / 3
    traded = sessions.accumulate(np.add, inputs.volume)
    turnover = sessions.accumulate(np.add, typical * inputs.volume)
    value = np.divide(turnover, traded, out=np.empty_like(typical), where=traded > 0)
    untraded = traded <= 0
    if untraded.any():
        value[untraded] = _mean_so_far(sessions, typical)[untraded]
    return value


@register(
    "twap",
    title="Time Weighted Average Price of the session",
    group=SESSION_GROUP,
    inputs=("open", "high", "low", "close"),
    lookback=1,
    session_aware=True,
    intraday_only=True,
)
def twap(inputs: IndicatorInputs, _params: Params) -> Column:
    """Mean of (open + high + low + close) / 4 over the session's bars so far.

    Each bar counts the same.
    """
    return _mean_so_far(Sessions(inputs.session), (inputs.open + inputs.high + inputs.low + inputs.close) / 4)


@register(
    "session_high_low",
    title="High and low of the session so far",
    group=SESSION_GROUP,
    inputs=("high", "low"),
    outputs=("high", "low"),
    lookback=1,
    session_aware=True,
    intraday_only=True,
)
def session_high_low(inputs: IndicatorInputs, _params: Params) -> tuple[Column, Column]:
    """Highest high and lowest low since the session's first bar."""
    sessions = Sessions(inputs.session)
    return sessions.accumulate(np.maximum, inputs.high), sessions.accumulate(np.minimum, inputs.low)


def _mean_so_far(sessions: Sessions, column: Column) -> Column:
    bars = np.arange(1, len(column) + 1) - sessions.starts[sessions.of_row]
    mean: Column = sessions.accumulate(np.add, column) / bars
    return mean
