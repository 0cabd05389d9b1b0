"""`SessionGrid`: consecutive sessions as columns, and the bars that the calendar expects of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.errors import IntervalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openbell.interval import Interval

__all__ = ["ANCHOR_DAY", "ExpectedBars", "Segment", "SessionGrid", "TradingSession", "date_of", "day_number"]

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

_BARS_KEPT = 10_000

ANCHOR_DAY = 10_959
"""Monday 2000-01-03 in days since 1970-01-01; groups of sessions and of weeks are counted from it in every window."""


def day_number(day: date) -> int:
    """A date in days since 1970-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


def date_of(number: int | np.integer) -> date:
    """The date that is so many days after 1970-01-01."""
    return date.fromordinal(int(number) + _EPOCH_ORDINAL)


@dataclass(frozen=True, slots=True)
class Segment:
    """A time without a break in a session; nanoseconds since 1970 UTC."""

    open_ns: int
    close_ns: int
    is_regular: bool


@dataclass(frozen=True, slots=True)
class TradingSession:
    """One session; all times are nanoseconds since 1970 UTC.

    Attributes:
        day: The date that names it.
        open_ns: The regular open.
        close_ns: The regular close.
        first_ns: When trading begins; before ``open_ns`` in extended hours.
        last_ns: When trading ends; after ``close_ns`` in extended hours.
        segments: The times between breaks, in order.
    """

    day: date
    open_ns: int
    close_ns: int
    first_ns: int
    last_ns: int
    segments: tuple[Segment, ...]


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


class _Block(NamedTuple):
    """The intraday bars of many consecutive sessions.

    Attributes:
        first: The index of the first session in the whole calendar.
        rows: Per session, the row of its first bar; and as a last entry how many bars there are.
        bars: The bars.
    """

    first: int
    rows: Sequence[int]
    bars: ExpectedBars

    def of_sessions(self, begin: int, end: int) -> ExpectedBars:
        """The bars of some of the sessions, by their indexes in the whole calendar."""
        bars, shift = self.bars, begin - self.first
        rows = slice(self.rows[shift], self.rows[end - self.first])
        return ExpectedBars(bars.start_ns[rows], bars.end_ns[rows], bars.session[rows] - shift, bars.sessions[rows])


