"""Derived bars: base bars put together by the calendar, never across a break of trading or, within a day, a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openbell.bars import Bars
from openbell.errors import IntervalError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.interval import Interval
    from openbell.timing.grid import SessionGrid

__all__ = ["aggregate", "rows_in_segments"]


def aggregate(
    bars: Bars, grid: SessionGrid, interval: Interval, *, base: Interval, min_completeness: float = 0.0
) -> Bars:
    """Bars of ``interval`` made from base bars: first open, highest high, lowest low, last close, summed volume.

    Intraday bars are aligned to the open of their trading segment and cut at its close. Daily and weekly bars are made
    of whole sessions, from regular hours only. A bar whose period is not over within ``bars`` is made from what there
    is; its ``end`` is the calendar's all the same, so that a cursor hides it until then.

    Args:
        bars: Base bars; those outside the grid's segments are left out.
        grid: The sessions that the bars lie in.
        interval: What is wanted; coarser than ``base``.
        base: The interval of ``bars``; its bars that start at the open of a session are ``1d`` bars.
        min_completeness: Bars with a smaller share of the base bars that the calendar expects are left out (0 to 1).

    Returns:
        The derived bars that have at least one base bar; ``count`` is the sum of the base bars' counts.

    Raises:
        IntervalError: ``interval`` cannot be made of ``base`` bars.
    """
    if (interval.is_intraday and (not base.is_intraday or interval.seconds % base.seconds)) or interval < base:
        raise IntervalError(f"{interval} bars cannot be made of {base} bars.")
    inside, segment = rows_in_segments(bars.timestamp, grid, regular_only=not interval.is_intraday)
    if not inside.all():
        bars, segment = bars.take(inside), segment[inside]
    if not len(bars):
        return Bars.empty()
    if interval.is_intraday:
        group, start, end, expected = _intraday_bounds(bars.timestamp, segment, grid, interval, base)
    else:
        group, start, end, expected = _group_bounds(segment, grid, interval, base)
    first = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    count = np.add.reduceat(bars.count, first, dtype=np.int64)
    derived = Bars(
        start[first],
        end[first],
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[np.append(first[1:], len(group)) - 1],
        np.add.reduceat(bars.volume, first),
        count.astype(np.int32),
    )
    # Rounded up from below: 0.81 of 300 is 243, and not the 243.00000000000003 that floats make of it.
    complete = count >= np.ceil(min_completeness * expected[first] - 1e-9)
    return derived if complete.all() else derived.take(complete)


def rows_in_segments(
    timestamp: NDArray[np.int64], grid: SessionGrid, *, regular_only: bool = False
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Which times lie within a trading segment of the grid, and in which.

    Returns:
        A mask, and per time the index of the segment; where the mask is False the index means nothing.
    """
    segment = np.searchsorted(grid.segment_open_ns, timestamp, side="right") - 1
    if not len(grid.segment_open_ns):
        return np.zeros(len(timestamp), np.bool_), segment
    inside = (segment >= 0) & (timestamp < grid.segment_close_ns[segment])
    if regular_only:
        inside &= grid.segment_is_regular[segment]
    return inside, segment


_Bounds = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]"]


def _intraday_bounds(
    timestamp: NDArray[np.int64], segment: NDArray[np.intp], grid: SessionGrid, interval: Interval, base: Interval
) -> _Bounds:
    """Per base bar: the group it belongs to, the group's start, its end, and the base bars that it should have."""
    opens = grid.segment_open_ns[segment]
    start = opens + (timestamp - opens) // interval.ns * interval.ns
    end = np.minimum(start + interval.ns, grid.segment_close_ns[segment])
    return start, start, end, -(-(end - start) // base.ns)


def _group_bounds(segment: NDArray[np.intp], grid: SessionGrid, interval: Interval, base: Interval) -> _Bounds:
    """As `_intraday_bounds`, for bars of whole sessions."""
    expected = grid.expected_bars(interval)
    group = np.searchsorted(expected.session, grid.segment_session[segment], side="right") - 1
    counts = grid.expected_counts(interval, base)
    return group, expected.start_ns[group], expected.end_ns[group], counts[group]
