"""`SessionGrid`: consecutive sessions as columns, and the bars that the calendar expects of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from openbell.errors import IntervalError
from openbell.timing.expected import BARS_KEPT, bars_before, expected_bars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.model.interval import Interval
    from openbell.timing.expected import ExpectedBars

__all__ = [
    "ANCHOR_DAY",
    "Segment",
    "SessionGrid",
    "TradingSession",
    "bars_before",
    "date_of",
    "day_number",
]

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

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


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
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
            known = expected_bars(self, interval)
            # Grids outlive the days that ask for them, and those of seconds would outgrow the bars themselves.
            if len(known) <= BARS_KEPT:
                self._expected[interval] = known
        return known

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
        before = bars_before(whole, base)
        first = np.searchsorted(whole.open_ns, bars.start_ns)
        return np.asarray(before[first + bars.sessions] - before[first], np.int64)

    def group_of_session(self, interval: Interval) -> NDArray[np.int64]:
        """Per session, which ``<n>d`` or ``<n>w`` bar it is part of; the same in every window (int64)."""
        if interval.unit == "w":
            return (self.days - ANCHOR_DAY) // 7 // interval.count
        return (self.first_ordinal + np.arange(len(self.days), dtype=np.int64)) // interval.count
