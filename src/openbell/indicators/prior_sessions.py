"""Indicators that look back on whole sessions.

A session is made of its regular hours, also when bars of extended hours are loaded. On daily bars each bar is a
session, on weekly bars each week counts as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.indicators.by_session import SESSION_GROUP, Sessions, rolling
from openbell.indicators.indicator import Lookback, Parameter
from openbell.indicators.registry import register
from openbell.indicators.talib_backed import talib_function
from openbell.indicators.windows import means

if TYPE_CHECKING:
    from openbell.indicators.indicator import Params
    from openbell.indicators.inputs import Column, IndicatorInputs

_ONE_SESSION = Lookback(bars=2, sessions=1)


@register(
    "prior_day",
    title="High, low and close of the session before",
    group=SESSION_GROUP,
    inputs=("high", "low", "close"),
    outputs=("high", "low", "close"),
    lookback=_ONE_SESSION,
    session_aware=True,
    before_first_bar="known",
)
def prior_day(inputs: IndicatorInputs, _params: Params) -> tuple[Column, ...]:
    """High, low and close of the last session before this one that has bars.

    In a running session that is yesterday at every moment and on every interval, also before the open and on ``1d``
    bars before the close. In a column, each row has the session before its own.
    """
    sessions = Sessions(inputs.session)
    days = (sessions.highest(inputs.high), sessions.lowest(inputs.low), sessions.last(inputs.close))
    return tuple(sessions.of_session_before(values) for values in days)


@register(
    "pivot_points",
    title="Pivot points (classic, of the floor)",
    group=SESSION_GROUP,
    inputs=("high", "low", "close"),
    outputs=("pivot", "r1", "s1", "r2", "s2", "r3", "s3"),
    lookback=_ONE_SESSION,
    session_aware=True,
    before_first_bar="known",
)
def pivot_points(inputs: IndicatorInputs, _params: Params) -> tuple[Column, ...]:
    """Pivot points from the session before, known before the open.

    The pivot is p = (h + l + c) / 3, r1 = 2p - l, s1 = 2p - h, r2 = p + (h - l), s2 = p - (h - l),
    r3 = h + 2(p - l), s3 = l - 2(h - p).

    Source: Person, A Complete Guide to Technical Trading Tactics (2004).
    """
    sessions = Sessions(inputs.session)
    high, low, close = sessions.highest(inputs.high), sessions.lowest(inputs.low), sessions.last(inputs.close)
    pivot = (high + low + close) / 3
    width = high - low
    levels = (
        pivot,
        2 * pivot - low,
        2 * pivot - high,
        pivot + width,
        pivot - width,
        high + 2 * (pivot - low),
        low - 2 * (high - pivot),
    )
    return tuple(sessions.of_session_before(level) for level in levels)


@register(
    "gap",
    title="Gap of the session's open",
    group=SESSION_GROUP,
    inputs=("open", "close"),
    lookback=_ONE_SESSION,
    session_aware=True,
    positive_prices=True,
)
def gap(inputs: IndicatorInputs, _params: Params) -> Column:
    """Open of the session against the close of the one before, in percent of that close.

    It is the same all session, from the close of the session's first bar on; on ``1d`` bars that is the session's
    close, so take ``1m`` bars for today's gap. Before the first bar today's gap is not known.
    """
    sessions = Sessions(inputs.session)
    gaps = _gaps(sessions.first(inputs.open), sessions.last(inputs.close))
    column: Column = np.concatenate([[np.nan], gaps])[sessions.of_row]
    return column


@register(
    "gap_stats",
    title="Gaps of the last sessions",
    group=SESSION_GROUP,
    inputs=("open", "high", "low", "close"),
    outputs=("mean", "mean_size", "up_share", "filled_share"),
    parameters=[Parameter("sessions", 20, int, 1, 100_000, "complete sessions before this one")],
    lookback=lambda params: Lookback(bars=params["sessions"] + 2, sessions=params["sessions"] + 1),
    session_aware=True,
    positive_prices=True,
    before_first_bar="known",
)
def gap_stats(inputs: IndicatorInputs, params: Params) -> tuple[Column, ...]:
    """Statistics of the gaps of the last ``sessions`` complete sessions before this one.

    The mean gap and the mean size of a gap (both in percent of the close before), and the shares (0 to 1) of sessions
    that opened above that close, and of sessions that traded at it again before their end. This session does not count,
    so that the values are known before its open.
    """
    period = params["sessions"]
    sessions = Sessions(inputs.session)
    if len(sessions) < 2:
        return (np.full(len(inputs), np.nan),) * 4
    closes = sessions.last(inputs.close)
    gaps, before = _gaps(sessions.first(inputs.open), closes), closes[:-1]
    filled = (sessions.lowest(inputs.low)[1:] <= before) & (sessions.highest(inputs.high)[1:] >= before)
    measures = (gaps, np.abs(gaps), (gaps > 0).astype(np.float64), filled.astype(np.float64))
    rows = [np.concatenate([[np.nan], means(measure, period)]) for measure in measures]
    return tuple(sessions.of_session_before(row) for row in rows)


@register(
    "high_low",
    title="High and low of the last sessions (252 sessions are 52 weeks)",
    group=SESSION_GROUP,
    inputs=("high", "low"),
    outputs=("high", "low"),
    parameters=[Parameter("sessions", 252, int, 1, 100_000, "sessions, this one included")],
    lookback=lambda params: Lookback(bars=params["sessions"], sessions=params["sessions"] - 1),
    session_aware=True,
    before_first_bar="stands",
)
def high_low(inputs: IndicatorInputs, params: Params) -> tuple[Column, Column]:
    """Highest high and lowest low of this session so far and the ``sessions - 1`` before it.

    As long as this session has no closed bar, the value of the last bar stands. On weekly bars ``sessions`` counts
    weeks: 52 on ``1w`` is the 52-week high and low by the calendar.
    """
    sessions = Sessions(inputs.session)
    high = sessions.accumulate(np.maximum, inputs.high)
    low = sessions.accumulate(np.minimum, inputs.low)
    earlier = params["sessions"] - 1
    if earlier:
        highs = rolling(talib_function("MAX"), sessions.highest(inputs.high), earlier)
        lows = rolling(talib_function("MIN"), sessions.lowest(inputs.low), earlier)
        high = np.maximum(high, sessions.of_session_before(highs))
        low = np.minimum(low, sessions.of_session_before(lows))
    return high, low


def _gaps(opens: Column, closes: Column) -> Column:
    """Return each session's open against the close before, in percent, from the second on."""
    gaps: Column = 100 * (opens[1:] / closes[:-1] - 1)
    return gaps
