"""Bars of a running session, in memory, as a feed sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np

from openbell.model.feed_events import FeedBar
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from numpy.typing import NDArray

    from openbell.timing.time_manager import TimeManager

__all__ = ["TodayBars", "TodayColumns", "Verdict"]

Kind: TypeAlias = Literal["new", "late", "revised", "same"]

_ROOM = 64
"""The number of bars that there is room for without a calendar, and the least that full room grows by."""


class Verdict(NamedTuple):
    """Relation of a bar to those that arrived before it.

    Attributes:
        kind: "new" starts after the last bar, "late" before it; "revised" has a known start with other values, "same"
            with the same values.
        old: The bar that a revised bar replaces, else None.
    """

    kind: Kind
    old: FeedBar | None = None


class TodayColumns(NamedTuple):
    """Today's bars of one symbol and interval, as views that never change.

    Attributes:
        start_ns: Starts of the bars, nanoseconds since 1970 UTC; int64, ascending.
        prices: Open, high, low, close and volume; float64, a row each.
        edition: The same object for as long as bars are only appended; another one after a late or revised bar.
    """

    start_ns: NDArray[np.int64]
    prices: NDArray[np.float64]
    edition: object


class TodayBars:
    """Bars of one day by symbol and interval, each once.

    Args:
        day: The session's day.
        time_manager: The calendar. With a symbol's first bar, room is made for all bars that the day may have, so that
            a session's memory does not grow later.

    Attributes:
        day: The session's day.
        sent: Returns the intervals in which the feed sends bars of a symbol.
    """

    def __init__(self, day: date, time_manager: TimeManager | None = None) -> None:
        self.day = day
        self.sent: Callable[[str], tuple[str, ...]] = _nothing
        self._time_manager = time_manager
        self._rooms: dict[str, int] = {}
        self._rows: dict[tuple[str, str], _Rows] = {}

    def begin(self, day: date) -> None:
        """Begin another day without bars.

        If ``day`` is the current day, its bars stay.
        """
        if day != self.day:
            self.day = day
            self._rows.clear()
            self._rooms.clear()

    def add(self, bar: FeedBar) -> Verdict:
        """Add or revise a bar, and return how it relates to those before."""
        key = bar.symbol, bar.interval
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = _Rows(self._room_of(bar.interval))
        return rows.add(bar)

    def _room_of(self, interval: str) -> int:
        """Return the number of bars of a symbol to make room for at first."""
        if interval not in self._rooms:
            room, parsed = _ROOM, parse_interval(interval)
            if self._time_manager is not None:
                grid = self._time_manager.grid(self.day, self.day)
                room = max(1, len(grid.possible_bars(parsed).start_ns)) if parsed.is_intraday else 1
            self._rooms[interval] = room
        return self._rooms[interval]

    def columns(self, symbol: str, interval: str) -> TodayColumns | None:
        """Return the bars of a symbol and interval, or None before the first."""
        rows = self._rows.get((symbol, interval))
        return rows.columns() if rows is not None and rows.count else None

    def has(self, symbol: str, interval: str, start_ns: int) -> bool:
        """Return whether the bar with this start has arrived."""
        rows = self._rows.get((symbol, interval))
        return rows is not None and rows.has(start_ns)

    def last_start_ns(self, symbol: str, interval: str) -> int | None:
        """Return the start of the last bar, or None before the first."""
        rows = self._rows.get((symbol, interval))
        return rows.last_start_ns if rows is not None and rows.count else None

    def forget(self, symbols: Iterable[str]) -> None:
        """Drop all bars of symbols."""
        gone = set(symbols)
        for key in [key for key in self._rows if key[0] in gone]:
            del self._rows[key]

    def all(self) -> Iterable[tuple[tuple[str, str], TodayColumns]]:
        """Iterate over all bars by symbol and interval."""
        return ((key, rows.columns()) for key, rows in self._rows.items() if rows.count)


def _nothing(_: str) -> tuple[str, ...]:
    return ()


class _Rows:
    """Bars of one symbol and interval, with room for more.

    Rows below ``count`` are changed only in a copy, so that views of them stay as they were.
    """

    def __init__(self, room: int) -> None:
        self.count = 0
        self._edition = object()
        self._starts: NDArray[np.int64] = np.empty(room, np.int64)
        self._prices: NDArray[np.float64] = np.empty((5, room), np.float64)

    @property
    def last_start_ns(self) -> int:
        return int(self._starts[self.count - 1])

    def columns(self) -> TodayColumns:
        return TodayColumns(self._starts[: self.count], self._prices[:, : self.count], self._edition)

    def has(self, start_ns: int) -> bool:
        place = self._place(start_ns)
        return place < self.count and int(self._starts[place]) == start_ns

    def add(self, bar: FeedBar) -> Verdict:
        values = bar[3:]
        if not self.count or bar.start_ns > self.last_start_ns:
            self._append(bar.start_ns, values)
            return Verdict("new")
        place = self._place(bar.start_ns)
        if int(self._starts[place]) != bar.start_ns:
            room = len(self._starts)
            self._starts = _with_room(np.insert(self._starts[: self.count], place, bar.start_ns), room)
            self._prices = _with_room(np.insert(self._prices[:, : self.count], place, values, axis=1), room)
            self.count += 1
            self._edition = object()
            return Verdict("late")
        known = tuple(self._prices[:, place].tolist())
        if known == values:
            return Verdict("same")
        self._prices = self._prices.copy()
        self._prices[:, place] = values
        self._edition = object()
        return Verdict("revised", FeedBar(bar.symbol, bar.interval, bar.start_ns, *known))

    def _append(self, start_ns: int, values: tuple[float, ...]) -> None:
        if self.count == len(self._starts):
            room = self.count + max(_ROOM, self.count)
            self._starts, self._prices = _with_room(self._starts, room), _with_room(self._prices, room)
        self._starts[self.count] = start_ns
        self._prices[:, self.count] = values
        self.count += 1

    def _place(self, start_ns: int) -> int:
        return int(self._starts[: self.count].searchsorted(start_ns))


S = TypeVar("S", np.int64, np.float64)


def _with_room(rows: NDArray[S], least: int) -> NDArray[S]:
    """Copy rows to an array with room for at least ``least`` along its last axis."""
    room = np.empty((*rows.shape[:-1], max(least, rows.shape[-1])), rows.dtype)
    room[..., : rows.shape[-1]] = rows
    return room
