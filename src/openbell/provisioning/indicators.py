"""Computation of a symbol's indicators over its history and all of today."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.errors import DataError
from openbell.indicators import IndicatorInputs
from openbell.indicators.annual import bars_per_year
from openbell.indicators.indicator import locate, regular_rows
from openbell.model.bars import Bars
from openbell.model.interval import parse_interval
from openbell.session import IndicatorData
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from openbell.model.bars import BarTimes
    from openbell.model.interval import Interval
    from openbell.provisioning.context import Market, ProvisioningContext
    from openbell.provisioning.needs import IndicatorNeed
    from openbell.session import BarIntervalData

__all__ = ["computed_indicators"]

_CAUSAL = 1e-6
"""The relative difference that sums in another order may make."""


def computed_indicators(
    needs: Iterable[IndicatorNeed], series: Mapping[str, BarIntervalData], context: ProvisioningContext
) -> dict[str, IndicatorData]:
    """Compute indicators over the whole of their series, and return them by key."""
    needs = tuple(needs)
    annualised = any(need.indicator.annualised for need in needs)
    readings: dict[tuple[Interval, bool], _Reading] = {}
    computed = {}
    for need in needs:
        reading = readings.get((need.interval, need.session_aware))
        if reading is None:
            own = series[str(need.interval)]
            reading = _reading(own, context, session_aware=need.session_aware, annualised=annualised)
            readings[need.interval, need.session_aware] = reading
        ahead_of_today, before_first = _before_first_bar(need, reading) if need.session_aware else (None, None)
        computed[need.key] = IndicatorData(
            need.key,
            reading.series,
            _columns(need, reading),
            lookback=need.lookback_bars,
            settling=need.settling,
            skipped=reading.skipped,
            ahead_of_today=ahead_of_today,
            before_first=before_first,
        )
    return computed


class _Reading(NamedTuple):
    """The bars of a series as indicators read them.

    Attributes:
        series: The series.
        inputs: All its bars; of indicators that are aware of sessions, led by those of the session that it begins in.
        read: Which of them are read; None: all.
        ahead: How many bars lead the series.
        skipped: Per row of the series, and after the last, how many rows before it were not read; None: all were.
    """

    series: BarIntervalData
    inputs: IndicatorInputs
    read: NDArray[np.bool_] | None
    ahead: int
    skipped: NDArray[np.int64] | None


def _reading(
    series: BarIntervalData, context: ProvisioningContext, *, session_aware: bool, annualised: bool
) -> _Reading:
    """Return the bars that an indicator reads (of whole sessions, if it is aware of them)."""
    own, market = all_bars(series), context.market(series.symbol)
    tm = market.time_manager
    first = tm.day_of(int(own.timestamp[0])) if len(own) else market.day
    bars = _from_whole_sessions(series, first, context) if session_aware and len(own) else own
    sees_filled = context.config.session_data_config.indicators_see_filled
    # What follows from times is computed once for all symbols that have the same.
    session, offset, end_offset = context.memo(_located, market, bars.times, first)
    read = context.memo(_rows_to_read, market, bars.times, first, session_aware, sees_filled)
    ahead = len(bars) - len(own)
    inputs = IndicatorInputs(bars.open, bars.high, bars.low, bars.close, bars.volume, session, offset, end_offset)
    if annualised:
        year = bars_per_year(tm.grid(first, market.day), parse_interval(series.interval))
        inputs = replace(inputs, bars_per_year=year)
    return _Reading(
        series,
        inputs,
        read,
        ahead,
        None if read is None else np.concatenate(([0], np.cumsum(~read[ahead:], dtype=np.int64))),
    )


def _located(
    market: Market, times: BarTimes, first: date
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the session of each bar, and where in it the bar begins and ends."""
    return locate(times.timestamp, times.end, market.time_manager.grid(first, market.day))


def _columns(need: IndicatorNeed, reading: _Reading) -> dict[str, NDArray[np.float64]]:
    """Compute the values by output, one per bar of the series."""
    read = reading.read
    if read is None:
        columns = _computed(need, reading.inputs)
    else:
        columns = _computed(need, reading.inputs[read])
        within = reading.inputs.session if _begins_anew(need) else None
        columns = {name: _standing_still(column, read, within) for name, column in columns.items()}
    return {name: column[reading.ahead :] for name, column in columns.items()} if reading.ahead else columns


