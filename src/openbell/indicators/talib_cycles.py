"""TA-Lib's functions of the dominant cycle, without the running sum that they smooth prices with.

John Ehlers' definitions (Rocket Science for Traders, 2001) as TA-Lib has them (https://ta-lib.org/functions/), begun
at the same rows. TA-Lib smooths prices by a running sum, whose rounding error adds up from bar to bar: while a price
stands still, only the error moves, and the measured cycle is that of the error.
"""

from __future__ import annotations

from functools import cache
from math import atan, copysign, degrees, inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.indicators.windows import first_number, lagged, means

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from openbell.indicators.indicator import Params
    from openbell.indicators.inputs import Column

__all__ = ["CYCLES", "mama"]

_LONGEST = 50
"""The longest cycle, in bars."""
_NEAR, _FAR = 0.5769, 0.0962
"""Weights of the Hilbert transform: of differences over 2 and over 6 bars."""

_FOR_PERIOD, _FOR_PHASE = 12, 37
"""Rows before TA-Lib begins, for functions of the period and for functions of the phase."""
_PERIOD_KNOWN, _PHASE_KNOWN = 32, 63
"""Rows before the first value, for functions of the period and for functions of the phase."""


class _Cycle(NamedTuple):
    """The dominant cycle of each row, 0 before the one at which it begins.

    Attributes:
        smooth: Prices, smoothed over four bars.
        in_phase: The component that is in phase.
        quadrature: The component that runs a quarter of a cycle ahead of that.
        period: Period of the cycle in bars, smoothed.
    """

    smooth: Column
    in_phase: Column
    quadrature: Column
    period: Column


def _cycle(price: Column, begin: int) -> _Cycle:
    smooth = np.zeros(len(price))
    smooth[3:] = (4 * price[3:] + 3 * price[2:-1] + 2 * price[1:-2] + price[:-3]) / 10
    smooth[:begin] = 0
    in_phase, quadrature, periods = _measured(smooth[begin:].tolist())
    columns = np.zeros((3, len(price)))
    columns[:, begin:] = in_phase, quadrature, periods
    return _Cycle(smooth, *columns)


def _measured(smooth: list[float]) -> tuple[list[float], list[float], list[float]]:
    """Return components in phase and in quadrature, and the smoothed period, of each row."""
    # A loop, because each period sets the gain of the next row's filters, for which NumPy has no function. Nine zeros
    # in front stand for the rows before the first.
    zeros = [0.0] * 9
    s, trend, q, periods = zeros + smooth, list(zeros), list(zeros), []
    i2 = q2 = re = im = period = smoothed = 0.0
    near, far = _NEAR, _FAR
    for k in range(9, len(s)):
        gain = 0.075 * period + 0.54
        d = (far * (s[k] - s[k - 6]) + near * (s[k - 2] - s[k - 4])) * gain
        ahead = (far * (d - trend[k - 6]) + near * (trend[k - 2] - trend[k - 4])) * gain
        turned = (far * (trend[k - 3] - trend[k - 9]) + near * (trend[k - 5] - trend[k - 7])) * gain
        turned_ahead = (far * (ahead - q[k - 6]) + near * (q[k - 2] - q[k - 4])) * gain
        trend.append(d)
        q.append(ahead)
        i_last, q_last = i2, q2
        i2 = 0.2 * (trend[k - 3] - turned_ahead) + 0.8 * i_last
        q2 = 0.2 * (ahead + turned) + 0.8 * q_last
        re = 0.2 * (i2 * i_last + q2 * q_last) + 0.8 * re
        im = 0.2 * (i2 * q_last - q2 * i_last) + 0.8 * im
        last = period
        if re and im:
            angle = degrees(atan(im / re))
            period = 360 / angle if angle else copysign(inf, im) * copysign(1, re)
            period = max(min(period, 1.5 * last), 0.67 * last)
            period = max(min(period, 50.0), 6.0)
        else:
            period = max(period, 6.0)
        period = 0.2 * period + 0.8 * last
        smoothed = 0.33 * period + 0.67 * smoothed
        periods.append(smoothed)
    return [0.0] * min(3, len(smooth)) + trend[9:-3], q[9:], periods


def _blanked(column: Column, rows: int) -> Column:
    """Set the first rows of a column to NaN, and return it."""
    column[:rows] = np.nan
    return column


def _whole(cycle: _Cycle) -> NDArray[np.int64]:
    """Return the period of the cycle in whole bars."""
    return (cycle.period + 0.5).astype(np.int64)


def _phase(cycle: _Cycle) -> Column:
    """Return the phase of the cycle in degrees, as in the row before where no price moved for a whole cycle."""
    bars, smooth, (sines, cosines) = _whole(cycle), cycle.smooth, _turns()
    real, imaginary = np.zeros(len(smooth)), np.zeros(len(smooth))
    for ago in range(1, min(_LONGEST, len(smooth))):
        # Differences from the row itself, so that a price that stands still gives exactly 0.
        moved = smooth[:-ago] - smooth[ago:]
        real[ago:] += sines[bars[ago:], ago] * moved
        imaginary[ago:] += cosines[bars[ago:], ago] * moved
    with np.errstate(divide="ignore", invalid="ignore"):
        phase = np.degrees(np.arctan(real / imaginary)) + 90 + 360 / cycle.period
    phase += 180 * (imaginary < 0)
    phase -= 360 * (phase > 315)
    rows = np.where((real != 0) | (imaginary != 0), np.arange(len(phase)), 0)
    return np.asarray(np.where(np.maximum.accumulate(rows) > 0, phase[np.maximum.accumulate(rows)], 0.0))


