"""Consecutive sessions as columns, and the bars that are expected in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.errors import IntervalError
from openbell.timing.trading_session import Segment, TradingSession

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.model.interval import Interval

__all__ = [
    "ANCHOR_DAY",
    "ExpectedBars",
    "SessionGrid",
    "date_of",
    "day_number",
]


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedBars:
    """Expected bars in ascending time, as read-only int64 columns of one length.

    Attributes:
        start_ns: Start of each bar, nanoseconds since 1970 UTC.
        end_ns: Close of each bar, when it becomes visible; nanoseconds since 1970 UTC.
        session: Index of the bar's session in the grid; for a bar of several sessions, of the first one in the grid.
        sessions: How many sessions the whole bar has by the calendar, those outside the grid included; 1 for an
            intraday bar.
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
        """Return the bars from row ``start`` up to but without ``stop``, as views."""
        rows = slice(start, stop)
        return ExpectedBars(self.start_ns[rows], self.end_ns[rows], self.session[rows], self.sessions[rows])


def tiled_bars(
    open_ns: NDArray[np.int64], close_ns: NDArray[np.int64], session: NDArray[np.int64], length_ns: int
) -> ExpectedBars:
    """Tile segments with intraday bars, aligned to each open and cut at each close.

    Args:
        open_ns: Open of each segment, ascending.
        close_ns: Its close.
        session: The index of its session.
        length_ns: Length of a whole bar.
    """
    bars = -(-(close_ns - open_ns) // length_ns)
    before = np.cumsum(bars) - bars
    number = np.arange(bars.sum(), dtype=np.int64)
    start = np.repeat(open_ns - before * length_ns, bars) + number * length_ns
    end = np.minimum(start + length_ns, np.repeat(close_ns, bars))
    return ExpectedBars(start, end, np.repeat(session, bars), np.broadcast_to(np.int64(1), len(start)))


def grouped_bars(
    open_ns: NDArray[np.int64],
    close_ns: NDArray[np.int64],
    group_of_session: NDArray[np.int64],
    window_groups: NDArray[np.int64],
) -> ExpectedBars:
    """Build daily or weekly bars from groups of sessions.

    Args:
        open_ns: Open of each session of the whole calendar.
        close_ns: Its close.
        group_of_session: The number of its group, ascending.
        window_groups: The groups of the window's sessions.
    """
    session = np.flatnonzero(np.diff(window_groups, prepend=window_groups[:1] - 1))
    groups = window_groups[session]
    first = np.searchsorted(group_of_session, groups, side="left")
    after = np.searchsorted(group_of_session, groups, side="right")
    return ExpectedBars(open_ns[first], close_ns[after - 1], session.astype(np.int64), (after - first).astype(np.int64))


_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

ANCHOR_DAY = 10_959
"""Monday 2000-01-03 in days since 1970-01-01; groups of sessions and of weeks are counted from its week everywhere."""

_MOST_CACHED_BARS = 10_000
"""The most bars of an interval that a grid caches, as it may live as long as the process."""
_BLOCK_GROWTH = 8
"""How many times the bars of the block before it a new block may have."""


def day_number(day: date) -> int:
    """Return a date in days since 1970-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


def date_of(number: int | np.integer) -> date:
    """Return the date ``number`` days after 1970-01-01."""
    return date.fromordinal(int(number) + _EPOCH_ORDINAL)


class _Block(NamedTuple):
    """The intraday bars of sessions ``first`` up to but without ``after`` of a calendar."""

    first: int
    after: int
    bars: ExpectedBars


@dataclass(frozen=True, slots=True, eq=False)
class SessionGrid:
    """Consecutive sessions of one exchange, as read-only columns.

    Columns are int64, and all times are nanoseconds since 1970 UTC. A trading segment is a time without a break: a
    session is one segment, two around a lunch break, and in extended hours the pre-market and the post-market are
    segments of their own.

    Attributes:
        days: Per session, its date in days since 1970-01-01 (a futures session opens on the evening before it).
        open_ns: Per session, its regular open.
        close_ns: Per session, its regular close.
        segment_open_ns: Per segment, its open; ascending.
        segment_close_ns: Per segment, its close.
        segment_session: Per segment, the index of its session in ``days``.
        segment_is_regular: Per segment, whether it belongs to the regular hours (bool).
        first_ordinal: The number of ``days[0]`` in the calendar, 0 being the first session on or after 2000-01-03.
        whole: The grid of the whole calendar that this one is a window of; None when it is the whole one.
        week_anchor: The first day of the week of 2000-01-03, in days since 1970-01-01; it says on which weekday the
            exchange's weeks begin.
    """

    days: NDArray[np.int64]
    open_ns: NDArray[np.int64]
    close_ns: NDArray[np.int64]
    segment_open_ns: NDArray[np.int64]
    segment_close_ns: NDArray[np.int64]
    segment_session: NDArray[np.int64]
    segment_is_regular: NDArray[np.bool]
    first_ordinal: int
    whole: SessionGrid | None = field(default=None, repr=False)
    week_anchor: int = ANCHOR_DAY
    _expected: dict[Interval, ExpectedBars] = field(default_factory=dict, init=False, repr=False)
    _before: dict[Interval, NDArray[np.int64]] = field(default_factory=dict, init=False, repr=False)
    _blocks: dict[Interval, _Block] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for column in (
            self.days,
            self.open_ns,
            self.close_ns,
            self.segment_open_ns,
            self.segment_close_ns,
            self.segment_session,
            self.segment_is_regular,
        ):
            column.setflags(write=False)

    def __len__(self) -> int:
        return len(self.days)

    def between(self, begin: int, end: int) -> SessionGrid:
        """Return the window of sessions ``begin`` up to but without ``end`` (indexes), as views."""
        low, high = self.segment_session.searchsorted((begin, max(begin, end))).tolist()
        return SessionGrid(
            days=self.days[begin:end],
            open_ns=self.open_ns[begin:end],
            close_ns=self.close_ns[begin:end],
            segment_open_ns=self.segment_open_ns[low:high],
            segment_close_ns=self.segment_close_ns[low:high],
            segment_session=self.segment_session[low:high] - begin,
            segment_is_regular=self.segment_is_regular[low:high],
            first_ordinal=self.first_ordinal + begin,
            whole=self.whole or self,
            week_anchor=self.week_anchor,
        )

    def segments_of_sessions(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return per session its first segment and the one after its last, as indexes (int64)."""
        first = np.searchsorted(self.segment_session, np.arange(len(self.days) + 1))
        return first[:-1].astype(np.int64), first[1:].astype(np.int64)

    def session_at(self, index: int) -> TradingSession:
        """Return the session at an index of ``days``, as a value."""
        low, high = self.segment_session.searchsorted((index, index + 1)).tolist()
        segments = tuple(
            Segment(int(self.segment_open_ns[k]), int(self.segment_close_ns[k]), bool(self.segment_is_regular[k]))
            for k in range(low, high)
        )
        return TradingSession(
            day=date_of(self.days[index]),
            open_ns=int(self.open_ns[index]),
            close_ns=int(self.close_ns[index]),
            first_ns=segments[0].open_ns,
            last_ns=segments[-1].close_ns,
            segments=segments,
        )

    def expected_bars(self, interval: Interval) -> ExpectedBars:
        """Return the bars of ``interval`` expected within the regular hours of these sessions.

        Intraday bars tile each segment: aligned to its open, the last one cut at its close. A daily bar is a session,
        ``<n>d`` are n sessions and ``<n>w`` the sessions of n weeks of the exchange, both counted from 2000-01-03.
        Where the grid cuts through such a group, the bar still starts and ends where the whole group does, so that the
        bar of a week never counts as closed in the middle of it.
        """
        bars = self._expected.get(interval)
        if bars is None:
            bars = self._intraday_bars(interval) if interval.is_intraday else self._grouped_bars(interval)
            if len(bars) <= _MOST_CACHED_BARS:
                self._expected[interval] = bars
        return bars

    def possible_bars(self, interval: Interval) -> ExpectedBars:
        """Return all intraday bars that may occur, those outside of the regular hours included."""
        if self.segment_is_regular.all():
            return self.expected_bars(interval)
        return tiled_bars(self.segment_open_ns, self.segment_close_ns, self.segment_session, interval.ns)

    def _intraday_bars(self, interval: Interval) -> ExpectedBars:
        """Return intraday bars, if possible as views of the cached bars of a longer window."""
        if self.whole is None:
            return self._tiled_bars(interval)
        begin = self.first_ordinal - self.whole.first_ordinal
        block = self.whole._block_with(begin, begin + len(self), interval)  # noqa: SLF001  a grid of the same class
        if block is None:
            return self._tiled_bars(interval)
        before = self.whole.bars_before(interval)
        low, high = (before[[begin, begin + len(self)]] - before[block.first]).tolist()
        bars = block.bars.part(low, high)
        return ExpectedBars(bars.start_ns, bars.end_ns, bars.session - (begin - block.first), bars.sessions)

    def _block_with(self, begin: int, end: int, interval: Interval) -> _Block | None:
        """Return a block with the bars of sessions ``begin`` up to but without ``end``, or None for too many bars."""
        block = self._blocks.get(interval)
        if block is not None and block.first <= begin <= end <= block.after:
            return block
        before = self.bars_before(interval)
        asked = int(before[end] - before[begin])
        if not 0 < asked <= _MOST_CACHED_BARS:
            return None
        # The next day of a backtest requests nearly the same bars, so those of later sessions are built as well; not
        # for the first block, because a run of one day requests no others.
        room = asked if block is None else min(_BLOCK_GROWTH * max(asked, len(block.bars)), _MOST_CACHED_BARS)
        after = int(before.searchsorted(before[begin] + room, side="right")) - 1
        block = self._blocks[interval] = _Block(begin, after, self.between(begin, after)._tiled_bars(interval))  # noqa: SLF001
        return block

    def _tiled_bars(self, interval: Interval) -> ExpectedBars:
        regular = self.segment_is_regular
        opens, closes = self.segment_open_ns[regular], self.segment_close_ns[regular]
        return tiled_bars(opens, closes, self.segment_session[regular], interval.ns)

    def _grouped_bars(self, interval: Interval) -> ExpectedBars:
        whole = self.whole or self
        groups = whole.group_of_session(interval)
        return grouped_bars(whole.open_ns, whole.close_ns, groups, self.group_of_session(interval))

    def bars_before(self, interval: Interval) -> NDArray[np.int64]:
        """Return the number of intraday bars before each session's regular hours, and last the total (int64).

        Raises:
            IntervalError: The interval is not intraday.
        """
        if not interval.is_intraday:
            raise IntervalError(
                f"{interval} bars lie across whole sessions; only intraday bars are counted per session."
            )
        total = self._before.get(interval)
        if total is None:
            regular = slice(None) if self.segment_is_regular.all() else self.segment_is_regular
            bars = -((self.segment_open_ns[regular] - self.segment_close_ns[regular]) // interval.ns)
            total = np.zeros(len(self.days) + 1, np.int64)
            # bincount adds up float64, in which these numbers are exact.
            np.cumsum(np.bincount(self.segment_session[regular], bars, len(self.days)), out=total[1:])
            total.setflags(write=False)
            self._before[interval] = total
        return total

    def bars_per_session(self, interval: Interval) -> NDArray[np.int64]:
        """Return the number of intraday bars expected in each session's regular hours (int64).

        Raises:
            IntervalError: The interval is not intraday.
        """
        return np.diff(self.bars_before(interval))

    def expected_counts(self, interval: Interval, base: Interval) -> NDArray[np.int64]:
        """Return the number of ``base`` bars in each complete bar of ``expected_bars(interval)`` (int64)."""
        bars = self.expected_bars(interval)
        if interval.is_intraday:
            return -(-(bars.end_ns - bars.start_ns) // base.ns)
        if not base.is_intraday:
            return bars.sessions
        whole = self.whole or self
        before = whole.bars_before(base)
        first = np.searchsorted(whole.open_ns, bars.start_ns)
        return np.asarray(before[first + bars.sessions] - before[first], np.int64)

    def group_of_session(self, interval: Interval) -> NDArray[np.int64]:
        """Return the number of each session's ``<n>d`` or ``<n>w`` bar (int64).

        A session has the same number in every window of the calendar.
        """
        if interval.unit == "w":
            return (self.days - self.week_anchor) // 7 // interval.count
        return (self.first_ordinal + np.arange(len(self.days), dtype=np.int64)) // interval.count