def _computed(need: IndicatorNeed, inputs: IndicatorInputs) -> dict[str, NDArray[np.float64]]:
    """Compute the values by output, and make sure that a kernel from outside reads no later bars.

    Raises:
        DataError: Its values would be others if later bars were not there yet.
    """
    columns = need.indicator.compute(inputs, need.params)
    if need.indicator.is_own:  # tested over the whole registry
        return columns
    for rows in sorted({len(inputs) // 2, len(inputs) - 1} - {0, -1}):
        known = need.indicator.compute(inputs[:rows], need.params)
        for name, column in columns.items():
            if not np.allclose(known[name], column[:rows], rtol=_CAUSAL, atol=0.0, equal_nan=True):
                raise DataError(
                    f"{need.key} reads bars that come later: over the first {rows} of {len(inputs)} bars its {name} is "
                    "another than over all of them. A row of a kernel may depend on that row and earlier ones only."
                )
    return columns


def _from_whole_sessions(series: BarIntervalData, first: date, context: ProvisioningContext) -> Bars:
    """Return the bars of a series, led by those before it of the session that it begins in."""
    own, base, last = all_bars(series), series.base or series.interval, context.market(series.symbol).day
    sessions = context.data_manager.load_historical_bars(series.symbol, series.interval, first, last, base=base)
    ahead = int(sessions.timestamp.searchsorted(own.timestamp[0]))
    if not ahead:
        return own
    joined = Bars.concat([sessions.window(0, ahead), own])
    # Times that are one object let the memo serve all symbols that have the same.
    return joined.at(sessions.times) if joined.times.equal(sessions.times) else joined


def _rows_to_read(
    market: Market, times: BarTimes, first: date, session_aware: bool, sees_filled: bool
) -> NDArray[np.bool_] | None:
    """Return which bars an indicator reads, or None for all.

    In extended hours, what a session's open, close or range is still follows the regular ones, and an indicator that is
    aware of sessions reads those alone. Synthetic bars are skipped, unless indicators are to see them.
    """
    grid = market.time_manager.grid(first, market.day)
    extended = session_aware and not grid.segment_is_regular.all()
    regular = regular_rows(times.timestamp, grid) if extended else None
    if sees_filled or not times.has_synthetic:
        return regular
    return times.count > 0 if regular is None else regular & (times.count > 0)


def _standing_still(
    column: NDArray[np.float64], read: NDArray[np.bool_], session: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Spread values over all rows, each with that of the last row read up to it."""
    if not read.any():
        return np.full(len(read), np.nan)
    last = np.cumsum(read) - 1
    known = last >= 0
    if session is not None:
        known &= session[read][last] == session
    return np.where(known, column[last], np.nan)


def _begins_anew(need: IndicatorNeed) -> bool:
    """Return whether a session's values say nothing of the next one before that has a bar."""
    return need.session_aware and need.indicator.before_first_bar != "stands"


def _before_first_bar(need: IndicatorNeed, reading: _Reading) -> tuple[int, Callable[[], dict[str, float]] | None]:
    """Return from which of today's rows on an indicator has a value of today, and what it has before."""
    begin = reading.ahead + reading.series.today_row
    ahead = 0 if reading.read is None else _first_true(reading.read[begin:])
    if need.indicator.before_first_bar == "unknown":
        return ahead, None
    history = reading.inputs[:begin] if reading.read is None else reading.inputs[:begin][reading.read[:begin]]
    next_session = need.indicator.before_first_bar == "known"

    def before_first() -> dict[str, float]:
        inputs = history.with_next_session() if next_session else history
        columns = need.indicator.compute(inputs, need.params)
        return {name: float(column[-1]) if len(column) else np.nan for name, column in columns.items()}

    return ahead, cache(before_first)


def _first_true(rows: NDArray[np.bool_]) -> int:
    return int(np.argmax(rows)) if rows.any() else len(rows)
