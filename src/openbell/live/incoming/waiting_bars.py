"""Bars that have arrived and wait for the session clock."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openbell.model.interval import DAY_NS, parse_interval
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from openbell.market_data.today_bars import TodayBars
    from openbell.model.feed_events import FeedBar
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["Counts", "WaitingBars"]

_AHEAD_NS = 1_000_000_000
"""How far the feed's clock may be ahead of ours before its bars are refused as future ones."""


_NONE: set[tuple[str, str]] = set()


class Counts(NamedTuple):
    """Counts of the bars that came and were not played as new ones.

    Attributes:
        same: Bars that came again as they were.
        revised: Bars that came again with other values.
        late: Bars that came after their time was played.
        other_day: Bars of another day.
        outside: Bars outside the session, or that begin where no bar does.
        future: Bars that had not closed.
        unasked: Bars of symbols that were not subscribed.
    """

    same: int = 0
    revised: int = 0
    late: int = 0
    other_day: int = 0
    outside: int = 0
    future: int = 0
    unasked: int = 0


class WaitingBars:
    """Bars that wait until their time is played, and those that came after it was.

    Args:
        session: The session's times.
        time_manager: The calendar.

    Attributes:
        too_late: Bars of times that have been played, in the order in which they came.
        counts: How many bars were refused, late or repeated, by the names of `Counts`.
    """

    def __init__(self, session: TradingSession, time_manager: TimeManager) -> None:
        self._session = session
        self._time_manager = time_manager
        self._ends: dict[str, dict[int, int]] = {}
        self._closes: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        self._by_end: dict[int, list[FeedBar]] = defaultdict(list)
        self._came: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self.too_late: list[FeedBar] = []
        self.counts: dict[str, int] = dict.fromkeys(Counts._fields, 0)

    def put(self, bar: FeedBar, now_ns: int, played_ns: int) -> bool:
        """Keep a bar that has come until its time, or refuse it.

        Args:
            bar: The bar.
            now_ns: The time outside of the session clock, nanoseconds since 1970 UTC.
            played_ns: The time up to which the session is played.

        Returns:
            Whether it belongs to the session.
        """
        end_ns = self._ends_of(bar.interval).get(bar.start_ns)
        if end_ns is None:
            session = self._session
            inside = session.first_ns <= bar.start_ns < session.last_ns
            self.counts["outside" if inside else "other_day"] += 1
            return False
        if end_ns > now_ns + _AHEAD_NS:
            self.counts["future"] += 1
            return False
        if end_ns <= played_ns:
            self.too_late.append(bar)
        else:
            self._by_end[end_ns].append(bar)
            self._came[end_ns].add((bar.symbol, bar.interval))
        return True

    def take_until(self, time_ns: int) -> list[FeedBar]:
        """Return the bars that have closed by a time, and remove them from here."""
        taken: list[FeedBar] = []
        for end_ns in sorted(end for end in self._by_end if end <= time_ns):
            taken += self._by_end.pop(end_ns)
            self._came.pop(end_ns, None)
        return taken

    def take_late(self, *, except_of: Collection[str] = ()) -> list[FeedBar]:
        """Return the bars that came too late, and remove them from here.

        Args:
            except_of: The symbols whose bars stay.
        """
        taken = [bar for bar in self.too_late if bar.symbol not in except_of]
        self.too_late = [bar for bar in self.too_late if bar.symbol in except_of]
        return taken

    def added_to(
        self, today: TodayBars, bars: Iterable[FeedBar], *counted: str, new: str = "new"
    ) -> list[tuple[FeedBar, str]]:
        """Add bars to those of the session's day, and return those that changed it, each with its kind.

        Args:
            today: The bars of the session's day.
            bars: The bars to add.
            counted: The kinds to count.
            new: The kind as which a bar after all others is counted.
        """
        kept: list[tuple[FeedBar, str]] = []
        for bar in bars:
            kind = today.add(bar).kind
            if (name := new if kind == "new" else kind) in counted:
                self.counts[name] += 1
            if kind != "same":
                kept.append((bar, kind))
        return kept

    def next_close(self, intervals: Iterable[str], after_ns: int) -> int | None:
        """Return the next time at which a bar of some intervals closes by the calendar, or None."""
        found = []
        for name in intervals:
            closes = self._closes_of(name)
            place = int(closes.searchsorted(after_ns, side="right"))
            if place < len(closes):
                found.append(int(closes[place]))
        return min(found, default=None)

    def closes_between(self, intervals: Iterable[str], after_ns: int, until_ns: int) -> int:
        """Return at how many times, after one up to another, bars of some intervals close by the calendar."""
        closes = [self._closes_of(name) for name in intervals]
        return len({int(ns) for of_one in closes for ns in of_one[(of_one > after_ns) & (of_one <= until_ns)]})

    def is_due(self, interval: str, time_ns: int) -> bool:
        """Return whether a bar of an interval closes at a time by the calendar."""
        closes = self._closes_of(interval)
        place = int(closes.searchsorted(time_ns))
        return place < len(closes) and int(closes[place]) == time_ns

    def due(self, expected: Mapping[str, Iterable[str]], time_ns: int) -> set[tuple[str, str]]:
        """Return the symbols and intervals of which a bar closes at a time by the calendar.

        Args:
            expected: The symbols by interval.
            time_ns: The time, nanoseconds since 1970 UTC.
        """
        return {
            (symbol, interval)
            for interval, symbols in expected.items()
            if self.is_due(interval, time_ns)
            for symbol in symbols
        }

    def has_all(self, due: set[tuple[str, str]], time_ns: int) -> bool:
        """Return whether all bars that are due at a time have come."""
        came = self._came.get(time_ns, _NONE)
        # Called after each of thousands of bars. Mostly some are missing, which the counts show faster.
        return len(came) >= len(due) and due <= came

    def has_any(self, interval: str, time_ns: int) -> bool:
        """Return whether any bar of an interval has come that closes at a time."""
        return any(name == interval for _, name in self._came.get(time_ns, _NONE))

    def end_of(self, bar: FeedBar) -> int:
        """Return when a bar of the session closes, nanoseconds since 1970 UTC."""
        return self._ends_of(bar.interval)[bar.start_ns]

    def _ends_of(self, interval: str) -> dict[int, int]:
        known = self._ends.get(interval)
        if known is None:
            day, session = self._session.day, self._session
            if parse_interval(interval).is_intraday:
                expected = self._time_manager.grid(day, day).possible_bars(parse_interval(interval))
                known = dict(zip(expected.start_ns.tolist(), expected.end_ns.tolist(), strict=True))
            else:
                known = {day_number(day) * DAY_NS: session.close_ns}
            self._ends[interval] = known
        return known

    def _closes_of(self, interval: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        known = self._closes.get(interval)
        if known is None:
            known = self._closes[interval] = np.unique(np.array(list(self._ends_of(interval).values()), np.int64))
        return known
