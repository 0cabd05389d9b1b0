"""Computes the indicators of a symbol for a whole session: its history and all of today, in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.indicators import IndicatorInputs
from openbell.indicators.inputs import locate, regular_rows
from openbell.model.bars import Bars
from openbell.session import IndicatorData
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from openbell.model.bars import BarTimes
    from openbell.provisioning.context import ProvisioningContext
    from openbell.provisioning.requirements import IndicatorNeed
    from openbell.session import BarIntervalData
    from openbell.timing.grid import SessionGrid

__all__ = ["computed_indicators"]


def computed_indicators(
    needs: Iterable[IndicatorNeed], series: Mapping[str, BarIntervalData], context: ProvisioningContext
) -> dict[str, IndicatorData]:
    """Indicators by key, each over the whole run of its series."""
    readings: dict[tuple[str, bool], _Reading] = {}
    computed = {}
    for need in needs:
        interval = str(need.interval)
        reading = readings.get((interval, need.session_aware))
        if reading is None:
            reading = _reading(series[interval], context, session_aware=need.session_aware)
            readings[interval, need.session_aware] = reading
        computed[need.key] = IndicatorData(
            need.key,
            series[interval],
            _columns(need, reading),
            lookback=need.lookback_bars,
            settling=need.settling,
            skipped=reading.skipped,
        )
    return computed


class _Reading(NamedTuple):
    """A run as indicators read it.

    Attributes:
        inputs: All its bars; of indicators that are aware of sessions, led by those of the session that it begins in.
        read: Which of them are read; None: all.
        before_open: Which of them have no value, whatever is computed; None: all may have one.
        ahead: How many bars lead the run.
        skipped: Per row of the run, and after the last, how many rows before it were not read; None: all were.
    """

    inputs: IndicatorInputs
    read: NDArray[np.bool_] | None
    before_open: NDArray[np.bool_] | None
    ahead: int
    skipped: NDArray[np.int64] | None


def _reading(series: BarIntervalData, context: ProvisioningContext, *, session_aware: bool) -> _Reading:
    """Indicators that are aware of sessions read the regular hours of whole sessions."""
    run = all_bars(series)
    first = context.time_manager.day_of(int(run.timestamp[0])) if len(run) else context.day
    bars = _from_whole_sessions(series, first, context) if session_aware and len(run) else run
    grid = context.time_manager.grid(first, context.day)
    session, offset, end_offset = context.once(
        "located", bars.times, first, answer=lambda: locate(bars.timestamp, bars.end, grid)
    )
    regular, read = _rows_to_read(bars.times, grid, context, session_aware=session_aware)
    ahead = len(bars) - len(run)
    return _Reading(
        IndicatorInputs(bars.open, bars.high, bars.low, bars.close, bars.volume, session, offset, end_offset),
        read,
        None if regular is None else offset < 0,
        ahead,
        None if read is None else np.concatenate(([0], np.cumsum(~read[ahead:], dtype=np.int64))),
    )


def _columns(need: IndicatorNeed, reading: _Reading) -> dict[str, NDArray[np.float64]]:
    """The values by output, one per bar of the run."""
    read, before_open = reading.read, reading.before_open
    if read is None:
        columns = need.indicator.compute(reading.inputs, need.params)
    else:
        columns = need.indicator.compute(reading.inputs[read], need.params)
        columns = {name: _standing_still(column, read) for name, column in columns.items()}
    if before_open is not None:
        columns = {name: np.where(before_open, np.nan, column) for name, column in columns.items()}
    return {name: column[reading.ahead :] for name, column in columns.items()} if reading.ahead else columns


def _from_whole_sessions(series: BarIntervalData, first: date, context: ProvisioningContext) -> Bars:
    """The run of a series, led by the bars before it of the session that it begins in."""
    run, base = all_bars(series), series.base or series.interval
    sessions = context.data_manager.load_historical_bars(series.symbol, series.interval, first, context.day, base=base)
    ahead = int(sessions.timestamp.searchsorted(run.timestamp[0]))
    if not ahead:
        return run
    joined = Bars.concat([sessions.window(0, ahead), run])
    # What follows from times is worked out, and kept, once for all symbols that have the same.
    return joined.at(sessions.times) if joined.times.equal(sessions.times) else joined


def _rows_to_read(
    times: BarTimes, grid: SessionGrid, context: ProvisioningContext, *, session_aware: bool
) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    """Which bars are of regular hours, and which ones an indicator reads; None: all.

    In extended hours, what a session's open, close or range is still follows the regular ones: an indicator that is
    aware of sessions has no value in the pre-market, and stands still in the post-market. Synthetic bars are skipped,
    unless indicators are to see them.
    """
    extended = session_aware and not grid.segment_is_regular.all()
    regular = regular_rows(times.timestamp, grid) if extended else None
    sees_all = context.config.session_data_config.indicators_see_filled
    if sees_all or not context.has_synthetic(times):
        return regular, regular
    return regular, times.count > 0 if regular is None else regular & (times.count > 0)


def _standing_still(column: NDArray[np.float64], read: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values of the rows that were read, with each row between them at the value of the last one read before it."""
    if not read.any():
        return np.full(len(read), np.nan)
    last = np.cumsum(read) - 1
    return np.where(last >= 0, column[last], np.nan)
