"""Computes an indicator of a symbol for a whole session: its history and all of today, in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell import indicators
from openbell.bars import Bars
from openbell.data.gaps import has_synthetic
from openbell.indicators import IndicatorInputs
from openbell.indicators.inputs import locate, regular_rows
from openbell.session import IndicatorData
from openbell.session.series import whole_run

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from openbell.bars import BarTimes
    from openbell.provisioning.requirements import IndicatorNeed
    from openbell.provisioning.world import World
    from openbell.session import BarIntervalData
    from openbell.timing.grid import SessionGrid

__all__ = ["computed_indicator"]


def computed_indicator(need: IndicatorNeed, series: BarIntervalData, world: World) -> IndicatorData:
    """The indicator over the whole run; one that is aware of sessions over the regular hours of whole sessions."""
    run = whole_run(series)
    first = world.time_manager.day_of(int(run.timestamp[0])) if len(run) else world.day
    bars = _from_whole_sessions(series, first, world) if need.session_aware and len(run) else run
    grid = world.time_manager.grid(first, world.day)
    session, offset, end_offset = world.once(
        "located", bars.times, first, answer=lambda: locate(bars.timestamp, bars.end, grid)
    )
    inputs = IndicatorInputs(bars.open, bars.high, bars.low, bars.close, bars.volume, session, offset, end_offset)
    regular, read = _rows_to_read(bars.times, need, grid, world)
    compute = indicators.get(need.config.name).compute
    if read is None:
        computed = compute(inputs, need.params)
    else:
        computed = compute(inputs.take(read), need.params)
        computed = {name: _standing_still(column, read) for name, column in computed.items()}
    if regular is not None:
        computed = {name: np.where(offset < 0, np.nan, column) for name, column in computed.items()}
    ahead = len(bars) - len(run)
    skipped = None if read is None else np.concatenate(([0], np.cumsum(~read[ahead:], dtype=np.int64)))
    columns = {name: column[ahead:] for name, column in computed.items()} if ahead else computed
    return IndicatorData(
        need.key, series, columns, lookback=need.lookback_bars, settling=need.settling, skipped=skipped
    )


def _from_whole_sessions(series: BarIntervalData, first: date, world: World) -> Bars:
    """The run of a series, led by the bars before it of the session that it begins in."""
    run, base = whole_run(series), series.base or series.interval
    sessions = world.data_manager.load_historical_bars(series.symbol, series.interval, first, world.day, base=base)
    ahead = int(sessions.timestamp.searchsorted(run.timestamp[0]))
    return Bars.concat([sessions.window(0, ahead), run]) if ahead else run


def _rows_to_read(
    times: BarTimes, need: IndicatorNeed, grid: SessionGrid, world: World
) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    """Which bars are of regular hours, and which ones an indicator reads; None: all.

    In extended hours, what a session's open, close or range is still follows the regular ones: an indicator that is
    aware of sessions has no value in the pre-market, and stands still in the post-market. Synthetic bars are skipped,
    unless indicators are to see them.
    """
    extended = need.session_aware and not grid.segment_is_regular.all()
    regular = regular_rows(times.timestamp, grid) if extended else None
    sees_all = world.config.session_data_config.indicators_see_filled
    if sees_all or not world.once("synthetic", times, answer=lambda: has_synthetic(times)):
        return regular, regular
    return regular, times.count > 0 if regular is None else regular & (times.count > 0)


def _standing_still(column: NDArray[np.float64], read: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values of the rows that were read, with each row between them at the value of the last one read before it."""
    if not read.any():
        return np.full(len(read), np.nan)
    last = np.cumsum(read) - 1
    return np.where(last >= 0, column[last], np.nan)
