"""`ExpectedBars`: the bars that a calendar expects of consecutive sessions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.model.interval import Interval
    from openbell.timing.grid import SessionGrid

__all__ = ["BARS_KEPT", "ExpectedBars", "bars_before", "expected_bars"]

BARS_KEPT = 10_000
"""More bars than that are not kept: they can be made again."""


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedBars:
    """The bars that a calendar expects, in ascending time; int64 columns of one length, read-only.

    Attributes:
        start_ns: Start of each bar, nanoseconds since 1970 UTC.
        end_ns: Close of each bar, when it becomes visible; nanoseconds since 1970 UTC.
        session: Which session of the grid the bar lies in; of a bar of several sessions the first that the grid has.
        sessions: How many sessions the whole bar has by the calendar, also outside the grid; 1 for an intraday bar.
    """

    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    session: NDArray[np.int64]
    sessions: NDArray[np.int64]

    def __post_init__(self) -> None:
        for column in (self.start_ns, self.end_ns, self.session, self.sessions):
            column.setflags(write=False)

    def __len__(self) -> int:
        return len(self.start_ns)

    def part(self, start: int, stop: int) -> ExpectedBars:
        """The bars of some rows, as views."""
        rows = slice(start, stop)
        return ExpectedBars(self.start_ns[rows], self.end_ns[rows], self.session[rows], self.sessions[rows])


def expected_bars(grid: SessionGrid, interval: Interval) -> ExpectedBars:
    """See `SessionGrid.expected_bars`."""
    if not interval.is_intraday:
        return _grouped(grid, interval)
    return _tiled(grid, interval) if grid.whole is None else _tiled_window(grid, grid.whole, interval)


@lru_cache(maxsize=256)
def bars_before(grid: SessionGrid, interval: Interval) -> NDArray[np.int64]:
    """How many intraday bars all sessions before each one hold, and as a last entry those of all sessions (int64)."""
    return np.concatenate([[0], np.cumsum(grid.bars_per_session(interval))])


class _Block(NamedTuple):
    """The intraday bars of the sessions from index ``first`` of a calendar up to but without ``after``."""

    first: int
    after: int
    bars: ExpectedBars


_blocks: WeakKeyDictionary[SessionGrid, dict[Interval, _Block]] = WeakKeyDictionary()
"""By calendar, the bars that were asked for last, and those of the sessions after them."""


def _tiled_window(window: SessionGrid, whole: SessionGrid, interval: Interval) -> ExpectedBars:
    """Intraday bars; of a small window views of those of a larger one: days move on, and ask for nearly the same."""
    begin = window.first_ordinal - whole.first_ordinal
    end, before = begin + len(window), bars_before(whole, interval)
    blocks = _blocks.setdefault(whole, {})
    block = blocks.get(interval)
    if block is None or not block.first <= begin <= end <= block.after:
        after = int(before.searchsorted(before[begin] + BARS_KEPT, side="right")) - 1
        if begin == end or after < end:
            return _tiled(window, interval)
        block = blocks[interval] = _Block(begin, after, _tiled(whole.between(begin, after), interval))
    bars, rows = block.bars, slice(*(before[[begin, end]] - before[block.first]).tolist())
    session = bars.session[rows] - (begin - block.first)
    return ExpectedBars(bars.start_ns[rows], bars.end_ns[rows], session, bars.sessions[rows])


def _tiled(grid: SessionGrid, interval: Interval) -> ExpectedBars:
    """Intraday bars, all segments at once."""
    regular = grid.segment_is_regular
    opens, closes = grid.segment_open_ns[regular], grid.segment_close_ns[regular]
    bars = -(-(closes - opens) // interval.ns)
    before = np.cumsum(bars) - bars
    number = np.arange(bars.sum(), dtype=np.int64)
    start = np.repeat(opens - before * interval.ns, bars) + number * interval.ns
    end = np.minimum(start + interval.ns, np.repeat(closes, bars))
    session = np.repeat(grid.segment_session[regular], bars)
    return ExpectedBars(start, end, session, np.broadcast_to(np.int64(1), len(start)))


def _grouped(grid: SessionGrid, interval: Interval) -> ExpectedBars:
    """Daily and weekly bars: the sessions of each group, by the whole calendar."""
    whole = grid.whole or grid
    groups, session = np.unique(grid.group_of_session(interval), return_index=True)
    all_groups = whole.group_of_session(interval)
    first = np.searchsorted(all_groups, groups, side="left")
    after = np.searchsorted(all_groups, groups, side="right")
    return ExpectedBars(
        whole.open_ns[first], whole.close_ns[after - 1], session.astype(np.int64), (after - first).astype(np.int64)
    )
