"""Findings about spikes, prices far from those of both neighbours."""

from __future__ import annotations

from math import expm1
from typing import TYPE_CHECKING

import numpy as np

from openbell.quality.finding import Finding
from openbell.quality.series import local_median, true_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.model.bars import Bars
    from openbell.model.interval import Interval
    from openbell.quality.series import Series

__all__ = ["TIMES_USUAL", "leap_floor", "spike_rows", "spikes"]

TIMES_USUAL = 5.0
"""The smallest leap that counts, as a multiple of the usual range of the bars around it."""


def leap_floor(interval: Interval) -> float:
    """Return the smallest leap that counts, 0.5 % within a session and 5 % between sessions."""
    return 0.005 if interval.is_intraday else 0.05


def spikes(series: Series) -> list[Finding]:
    """Return a finding for each bar that `spike_rows` finds."""
    bars = series.bars
    found = []
    for row, leap, usual in zip(*spike_rows(bars, series.interval), strict=True):
        side, price = ("high", bars.high[row]) if leap > 0 else ("low", bars.low[row])
        text = f"the {side} {price:g} is {100 * abs(expm1(leap)):.1f} % away from both neighbours"
        text += f", {abs(leap) / usual:.0f} times the usual range" if usual else ""
        at = bars.timestamp[row : row + 1]
        found.append(Finding("spike", "doubt", int(at[0]), int(bars.end[row]), 1, text, at))
    return found


def spike_rows(bars: Bars, interval: Interval) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Find bars whose high or low is improbably far from those of both neighbours.

    The distance is ln(price / nearer neighbour's price). It counts when it is at least `leap_floor`, and at least
    `TIMES_USUAL` times the median true range of the 41 bars around it. The first and the last bar are not judged.

    Returns:
        The rows, the distances (negative for lows) and the median ranges.
    """
    nothing = np.empty(0, np.intp), np.empty(0), np.empty(0)
    if len(bars) < 3:
        return nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.log(bars.high[1:-1] / np.maximum(bars.high[:-2], bars.high[2:]))
        down = np.log(np.minimum(bars.low[:-2], bars.low[2:]) / bars.low[1:-1])
    leap = np.nan_to_num(np.where(up >= down, up, -down), nan=0.0, posinf=10.0, neginf=-10.0)
    rows = np.flatnonzero(np.abs(leap) >= leap_floor(interval)) + 1
    if not len(rows):
        return nothing
    usual = local_median(true_range(bars), rows)
    unlikely = np.abs(leap[rows - 1]) >= TIMES_USUAL * usual
    return rows[unlikely], leap[rows - 1][unlikely], usual[unlikely]
