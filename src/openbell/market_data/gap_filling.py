"""Bars in place of missing ones, built from finer bars or synthetic.

The ``count`` of a built bar of a base interval is the number of finer bars that it was made from. A synthetic bar
repeats the last close and has a ``count`` of zero. Existing bars are never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.market_data.aggregate import aggregate
from openbell.market_data.series import SessionRange
from openbell.market_data.stored_history import read_sessions
from openbell.model.bars import COLUMNS, Bars
from openbell.model.interval import parse_interval
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from openbell.model.interval import Interval
    from openbell.store.store import BarStore
    from openbell.timing.grid import SessionGrid

__all__ = ["FINER", "build_missing", "forward_filled", "with_built"]

FINER = {"1d": "1m", "1m": "1s"}
"""The interval from which missing bars of a stored interval are built."""

_SESSIONS_AT_ONCE = 20


def forward_filled(bars: Bars, grid: SessionGrid, interval: Interval) -> Bars:
    """Add synthetic bars where bars that the calendar expects are missing.

    A synthetic bar has open = high = low = close = the close of the bar before it, volume 0 and count 0. Gaps are
    filled only in regular hours, and only after the first bar of their session: yesterday's close is no price of
    today, and nothing is taken from later. So whether a bar is synthetic, and its values, follow from earlier bars
    alone. Daily and longer bars are never filled: a day without any trade stays a gap.

    Args:
        bars: Bars of ``interval``, in ascending time.
        grid: The sessions that the bars lie in.
        interval: The interval of the bars.
    """
    if not interval.is_intraday or not len(bars):
        return bars
    expected = grid.expected_bars(interval)
    missing = np.flatnonzero(~np.isin(expected.start_ns, bars.timestamp, assume_unique=True))
    start, end = expected.start_ns[missing], expected.end_ns[missing]
    before = np.searchsorted(bars.timestamp, start, side="right") - 1
    begins = grid.segment_open_ns[np.searchsorted(grid.segment_session, expected.session[missing])]
    known = (before >= 0) & (bars.timestamp[before] >= begins) & (bars.end[before] <= start)
    if not known.any():
        return bars
    close = bars.close[before[known]]
    nothing = np.zeros(len(close))
    synthetic = Bars(start[known], end[known], close, close, close, close, nothing, nothing.astype(np.int32))
    return _merged(bars, synthetic)


def with_built(bars: Bars, finer: Bars, grid: SessionGrid, interval: Interval, finer_interval: Interval) -> Bars:
    """Add missing bars for which all finer bars are there.

    Args:
        bars: Bars of ``interval``, in ascending time.
        finer: Bars of ``finer_interval``.
        grid: The sessions that ``bars`` and ``finer`` lie in.
        interval: The interval to build.
        finer_interval: An interval that builds ``interval``.
    """
    made = aggregate(finer, grid, interval, base=finer_interval, min_completeness=1.0)
    new = made.take(~np.isin(made.timestamp, bars.timestamp, assume_unique=True))
    return _merged(bars, new) if len(new) else bars


def build_missing(store: BarStore, symbol: str, bars: Bars, grid: SessionGrid, interval: Interval) -> Bars:
    """Add missing bars for which the store has all finer bars.

    1d bars are built from 1m bars, 1m bars from 1s bars. Finer bars are read only of sessions with missing bars, a few
    sessions at a time.

    Raises:
        DamagedFileError: A file of the finer bars cannot be read.
    """
    finer = FINER.get(str(interval))
    held = store.coverage_of(symbol, finer) if finer else None
    if finer is None or held is None:
        return bars
    shorter = parse_interval(finer)

    def read(window: SessionGrid) -> Bars:
        days = SessionRange.of(int(window.days[0]), int(window.days[-1]), window)
        return next(iter(read_sessions(store, [symbol], shorter, window, days)))[1]

    within = (day_number(held.first.date()) - 1, day_number(held.last.date()) + 1)
    return _built_by_session(bars, grid, interval, shorter, read, within)


def _built_by_session(
    bars: Bars,
    grid: SessionGrid,
    interval: Interval,
    finer: Interval,
    read: Callable[[SessionGrid], Bars],
    within: tuple[int, int],
) -> Bars:
    """Add missing bars, with finer ones read only for the sessions that need them.

    ``within`` is the range of days in which finer bars are stored.
    """
    expected = grid.expected_bars(interval)
    incomplete = np.unique(expected.session[~np.isin(expected.start_ns, bars.timestamp, assume_unique=True)])
    days = grid.days[incomplete]
    incomplete = incomplete[(days >= within[0]) & (days <= within[1])]
    at = 0
    while at < len(incomplete):
        first = int(incomplete[at])
        after = int(np.searchsorted(incomplete, first + _SESSIONS_AT_ONCE))
        window = grid.between(first, int(incomplete[after - 1]) + 1)
        bars = with_built(bars, read(window), window, interval, finer)
        at = after
    return bars


def _merged(bars: Bars, new: Bars) -> Bars:
    """Merge bars that have no start in common, in ascending time."""
    order: NDArray[np.intp] = np.argsort(np.concatenate([bars.timestamp, new.timestamp]), kind="stable")
    return Bars(*(np.concatenate([getattr(bars, name), getattr(new, name)])[order] for name in COLUMNS))