@cache
def _turns() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return tables of sine and cosine by period and bars ago, with 0 beyond the period."""
    bars, ago = np.arange(_LONGEST + 1)[:, None], np.arange(_LONGEST)
    angles = 2 * np.pi * ago / np.maximum(bars, 1)
    return np.where(ago < bars, np.sin(angles), 0.0), np.where(ago < bars, np.cos(angles), 0.0)


def _sines(phase: Column) -> tuple[Column, Column]:
    return np.sin(np.radians(phase)), np.sin(np.radians(phase + 45))


def _trend_line(price: Column, cycle: _Cycle) -> Column:
    bars = _whole(cycle)
    average = np.zeros(len(price))
    for period in np.unique(bars[_FOR_PHASE:]).tolist():
        if period:
            rows = (bars == period) & (cycle.period > 0)
            average[rows] = means(price, period)[rows]
    line = 4 * average
    for ago, weight in ((1, 3), (2, 2), (3, 1)):
        line[ago:] += weight * average[:-ago]
    return line / 10


def _trend_mode(price: Column) -> Column:
    """Return 1 where prices follow a trend, and 0 where they follow a cycle."""
    cycle = _cycle(price, _FOR_PHASE)
    phase = _phase(cycle)
    sine, lead = _sines(phase)
    line = _trend_line(price, cycle)
    step = np.diff(phase, prepend=0.0)
    ahead = np.sign(sine - lead)
    with np.errstate(divide="ignore", invalid="ignore"):
        usual = 360 / cycle.period
        far = np.abs((cycle.smooth - line) / line) >= 0.015
    cyclic = (step > 0.67 * usual) & (step < 1.5 * usual)
    mode, days, last = [], 0, 0.0
    columns = (ahead, cycle.period, cyclic, far)
    for sign, period, is_cyclic, is_far in zip(*(column[_FOR_PHASE:].tolist() for column in columns), strict=True):
        crossed = sign != 0 and last != sign
        days = 1 if crossed else days + 1
        last = sign
        mode.append(float(is_far or not (crossed or days < 0.5 * period or is_cyclic)))
    result = np.full(len(price), np.nan)
    result[_FOR_PHASE:] = mode
    return _blanked(result, _PHASE_KNOWN)


def mama(price: Column, fast: float, slow: float) -> tuple[Column, Column]:
    """Return the MESA adaptive moving average (MAMA), and the one that follows it at half its speed (FAMA)."""
    begin = first_number(price)
    result = np.full((2, len(price)), np.nan)
    if begin + _PERIOD_KNOWN < len(price):
        result[:, begin:] = _mama(price[begin:], fast, slow)
    return result[0], result[1]


def _mama(price: Column, fast: float, slow: float) -> tuple[Column, Column]:
    cycle = _cycle(price, _FOR_PERIOD)
    phase = np.zeros(len(price))
    np.divide(cycle.quadrature, cycle.in_phase, out=phase, where=cycle.in_phase != 0)
    phase = np.degrees(np.arctan(phase))
    turned = np.maximum(lagged(phase, 1) - phase, 1.0)
    shares = np.maximum(fast / turned, slow)
    value = follower = 0.0
    rows = []
    for last, share in zip(price[_FOR_PERIOD:].tolist(), shares[_FOR_PERIOD:].tolist(), strict=True):
        value += (last - value) * share
        follower += (value - follower) * share * 0.5
        rows.append((value, follower))
    found = np.full((2, len(price)), np.nan)
    found[:, _FOR_PERIOD:] = np.array(rows).T
    found[:, :_PERIOD_KNOWN] = np.nan
    return found[0], found[1]


def _of_period(price: Column, _p: Params) -> Column:
    return _blanked(_cycle(price, _FOR_PERIOD).period, _PERIOD_KNOWN)


def _phasor(price: Column, _p: Params) -> tuple[Column, Column]:
    cycle = _cycle(price, _FOR_PERIOD)
    return _blanked(cycle.in_phase, _PERIOD_KNOWN), _blanked(cycle.quadrature, _PERIOD_KNOWN)


def _of_phase(price: Column, _p: Params) -> Column:
    return _blanked(_phase(_cycle(price, _FOR_PHASE)), _PHASE_KNOWN)


def _sine(price: Column, _p: Params) -> tuple[Column, Column]:
    sine, lead = _sines(_phase(_cycle(price, _FOR_PHASE)))
    return _blanked(sine, _PHASE_KNOWN), _blanked(lead, _PHASE_KNOWN)


CYCLES: Mapping[str, Callable[..., Column | tuple[Column, ...]]] = {
    "HT_DCPERIOD": _of_period,
    "HT_PHASOR": _phasor,
    "HT_DCPHASE": _of_phase,
    "HT_SINE": _sine,
    "HT_TRENDLINE": lambda price, _p: _blanked(_trend_line(price, _cycle(price, _FOR_PHASE)), _PHASE_KNOWN),
    "HT_TRENDMODE": lambda price, _p: _trend_mode(price),
    "MAMA": lambda price, p: mama(price, p["fastlimit"], p["slowlimit"]),
}
"""The functions of TA-Lib of the dominant cycle, by name: ``(*columns, params) -> column or columns``."""