@dataclass(frozen=True, slots=True, eq=False)
class SessionGrid:
    """Consecutive sessions of one exchange, as read-only int64 columns; all times are nanoseconds since 1970 UTC.

    A trading segment is a time without a break: a session is one segment, two around a lunch break, and in extended
    hours the pre-market and the post-market are segments of their own.

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
    """

    days: NDArray[np.int64]
    open_ns: NDArray[np.int64]
    close_ns: NDArray[np.int64]
    segment_open_ns: NDArray[np.int64]
    segment_close_ns: NDArray[np.int64]
    segment_session: NDArray[np.int64]
    segment_is_regular: NDArray[np.bool_]
    first_ordinal: int
    whole: SessionGrid | None = field(default=None, repr=False)
    _expected: dict[Interval, ExpectedBars] = field(default_factory=dict, init=False, repr=False)
    _counts: dict[Interval, NDArray[np.int64]] = field(default_factory=dict, init=False, repr=False)
    # Of windows: the bars of the sessions that were asked for last, and of more after them.
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
        """The window of sessions ``begin`` up to but without ``end`` (indexes), without copying their times."""
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
        )

    def segments_of_sessions(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Per session, the index of its first segment and the one after its last (int64)."""
        first = np.searchsorted(self.segment_session, np.arange(len(self.days) + 1))
        return first[:-1].astype(np.int64), first[1:].astype(np.int64)

    def session_at(self, index: int) -> TradingSession:
        """The session at an index of ``days``, as a value."""
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
        """The bars of ``interval`` that the regular hours of these sessions are expected to hold.

        Intraday bars tile each segment: aligned to its open, the last one cut at its close. A daily bar is a session,
        ``<n>d`` are n sessions and ``<n>w`` the sessions of n ISO weeks, both counted from 2000-01-03. Where the grid
        cuts through such a group, the bar still starts and ends where the whole group does, so that the bar of a week
        never counts as closed on its Wednesday.
        """
        known = self._expected.get(interval)
        if known is None:
            if not interval.is_intraday:
                known = self._group(interval)
            elif self.whole is None:
                known = self._tile(interval)
            else:
                known = self.whole.bars_of_sessions(interval, self.first_ordinal - self.whole.first_ordinal, self)
            # Grids outlive the days that ask for them, and those of seconds would outgrow the bars themselves.
            if len(known) <= _BARS_KEPT:
                self._expected[interval] = known
        return known

    def bars_of_sessions(self, interval: Interval, begin: int, window: SessionGrid) -> ExpectedBars:
        """The bars of an intraday interval in a window of this grid, which is the sessions from ``begin`` on.

        Of a small one they are views of those of a larger one: days move on, and ask for nearly the same again.
        """
        end = begin + len(window)
        block = self._blocks.get(interval)
        if block is None or not block.first <= begin <= end < block.first + len(block.rows):
            per_session = max(1, int(window.bars_per_session(interval).max(initial=1)))
            larger = self.between(begin, begin + _BARS_KEPT // per_session)
            if len(larger) < len(window):
                return window._tile(interval)
            rows = [0, *np.cumsum(larger.bars_per_session(interval)).tolist()]
            block = self._blocks[interval] = _Block(begin, rows, larger._tile(interval))  # noqa: SLF001 -- as above
        return block.of_sessions(begin, end)

    def bars_per_session(self, interval: Interval) -> NDArray[np.int64]:
        """How many bars of an intraday ``interval`` the regular hours of each session are expected to hold (int64).

        Raises:
            IntervalError: The interval is not intraday.
        """
        if not interval.is_intraday:
            raise IntervalError(
                f"{interval} bars lie across whole sessions; only intraday bars are counted per session."
            )
        known = self._counts.get(interval)
        if known is None:
            regular = self.segment_is_regular
            length = self.segment_close_ns[regular] - self.segment_open_ns[regular]
            known = np.zeros(len(self.days), np.int64)
            np.add.at(known, self.segment_session[regular], -(-length // interval.ns))
            known.setflags(write=False)
            self._counts[interval] = known
        return known

    def expected_counts(self, interval: Interval, base: Interval) -> NDArray[np.int64]:
        """How many ``base`` bars each bar of ``expected_bars(interval)`` is made of when none is missing (int64)."""
        bars = self.expected_bars(interval)
        if interval.is_intraday:
            return -(-(bars.end_ns - bars.start_ns) // base.ns)
        if not base.is_intraday:
            return bars.sessions
        whole = self.whole or self
        total = np.concatenate([[0], np.cumsum(whole.bars_per_session(base))])
        first = np.searchsorted(whole.open_ns, bars.start_ns)
        return np.asarray(total[first + bars.sessions] - total[first], np.int64)

    def group_of_session(self, interval: Interval) -> NDArray[np.int64]:
        """Per session, which ``<n>d`` or ``<n>w`` bar it is part of; the same in every window (int64)."""
        if interval.unit == "w":
            return (self.days - ANCHOR_DAY) // 7 // interval.count
        return (self.first_ordinal + np.arange(len(self.days), dtype=np.int64)) // interval.count

    def _tile(self, interval: Interval) -> ExpectedBars:
        """Intraday bars, all segments at once."""
        regular = self.segment_is_regular
        opens, closes = self.segment_open_ns[regular], self.segment_close_ns[regular]
        bars = -(-(closes - opens) // interval.ns)
        bars_before = np.cumsum(bars) - bars
        number = np.arange(bars.sum(), dtype=np.int64)
        start = np.repeat(opens - bars_before * interval.ns, bars) + number * interval.ns
        end = np.minimum(start + interval.ns, np.repeat(closes, bars))
        session = np.repeat(self.segment_session[regular], bars)
        return ExpectedBars(start, end, session, np.broadcast_to(np.int64(1), len(start)))

    def _group(self, interval: Interval) -> ExpectedBars:
        """Daily and weekly bars: the sessions of each group, by the whole calendar."""
        whole = self.whole or self
        groups, session = np.unique(self.group_of_session(interval), return_index=True)
        all_groups = whole.group_of_session(interval)
        first = np.searchsorted(all_groups, groups, side="left")
        after = np.searchsorted(all_groups, groups, side="right")
        return ExpectedBars(
            whole.open_ns[first], whole.close_ns[after - 1], session.astype(np.int64), (after - first).astype(np.int64)
        )
