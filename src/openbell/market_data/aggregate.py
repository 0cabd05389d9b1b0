"""Aggregation of base bars by the calendar, never across a break of trading."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.errors import IntervalError
from openbell.model.bars import Bars, BarTimes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.model.interval import Interval
    from openbell.timing.grid import SessionGrid

__all__ = ["Grouping", "aggregate", "aggregated", "as_inputs", "grouped", "rows_in_segments"]


def aggregate(
    bars: Bars, grid: SessionGrid, interval: Interval, *, base: Interval, min_completeness: float = 0.0
) -> Bars:
    """Make bars of ``interval`` from base bars.

    A bar has the first open, highest high, lowest low, last close and summed volume of its base bars.

    Intraday bars are aligned to the open of their trading segment and cut at its close. Daily and weekly bars are made
    of whole sessions, from regular hours only. A bar whose period goes on after the last of ``bars`` is made from the
    base bars so far; its ``end`` is still the end by the calendar, so that a cursor hides it until then.

    Args:
        bars: Base bars; those outside the grid's segments are left out.
        grid: The sessions that the bars lie in.
        interval: The interval to make; coarser than ``base``.
        base: The interval of ``bars``; its bars that start at the open of a session are ``1d`` bars.
        min_completeness: Bars with a smaller share of the base bars that the calendar expects are left out (0 to 1).

    Returns:
        The derived bars that have at least one base bar; ``count`` is the sum of the base bars' counts.

    Raises:
        IntervalError: ``interval`` cannot be made of ``base`` bars.
    """
    return aggregated(bars, grouped(bars.times, grid, interval, base=base, min_completeness=min_completeness))


class Grouping(NamedTuple):
    """The base bars of each derived bar, which follow from times alone.

    Attributes:
        inside: A mask of the base bars that are used; None: all.
        first: The first row of each derived bar among the used base bars; int64.
        complete: A mask of the derived bars that have enough base bars; None: all.
        times: The times of the derived bars that have enough base bars.
    """

    inside: NDArray[np.bool_] | None
    first: NDArray[np.intp]
    complete: NDArray[np.bool_] | None
    times: BarTimes


def grouped(
    times: BarTimes, grid: SessionGrid, interval: Interval, *, base: Interval, min_completeness: float = 0.0
) -> Grouping:
    """Group base bars by their times, with the arguments and errors of `aggregate`."""
    if (interval.is_intraday and (not base.is_intraday or interval.seconds % base.seconds)) or interval < base:
        raise IntervalError(f"{interval} bars cannot be made of {base} bars.")
    timestamp, counts = times.timestamp, times.count
    inside, segment = rows_in_segments(timestamp, grid, regular_only=not interval.is_intraday)
    everything = bool(inside.all())
    if not everything:
        timestamp, counts, segment = timestamp[inside], counts[inside], segment[inside]
    if not len(timestamp):
        return Grouping(inside, np.empty(0, np.intp), None, Bars.empty().times)
    if interval.is_intraday:
        group, start, end, expected = _intraday_bounds(timestamp, segment, grid, interval, base)
    else:
        group, start, end, expected = _group_bounds(segment, grid, interval, base)
    first = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    count = np.add.reduceat(counts, first, dtype=np.int64)
    # Less a little before rounding up: 0.81 of 300 is 243, not 244 because floats make 243.00000000000003 of it.
    complete = count >= np.ceil(min_completeness * expected[first] - 1e-9)
    selected = None if complete.all() else complete
    rows = first if selected is None else first[selected]
    derived = BarTimes(start[rows], end[rows], (count if selected is None else count[selected]).astype(np.int32))
    return Grouping(None if everything else inside, first, selected, derived)


def aggregated(bars: Bars, grouping: Grouping) -> Bars:
    """Aggregate bars by a grouping of their times."""
    first = grouping.first
    if not len(first):
        return Bars.empty()
    if grouping.inside is not None:
        bars = bars.take(grouping.inside)
    columns = [
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[np.append(first[1:], len(bars)) - 1],
        np.add.reduceat(bars.volume, first),
    ]
    if grouping.complete is not None:
        columns = [column[grouping.complete] for column in columns]
    return Bars.of(grouping.times, *columns)


def as_inputs(bars: Bars) -> Bars:
    """Return base bars with a count of at most one.

    So a built bar counts like a stored one.
    """
    if not len(bars) or int(bars.count.max()) <= 1:
        return bars
    return bars.at(BarTimes(bars.timestamp, bars.end, np.minimum(bars.count, 1).astype(np.int32)))


def rows_in_segments(
    timestamp: NDArray[np.int64], grid: SessionGrid, *, regular_only: bool = False
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Find the trading segment of the grid in which each time lies.

    Returns:
        A mask of the times that lie in a segment, and per time its index, which means nothing where the mask is False.
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
    """Return, per base bar, its group and that group's start, end and expected count."""
    opens = grid.segment_open_ns[segment]
    start = opens + (timestamp - opens) // interval.ns * interval.ns
    end = np.minimum(start + interval.ns, grid.segment_close_ns[segment])
    return start, start, end, -(-(end - start) // base.ns)


def _group_bounds(segment: NDArray[np.intp], grid: SessionGrid, interval: Interval, base: Interval) -> _Bounds:
    """Return, per base bar, the same as `_intraday_bounds`, for bars of whole sessions."""
    expected = grid.expected_bars(interval)
    group = np.searchsorted(expected.session, grid.segment_session[segment], side="right") - 1
    counts = grid.expected_counts(interval, base)
    return group, expected.start_ns[group], expected.end_ns[group], counts[group]
