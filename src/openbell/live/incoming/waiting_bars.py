"""Bars that have arrived and wait for the session clock."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from openbell.model.interval import DAY_NS, parse_interval
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from openbell.market_data.today_bars import TodayBars
    from openbell.model.feed_events import FeedBar
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["Counts", "Place", "WaitingBars"]

_AHEAD_NS = 1_000_000_000
"""So long before its end may a bar come: clocks differ by less than that."""
_EARLY_NS = 30_000_000_000
"""So long before its end may a bar come that is kept until its time, for our clock may be slow."""

_NONE: set[tuple[str, str]] = set()

Place: TypeAlias = Literal["waits", "late", "early", "other_day", "outside", "future"]
"""What becomes of a bar: it waits for its time, came after that, came before its end, or is set aside and why."""


class Counts(NamedTuple):
    """Counts of the bars that came and were not played as new ones.

    Attributes:
        same: Bars that came again as they were.
        revised: Bars that came again with other values.
        late: Bars that came after their time was played.
        other_day: Bars of another day.
        outside: Bars outside the session, or that begin where no bar does.
        future: Bars that came long before their end.
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
        behind_ns: How far our clock is behind that of the feed, by the bar that came early last; 0 if it tells nothing.
    """

    def __init__(self, session: TradingSession, time_manager: TimeManager) -> None:
        self._session = session
        self._time_manager = time_manager
        self._ends: dict[str, dict[int, int]] = {}
        self._closes: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        self._by_end: dict[int, list[FeedBar]] = defaultdict(list)
        self._came: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self._early: dict[int, dict[tuple[str, str], FeedBar]] = defaultdict(dict)
        self._early_history: dict[int, dict[tuple[str, str], FeedBar]] = defaultdict(dict)
        self._first_early: dict[str, tuple[int, int, int]] = {}
        self._changing: set[str] = set()
        self._set_aside: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self.behind_ns = 0
        self.too_late: list[FeedBar] = []
        self.counts: dict[str, int] = dict.fromkeys(Counts._fields, 0)

    def put(self, bar: FeedBar, now_ns: int, played_ns: int, *, is_history: bool = False) -> Place:
        """Keep a bar that has come until its time, or refuse it.

        Args:
            bar: The bar.
            now_ns: The time outside of the session clock, nanoseconds since 1970 UTC.
            played_ns: The time up to which the session is played.
            is_history: Whether it came as history, for which any bar of the stream stands.

        Returns:
            What becomes of it.
        """
        end_ns = self._ends_of(bar.interval).get(bar.start_ns)
        if end_ns is None:
            place: Place = "outside" if self.is_on(bar.start_ns) else "other_day"
            self.counts[place] += 1
            return place
        if end_ns <= played_ns:
            self.too_late.append(bar)
            return "late"
        key = bar.symbol, bar.interval
        if end_ns > now_ns + _AHEAD_NS:
            if end_ns <= now_ns + _EARLY_NS:
                if is_history:
                    self._early_history[end_ns][key] = bar
                else:
                    self._keep_early(bar, end_ns, end_ns - now_ns)
                return "early"
            self.counts["future"] += 1
            self._set_aside[end_ns].add(key)
            return "future"
        if self._early and self._early.get(end_ns, {}).pop(key, bar) != bar:
            self._changing.add(bar.interval)
        if self._early_history:  # which may hold the bar as it was before its end
            self._early_history.get(end_ns, {}).pop(key, None)
        self._by_end[end_ns].append(bar)
        self._came[end_ns].add(key)
        return "waits"

    def _keep_early(self, bar: FeedBar, end_ns: int, early_ns: int) -> None:
        """Keep a bar until its time, unless it comes again.

        It counts as come when those of the time before were as early, for then it is our clock that is slow. Else the
        time waits as if it had not come, since some feeds send bars that still change.
        """
        key = bar.symbol, bar.interval
        self._early[end_ns][key] = bar
        last_ns, first, before = self._first_early.get(bar.interval, (end_ns, early_ns, 0))
        if end_ns > last_ns:
            last_ns, first, before = end_ns, early_ns, first
        self._first_early[bar.interval] = last_ns, first, before
        is_clock = before and abs(early_ns - before) <= _AHEAD_NS
        self.behind_ns = 0
        if is_clock and bar.interval not in self._changing and end_ns not in self._set_aside:
            self.behind_ns = early_ns
            self._came[end_ns].add(key)

    def is_on(self, time_ns: int) -> bool:
        """Return whether a time lies in the session."""
        return self._session.first_ns <= time_ns < self._session.last_ns

    def take_until(self, time_ns: int) -> list[FeedBar]:
        """Return the bars that have closed by a time, and remove them from here."""
        taken: list[FeedBar] = []
        for end_ns in sorted(end for end in {*self._by_end, *self._early, *self._early_history} if end <= time_ns):
            taken += [*self._by_end.pop(end_ns, ()), *self._early_at(end_ns).values()]
            for kept in (self._early, self._early_history, self._came):
                kept.pop(end_ns, None)
        return taken

    def take_set_aside(self, due: set[tuple[str, str]], time_ns: int) -> bool:
        """Return, once, whether a bar that is due at a time has not come but long before its end."""
        set_aside = self._set_aside.pop(time_ns, _NONE)
        return not set_aside.isdisjoint(due - self._came.get(time_ns, _NONE) - self._early_at(time_ns).keys())

    def _early_at(self, end_ns: int) -> dict[tuple[str, str], FeedBar]:
        """Return the bars of one end that came before it, those of the stream in place of those of history."""
        return {**self._early_history.get(end_ns, {}), **self._early.get(end_ns, {})}

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
        came = *self._came.get(time_ns, _NONE), *self._early_at(time_ns)
        return any(name == interval for _, name in came)

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
