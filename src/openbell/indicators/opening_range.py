"""Opening range, within which a session traded in its first minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.by_session import SESSION_GROUP, Sessions
from openbell.indicators.indicator import Lookback, Parameter
from openbell.indicators.registry import register

if TYPE_CHECKING:
    from openbell.indicators.indicator import Params
    from openbell.indicators.inputs import Column, IndicatorInputs

_NS_PER_MINUTE = 60_000_000_000


@register(
    "opening_range",
    title="Opening range",
    group=SESSION_GROUP,
    inputs=("high", "low"),
    outputs=("high", "low"),
    parameters=[Parameter("minutes", 30, int, 1, 1440, "minutes after the open")],
    lookback=lambda params: Lookback(bars=1, minutes=params["minutes"]),
    session_aware=True,
    intraday_only=True,
)
def opening_range(inputs: IndicatorInputs, params: Params) -> tuple[Column, Column]:
    """Highest high and lowest low of the first ``minutes`` minutes of the regular session.

    Not ready before those minutes are over, at the close of a bar; from then on the same to the session's end.
    NaN all day when no bar started in them. Source: Crabel, Day Trading with Short Term Price Patterns and Opening
    Range Breakout (1990).
    """
    length = params["minutes"] * _NS_PER_MINUTE
    within = (inputs.offset_ns >= 0) & (inputs.offset_ns < length)
    over = inputs.end_offset_ns >= length
    sessions = Sessions(inputs.session)
    high = sessions.accumulate(np.maximum, np.where(within, inputs.high, -np.inf))
    low = sessions.accumulate(np.minimum, np.where(within, inputs.low, np.inf))
    known = over & np.isfinite(high)
    return np.where(known, high, np.nan), np.where(known, low, np.nan)
