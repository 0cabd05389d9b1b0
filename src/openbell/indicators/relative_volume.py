"""Comparison with the same time of day in earlier sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.by_session import SESSION_GROUP, Sessions
from openbell.indicators.indicator import Lookback, Parameter
from openbell.indicators.registry import register

if TYPE_CHECKING:
    from openbell.indicators.indicator import Params
    from openbell.indicators.inputs import Column, IndicatorInputs


@register(
    "relative_volume",
    title="Volume against the same time of day in the last sessions",
    group=SESSION_GROUP,
    inputs=("volume",),
    parameters=[Parameter("sessions", 20, int, 1, 10_000, "complete sessions before this one")],
    lookback=lambda params: Lookback(bars=params["sessions"] + 1, sessions=params["sessions"]),
    session_aware=True,
    intraday_only=True,
    partial=True,
)
def relative_volume(inputs: IndicatorInputs, params: Params) -> Column:
    """Volume over the mean volume at the same time after the open in the last ``sessions`` sessions.

    1 is usual. A session without a bar at that time (no trade, or an early close) does not count; NaN where none of
    them has one, or none of them traded.
    """
    sessions = Sessions(inputs.session)
    window = params["sessions"]
    if len(sessions) <= window:
        return np.full(len(inputs), np.nan)
    times, slot = np.unique(inputs.offset_ns, return_inverse=True)
    volume = np.zeros((len(sessions), len(times)))
    bars = np.zeros(volume.shape)
    volume[sessions.of_row, slot] = inputs.volume
    bars[sessions.of_row, slot] = 1
    total = np.zeros((len(sessions) - window, len(times)))
    count = np.zeros(total.shape)
    # Added session by session and not as a difference of running sums: exact, and the same wherever the column begins.
    for first in range(window):
        total += volume[first : first + len(total)]
        count += bars[first : first + len(total)]
    usual = np.full(volume.shape, np.nan)
    np.divide(total, count, out=usual[window:], where=total > 0)
    value: Column = inputs.volume / usual[sessions.of_row, slot]
    return value
